#include "actors/accounts/registrar.hpp"

#include <boost/test/unit_test.hpp>

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>

#include "actors/accounts/password.hpp"
#include "actors/types.hpp"
#include "protocol/decoys.hpp"
#include "tests/support/deterministic.hpp"

namespace parley::test {

namespace {

using namespace std::chrono_literals;

user_address named(const std::string& name) {
  return user_address::parse(name + "@example.org").value();
}

struct still_world final : surroundings {
  wall_time wall_clock() override { return wall_time{1s}; }
  uint64_t wall_clock_us() override { return 1; }
  std::string random_octets(size_t n) override { return std::string(n, 'r'); }
};

/// Reader, writer and router: nobody but taken@example.org has an account.
caf::behavior store_stub(
  caf::event_based_actor*, size_t* writes, const failure* refused) {
  return {
    [](list_atom, const std::vector<user_address>& users) {
      accounts_found x;
      if (users.front() == named("taken"))
        x.what = users;
      return x;
    },
    [writes, refused](const operations&) {
      ++*writes;
      return write_result{*refused};
    },
    [](add_atom, const std::vector<user_address>&) { return done_atom::value; },
  };
}

caf::behavior hear(
  caf::event_based_actor*, std::vector<account_made>* answers) {
  return {[answers](const account_made& x) { answers->push_back(x); }};
}

struct registrar_world {
  registrar_world() {
    auto store = actors.spawn(store_stub, &writes, &refused);
    registrar_config with;
    with.reader = caf::actor_cast<store_reader_actor>(store);
    with.writer = caf::actor_cast<store_writer_actor>(store);
    with.routers = {caf::actor_cast<router_actor>(store)};
    with.passwords = actors.spawn(password, 1u, line);
    with.line = line;
    with.world = std::make_shared<still_world>();
    with.unknown_users = unknown;
    maker = actors.spawn(registrar, with);
    asker = caf::actor_cast<account_asker>(actors.spawn(hear, &answers));
  }

  /// As a gateway does.
  bool ask(uint64_t ticket, const std::string& name) {
    if (!line->enter(ticket))
      return false;
    caf::anon_send(
      maker, account_wanted{ticket, named(name), "secret", "10.0.0.1"}, asker);
    return true;
  }

  deterministic_system actors{1, [](auto& cfg) { add_message_types(cfg); }};
  std::shared_ptr<password_line> line = std::make_shared<password_line>(3);
  std::shared_ptr<decoys> unknown = std::make_shared<decoys>("secret");
  size_t writes = 0;
  /// By the disk.
  failure refused;
  std::vector<account_made> answers;
  registrar_actor maker;
  account_asker asker;
};

BOOST_AUTO_TEST_SUITE(registering)

BOOST_AUTO_TEST_CASE(an_account_takes_a_place_in_the_line_until_it_is_hashed) {
  registrar_world w;
  BOOST_TEST(w.ask(1, "a"));
  BOOST_TEST(w.ask(2, "b"));
  BOOST_TEST(w.ask(3, "c"));
  BOOST_TEST(!w.ask(4, "d"));
  w.actors.settle();
  BOOST_TEST(w.answers.size() == 3u);
  for (const auto& x : w.answers)
    BOOST_TEST((x.why.code == errc::none));
  BOOST_TEST(w.writes == 3u);
  BOOST_TEST(w.line->size() == 0u);
}

BOOST_AUTO_TEST_CASE(who_has_left_gets_no_account) {
  registrar_world w;
  w.ask(1, "a");
  w.ask(2, "b");
  w.line->leave(1);
  w.actors.settle();
  BOOST_TEST(w.writes == 1u);
  BOOST_TEST(w.line->size() == 0u);
  // Its name is free again.
  w.ask(3, "a");
  w.actors.settle();
  BOOST_TEST((w.answers.back().why.code == errc::none));
  BOOST_TEST(w.writes == 2u);
}

BOOST_AUTO_TEST_CASE(who_is_refused_leaves_the_line) {
  registrar_world w;
  w.ask(1, "taken");
  w.ask(2, "a");
  w.ask(3, "a");
  w.actors.settle();
  BOOST_TEST(w.answers.size() == 3u);
  BOOST_TEST(w.writes == 1u);
  BOOST_TEST(w.line->size() == 0u);
  for (uint64_t i = 4; i <= 2 * defaults::registrations_per_source; ++i) {
    w.ask(i, "b" + std::to_string(i));
    w.actors.settle();
  }
  BOOST_TEST((w.answers.back().why.code == errc::rate_limited));
  BOOST_TEST(w.line->size() == 0u);
}

BOOST_AUTO_TEST_CASE(unknown_names_look_like_who_has_registered) {
  registrar_world w;
  // All accounts that there were came from elsewhere.
  scram_keys imported;
  imported.sha256 = {
    std::string(defaults::scram_salt_max, 's'), 4'096, "stored", "server"};
  w.unknown->add(imported);
  const auto others = [&w, is = scram_shape::of(imported)] {
    int n = 0;
    for (int i = 0; i < 100; ++i)
      n += scram_shape::of(w.unknown->keys_of("u" + std::to_string(i))) != is;
    return n;
  };
  BOOST_TEST(others() == 0);
  w.ask(1, "taken");
  w.actors.settle();
  BOOST_TEST(others() == 0);
  w.refused = failure{errc::store_failed};
  w.ask(2, "a");
  w.actors.settle();
  BOOST_TEST((w.answers.back().why.code == errc::store_failed));
  BOOST_TEST(others() == 0);
  w.refused = {};
  w.ask(3, "a");
  w.actors.settle();
  // One of two accounts.
  BOOST_TEST(others() > 20);
  BOOST_TEST(others() < 80);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
