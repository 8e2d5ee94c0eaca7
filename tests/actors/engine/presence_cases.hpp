#pragma once

#include "tests/actors/engine/engine.hpp"

#include <functional>
#include <string>
#include <vector>

/// What the cases about presence have in common.
namespace parley::test::presence {

using texts = std::vector<std::string>;

inline const std::string alice = engine::name_on(0);
inline const std::string bob = engine::name_on(1);
inline const std::string carol = engine::name_on(1, 1);

inline constexpr uint64_t seeds = 15;

inline user_address user(const std::string& name) {
  return engine::user(name);
}

/// The same case under many schedules.
inline void in_any_order(
  const std::function<void(engine&)>& tell, policy rules = {}) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      engine e{seed, rules};
      for (auto& name : {alice, bob, carol})
        e.make_account(name);
      tell(e);
    }
  }
}

inline policy asking() {
  policy x;
  x.presence_auto_approve = false;
  return x;
}

/// Alice sees Bob, and he is asked nothing.
inline simulated_client& alice_who_sees_bob(engine& e) {
  auto& a = e.sign_in(alice, "desk");
  a.follow_contacts();
  auto n = a.request(subscribe{user(bob)});
  e.settle();
  BOOST_TEST(a.answer_to(n) == "done");
  return a;
}

inline std::string sees(const simulated_client& c, const std::string& whom) {
  return c.screen.sees(user(whom));
}

inline texts told(const simulated_client& c, const std::string& whom) {
  return c.screen.told_of(user(whom));
}

inline set_privacy blocking(const std::vector<user_address>& whom) {
  set_privacy x;
  x.block = whom;
  return x;
}

} // namespace parley::test::presence
