#include <boost/test/unit_test.hpp>

#include "tests/client/simulation.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;

namespace {

user_address user(const std::string& name) {
  return user_address::from_prepared(name + "@example.org");
}

using texts = std::vector<std::string>;

texts names_of(const contact_book& x) {
  texts out;
  for (auto& [who, entry] : x.all())
    out.emplace_back(who.node());
  return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(what_was_added_comes_into_the_list_of_all_endpoints) {
  simulation x;
  x.server.add_account("bob@example.org");
  auto& desk = x.add_following("alice");
  auto& phone = x.add_following("alice", 2, "phone");
  x.wait(1s);
  desk.core.ask(add_contacts{{{"bob@example.org", "Bob", {"work"}},
                  {"nobody@example.org", "", {}}, {"nonsense", "", {}}}},
    {7});
  x.wait(1s);
  BOOST_REQUIRE_EQUAL(desk.changes.size(), 1u);
  auto& refused = desk.changes[0].refused;
  BOOST_REQUIRE_EQUAL(refused.size(), 2u);
  BOOST_TEST(refused[0].address == "nobody@example.org");
  BOOST_TEST((refused[0].why.code == errc::no_such_user));
  BOOST_TEST((refused[1].why.code == errc::bad_address));
  for (auto who : {&desk, &phone}) {
    auto& all = who->core.contacts().all();
    BOOST_REQUIRE_EQUAL(all.size(), 1u);
    BOOST_TEST(all.begin()->second.name == "Bob");
    BOOST_TEST((all.begin()->second.groups == texts{"work"}));
    BOOST_TEST(
      who->core.contacts().known().value == desk.changes[0].version.value);
  }
  // One question each: the change came by itself.
  BOOST_TEST(x.server.lists_asked == 2u);
  phone.core.ask(remove_contacts{{"bob@example.org"}});
  x.wait(1s);
  BOOST_TEST(desk.core.contacts().all().empty());
}

BOOST_AUTO_TEST_CASE(who_asks_for_the_list_is_told_by_its_tag) {
  simulation x;
  auto& alice = x.add_following("alice");
  x.wait(1s);
  alice.core.list_contacts({42});
  x.wait(1s);
  BOOST_REQUIRE_EQUAL(alice.lists.size(), 2u);
  BOOST_TEST(!alice.lists[0].first);
  BOOST_TEST((alice.lists[1].first == request_tag{42}));
}

BOOST_AUTO_TEST_CASE(requests_without_answer_are_asked_again_after_a_loss) {
  for (auto restarts : {false, true}) {
    simulation x;
    x.server.add_account("bob@example.org");
    auto& alice = x.add_following("alice");
    x.wait(1s);
    alice.core.ask(add_contacts{{{"bob@example.org", "", {}}}}, {1});
    alice.core.ask(subscribe{user("bob")}, {2});
    alice.core.ask(set_privacy{approval::ask, {}, {}, {}, {}}, {3});
    alice.core.list_contacts({4});
    alice.to_server(SIZE_MAX);
    alice.cut();
    if (restarts)
      x.server.restart();
    x.wait(3s);
    BOOST_TEST(alice.changes.size() == 2u);
    BOOST_TEST(alice.privacies.size() == 1u);
    BOOST_TEST(alice.core.unanswered() == 0u);
    BOOST_TEST((names_of(alice.core.contacts()) == texts{"bob"}));
  }
}

BOOST_AUTO_TEST_CASE(a_lost_change_is_noticed_at_the_next_one) {
  simulation x;
  for (auto name : {"bob", "carol", "dave"})
    x.server.add_account(name + std::string{"@example.org"});
  auto& alice = x.add_following("alice");
  auto& phone = x.add_following("alice", 2, "phone");
  x.wait(1s);
  phone.core.ask(add_contacts{{{"bob@example.org", "", {}}}});
  x.wait(1s);
  x.server.loses_pushes = true;
  phone.core.ask(add_contacts{{{"carol@example.org", "", {}}}});
  x.wait(1s);
  BOOST_TEST((names_of(alice.core.contacts()) == texts{"bob"}));
  x.server.loses_pushes = false;
  phone.core.ask(add_contacts{{{"dave@example.org", "", {}}}});
  x.wait(1s);
  BOOST_TEST(
    (names_of(alice.core.contacts()) == texts{"bob", "carol", "dave"}));
  // It asked with the version that it had.
  BOOST_TEST(alice.lists.back().second.since.value == 1u);
}

BOOST_AUTO_TEST_CASE(changes_during_a_loss_are_fetched_after_it) {
  for (auto restarts : {false, true}) {
    simulation x;
    for (auto name : {"bob", "carol"})
      x.server.add_account(name + std::string{"@example.org"});
    auto& alice = x.add_following("alice");
    auto& phone = x.add_following("alice", 2, "phone");
    x.wait(1s);
    phone.core.ask(add_contacts{{{"bob@example.org", "", {}}}});
    x.wait(1s);
    alice.unreachable = true;
    alice.cut();
    if (restarts)
      x.server.restart();
    x.wait(2s);
    phone.core.ask(add_contacts{{{"carol@example.org", "", {}}}});
    phone.core.ask(remove_contacts{{"bob@example.org"}});
    x.wait(2s);
    alice.unreachable = false;
    x.wait(40s);
    BOOST_TEST((names_of(alice.core.contacts()) == texts{"carol"}));
    BOOST_TEST(alice.readies.back().second == !restarts);
  }
}

BOOST_AUTO_TEST_CASE(both_sides_hear_what_becomes_of_a_subscription) {
  simulation x;
  auto& alice = x.add_following("alice");
  auto& bob = x.add_following("bob", 2);
  x.wait(1s);
  alice.core.ask(subscribe{user("bob")});
  x.wait(1s);
  BOOST_TEST((bob.subscriptions == texts{"alice@example.org request"}));
  BOOST_TEST(alice.subscriptions.empty());
  bob.core.ask(approve{user("alice")}, {5});
  x.wait(1s);
  BOOST_TEST((bob.dones == std::vector<uint64_t>{5}));
  BOOST_TEST((alice.subscriptions == texts{"bob@example.org approved"}));
  BOOST_TEST((alice.presences.back() == "bob@example.org/desk available"));
  bob.core.ask(deny{user("alice")});
  x.wait(1s);
  BOOST_TEST((alice.subscriptions.back() == "bob@example.org ended"));
  alice.core.ask(subscribe{user("bob")});
  bob.core.ask(deny{user("alice")});
  x.wait(1s);
  BOOST_TEST((alice.subscriptions.back() == "bob@example.org denied"));
  BOOST_TEST(alice.subscriptions.size() == 3u);
  BOOST_TEST(bob.subscriptions.size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_a_user_ends_itself_is_no_news_to_it) {
  simulation x;
  x.server.approving.insert("bob@example.org");
  auto& alice = x.add_following("alice");
  x.add_following("bob", 2);
  x.wait(1s);
  alice.core.ask(subscribe{user("bob")});
  x.wait(1s);
  BOOST_TEST((alice.subscriptions == texts{"bob@example.org approved"}));
  alice.core.ask(unsubscribe{user("bob")});
  x.wait(1s);
  alice.core.ask(subscribe{user("bob")});
  x.wait(1s);
  alice.core.ask(remove_contacts{{"Bob@Example.org"}});
  x.wait(1s);
  BOOST_TEST((alice.subscriptions
    == texts{"bob@example.org approved", "bob@example.org approved"}));
}

BOOST_AUTO_TEST_CASE(a_request_waits_for_who_is_not_there) {
  simulation x;
  x.server.add_account("bob@example.org");
  auto& alice = x.add_following("alice");
  x.wait(1s);
  alice.core.ask(subscribe{user("bob")});
  x.wait(1s);
  auto& bob = x.add_following("bob", 2);
  x.wait(1s);
  BOOST_TEST((bob.subscriptions == texts{"alice@example.org request"}));
  // Told once, not at each reconnect.
  bob.cut();
  x.wait(3s);
  x.server.restart();
  bob.cut();
  x.wait(3s);
  BOOST_TEST(bob.subscriptions.size() == 1u);
}

BOOST_AUTO_TEST_CASE(nobody_stays_available_on_a_screen_after_a_reconnect) {
  for (auto restarts : {false, true}) {
    simulation x;
    x.server.approving.insert("bob@example.org");
    auto& alice = x.add_following("alice");
    auto& bob = x.add_following("bob", 2);
    x.wait(1s);
    alice.core.ask(subscribe{user("bob")});
    x.wait(1s);
    alice.presences.clear();
    alice.unreachable = true;
    alice.cut();
    if (restarts)
      x.server.restart();
    else
      bob.core.sign_out();
    bob.unreachable = restarts;
    x.wait(2s);
    alice.unreachable = false;
    x.wait(10s);
    BOOST_TEST(
      (alice.presences == texts{"reset", "bob@example.org/desk unavailable"}));
  }
}

BOOST_AUTO_TEST_CASE(who_is_still_there_after_a_resume_is_told_of_again) {
  simulation x;
  x.server.approving.insert("bob@example.org");
  auto& alice = x.add_following("alice");
  auto& bob = x.add_following("bob", 2);
  x.wait(1s);
  alice.core.ask(subscribe{user("bob")});
  bob.core.set_availability({show::away, "out", 0});
  x.wait(1s);
  alice.presences.clear();
  alice.cut();
  x.wait(2s);
  BOOST_TEST((alice.presences
    == texts{"reset", "bob@example.org/desk unavailable",
      "bob@example.org/desk away"}));
}

BOOST_AUTO_TEST_CASE(a_watch_ends_once_however_it_ends) {
  simulation x;
  auto& alice = x.add_following("alice");
  x.add_following("bob", 2);
  x.wait(1s);
  auto watch_bob = [&](uint64_t seconds) {
    alice.core.ask(watch{user("bob"), seconds});
    x.wait(1s);
  };
  watch_bob(30);
  BOOST_TEST((alice.watching == std::vector<uint64_t>{30}));
  BOOST_TEST((alice.presences.back() == "bob@example.org/desk available"));
  x.server.end_watch("alice@example.org", "bob@example.org");
  x.wait(1s);
  BOOST_TEST((alice.watches_ended == texts{"bob@example.org"}));
  watch_bob(30);
  watch_bob(0);
  x.server.end_watch("alice@example.org", "bob@example.org");
  x.wait(1s);
  BOOST_TEST(alice.watches_ended.size() == 2u);
  watch_bob(1000);
  BOOST_TEST(alice.watching.back() == 60u);
  // A resume keeps it.
  alice.cut();
  x.wait(3s);
  BOOST_TEST(alice.watches_ended.size() == 2u);
  x.server.restart();
  alice.cut();
  x.wait(3s);
  BOOST_TEST(alice.watches_ended.size() == 3u);
  BOOST_TEST((alice.presences.back() == "bob@example.org unknown"));
}

BOOST_AUTO_TEST_CASE(whose_watch_was_lost_is_not_unknown_once_subscribed_to) {
  simulation x;
  x.server.add_account("bob@example.org");
  x.server.approving.insert("bob@example.org");
  auto& alice = x.add_following("alice");
  x.wait(1s);
  alice.core.ask(watch{user("bob"), 30});
  x.wait(1s);
  x.server.restart();
  alice.cut();
  x.wait(3s);
  BOOST_TEST((alice.presences.back() == "bob@example.org unknown"));
  alice.core.ask(subscribe{user("bob")});
  x.wait(1s);
  BOOST_TEST((alice.presences.back() == "bob@example.org unavailable"));
}

BOOST_AUTO_TEST_CASE(privacy_is_told_to_who_set_it_and_to_the_other_endpoints) {
  simulation x;
  auto& desk = x.add_following("alice");
  auto& phone = x.add_following("alice", 2, "phone");
  x.wait(1s);
  set_privacy what;
  what.block = std::vector{user("mallory")};
  desk.core.ask(what, {9});
  x.wait(1s);
  BOOST_REQUIRE_EQUAL(desk.privacies.size(), 1u);
  BOOST_TEST((desk.privacies[0].first == request_tag{9}));
  BOOST_REQUIRE_EQUAL(phone.privacies.size(), 1u);
  BOOST_TEST(!phone.privacies[0].first);
  BOOST_TEST((phone.privacies[0].second.block == std::vector{user("mallory")}));
  desk.core.ask(set_privacy{});
  x.wait(1s);
  BOOST_TEST((desk.privacies.back().second == phone.privacies.back().second));
  BOOST_TEST(phone.privacies.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_sent_is_refused_at_once) {
  simulation x;
  auto& alice = x.add_following("alice");
  set_privacy much;
  much.allow.emplace();
  for (size_t i = 0; i < 1000; ++i)
    much.allow->push_back(user_address::from_prepared(
      std::to_string(i) + std::string(250, 'u') + "@" + std::string(200, 'd')));
  alice.core.ask(std::move(much));
  BOOST_REQUIRE_EQUAL(alice.refusals.size(), 1u);
  BOOST_TEST((alice.refusals[0].code == errc::too_large));
}

BOOST_AUTO_TEST_CASE(a_refused_request_is_told_whatever_it_was) {
  simulation x;
  auto& alice = x.add_following("alice");
  x.wait(1s);
  x.server.refuse_requests = failure{errc::watch_disabled};
  alice.core.ask(watch{user("bob"), 30});
  alice.core.ask(approve{user("bob")});
  alice.core.list_contacts({3});
  x.wait(1s);
  BOOST_TEST(alice.refusals.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_long_list_comes_in_parts_also_where_it_was_not_asked) {
  simulation x;
  auto& alice = x.add_following("alice");
  x.wait(1s);
  contact_list all{{}, {5}, {}, {}};
  for (size_t i = 0; i < 3000; ++i)
    all.contacts.push_back({user("u" + std::to_string(i)),
      std::string(200, 'n'), {}, true, {}, false});
  x.server.tell("alice@example.org", all);
  x.wait(1s);
  BOOST_TEST(alice.core.contacts().all().size() == 3000u);
  BOOST_TEST(alice.losses.empty());
}

BOOST_AUTO_TEST_CASE(who_does_not_follow_keeps_nothing_and_asks_nothing) {
  simulation x;
  auto& alice = x.add("alice");
  x.wait(1s);
  BOOST_TEST(x.server.lists_asked == 0u);
  x.server.tell("alice@example.org", presence_reset{});
  x.server.tell("alice@example.org", contact_list{{}, {5}, {}, {user("bob")}});
  x.wait(1s);
  BOOST_TEST((alice.presences == texts{"reset"}));
  BOOST_TEST(alice.lists.size() == 1u);
  BOOST_TEST(alice.core.contacts().all().empty());
}
