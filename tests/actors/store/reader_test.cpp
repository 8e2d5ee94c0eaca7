#include "actors/store/store_reader.hpp"
#include "persistence/keys.hpp"
#include "persistence/opening.hpp"
#include "tests/actors/store/listener.hpp"

#include <caf/scoped_actor.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace parley;
using namespace parley::test;

namespace {

struct read_world : store_world {
  using store_world::store_world;

  template <class... Ts>
  void tell(Ts&&... xs) {
    caf::anon_send(reader, std::forward<Ts>(xs)...);
    actors.settle();
  }

  template <class Answer, class... Ts>
  Answer ask(Ts&&... xs) {
    caf::scoped_actor asker{actors.system()};
    auto promise =
      asker->request(reader, caf::infinite, std::forward<Ts>(xs)...);
    actors.settle();
    Answer out;
    promise.receive([&](const Answer& x) { out = x; },
      [&](const caf::error& e) { BOOST_ERROR(actors.system().render(e)); });
    return out;
  }

  store_reader_actor reader = actors.spawn(store_reader, db.get());
  heard_ptr one = std::make_shared<heard>();
  router_actor router = listener<router_actor>(one);
};

} // namespace

BOOST_AUTO_TEST_SUITE(reader)

BOOST_AUTO_TEST_CASE(a_users_head_is_found) {
  read_world w;
  commit(
    *w.db, {put_account{bob, {}}, make_put(bob, 7, make_im(alice, "m", "x"))});
  w.tell(bob, w.router);
  w.tell(carol, w.router);
  BOOST_REQUIRE(w.one->heads.size() == 2u);
  BOOST_TEST((w.one->heads[0].of == bob));
  BOOST_TEST(w.one->heads[0].what.exists);
  BOOST_TEST(w.one->heads[0].what.stored == 1u);
  BOOST_TEST(w.one->heads[0].what.last.value == 7u);
  BOOST_TEST((w.one->heads[0].why.code == errc::none));
  BOOST_TEST((w.one->heads[1].of == carol));
  BOOST_TEST(!w.one->heads[1].what.exists);
}

BOOST_AUTO_TEST_CASE(pages_say_whether_they_are_the_last) {
  read_world w;
  for (uint64_t i = 1; i <= 5; ++i)
    commit(*w.db, {make_put(bob, i, make_im(alice, "m", "x"))});
  for (uint64_t from : {1, 3, 5, 6})
    w.tell(bob, session_id{9}, im_order{from}, uint64_t{2}, w.router);
  auto& pages = w.one->pages;
  BOOST_REQUIRE(pages.size() == 4u);
  using list = std::vector<uint64_t>;
  BOOST_TEST(orders(pages[0].page) == (list{1, 2}));
  BOOST_TEST(!pages[0].complete);
  BOOST_TEST(orders(pages[1].page) == (list{3, 4}));
  BOOST_TEST(orders(pages[2].page) == (list{5}));
  BOOST_TEST(pages[2].complete);
  BOOST_TEST(orders(pages[3].page) == list{});
  BOOST_TEST(pages[3].complete);
  BOOST_TEST((pages[0].of == bob));
  BOOST_TEST((pages[0].for_whom == session_id{9}));
  BOOST_TEST(pages[1].from.value == 3u);
}

BOOST_AUTO_TEST_CASE(ids_and_accounts_are_found_by_ticket) {
  read_world w;
  commit(*w.db,
    {put_account{alice, {}}, put_account{bob, make_keys("b")},
      make_put(bob, 1, make_im(alice, "m1", "x", at(5)))});
  w.tell(retry_key{alice, {"m1"}, bob}, uint64_t{1}, w.router);
  w.tell(retry_key{alice, {"m2"}, bob}, uint64_t{2}, w.router);
  BOOST_REQUIRE(w.one->ids.size() == 2u);
  BOOST_TEST(w.one->ids[0].ticket == 1u);
  BOOST_TEST((w.one->ids[0].what.value().stored_at == at(5)));
  BOOST_TEST(w.one->ids[1].ticket == 2u);
  BOOST_TEST(!w.one->ids[1].what);

  auto gateway = w.listener<gateway_ref>(w.one);
  w.tell(bob, uint64_t{3}, gateway);
  w.tell(carol, uint64_t{4}, gateway);
  BOOST_REQUIRE(w.one->accounts.size() == 2u);
  BOOST_TEST(w.one->accounts[0].ticket == 3u);
  BOOST_TEST((w.one->accounts[0].what.value().keys == make_keys("b")));
  BOOST_TEST(!w.one->accounts[1].what);
}

BOOST_AUTO_TEST_CASE(operators_get_who_exists_and_the_audit_log) {
  read_world w;
  commit(*w.db,
    {put_account{bob, {}}, put_account{alice, {}},
      audit_entry{at(1), "root", "one", "", ""},
      audit_entry{at(2), "root", "two", "", ""}});
  BOOST_TEST((w.ask<accounts_found>(list_atom::value, std::vector{bob}).what
    == std::vector{bob}));
  BOOST_TEST(
    w.ask<accounts_found>(list_atom::value, std::vector{carol}).what.empty());
  auto lines = w.ask<audit_found>(audit_atom::value, uint64_t{1});
  BOOST_REQUIRE(lines.what.size() == 1u);
  BOOST_TEST(lines.what[0].what == "two");
}

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_read_is_an_error_to_who_asked) {
  store_world w;
  w.db.reset();
  {
    auto opened = must(open_database({.path = "/store", .env = w.disk.env()}));
    for (auto where : {family::heads, family::accounts})
      BOOST_REQUIRE(opened.db->rocks()
                      .Put({}, opened.db->handle(where), keys::user(bob), "?")
                      .ok());
    BOOST_REQUIRE(opened.db->rocks()
                    .Put({}, opened.db->handle(family::ids),
                      keys::id({alice, {"m"}, bob}), "?")
                    .ok());
  }
  w.db = must(store::open({.path = "/store", .env = w.disk.env()}));
  auto reader = w.actors.spawn(store_reader, w.db.get());
  auto one = std::make_shared<heard>();
  auto router = w.listener<router_actor>(one);
  auto gateway = w.listener<gateway_ref>(one);
  caf::anon_send(reader, bob, router);
  caf::anon_send(reader, bob, session_id{1}, im_order{0}, uint64_t{9}, router);
  caf::anon_send(reader, retry_key{alice, {"m"}, bob}, uint64_t{1}, router);
  caf::anon_send(reader, bob, uint64_t{1}, gateway);
  w.actors.settle();
  BOOST_TEST((one->heads.at(0).why.code == errc::store_corrupt));
  BOOST_TEST((one->pages.at(0).why.code == errc::store_corrupt));
  BOOST_TEST((one->ids.at(0).why.code == errc::store_corrupt));
  BOOST_TEST((one->accounts.at(0).why.code == errc::store_corrupt));
}

BOOST_AUTO_TEST_SUITE_END()
