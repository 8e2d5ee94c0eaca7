#pragma once

#include "tests/actors/engine/cases.hpp"

#include <string>

/// What the cases about presence have in common.
namespace parley::test::presence {

inline user_address user(const std::string& name) {
  return engine::user(name);
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
