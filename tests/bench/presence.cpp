#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "bench/acquaintances.hpp"
#include "bench/presence_check.hpp"
#include "bench/presence_load.hpp"
#include "bench/server_under_test.hpp"
#include "persistence/store.hpp"
#include "protocol/parley.pb.h"
#include "tests/bench/running_relay.hpp"

using namespace parley::bench;

BOOST_AUTO_TEST_SUITE(presence)

namespace {

/// User 0 is seen by 1 and 2, all online.
struct fixture {
  fixture() {
    for (uint32_t i = 0; i < 3; ++i)
      check.online(i);
  }

  bool told(uint32_t watcher, uint64_t number) {
    std::string status;
    presence_check::put_status(status, number);
    presence_view x;
    x.from = "bench0@example.org/desk";
    x.show = x.composed = presence_check::show_of(number);
    x.status = x.composed_status = status;
    return check.arrived(watcher, x).has_value();
  }
  void told_of_leaving(uint32_t watcher) {
    presence_view x;
    x.from = "bench0@example.org/desk";
    x.show = x.composed = parley::wire::UNAVAILABLE;
    check.arrived(watcher, x);
  }

  acquaintances who = acquaintances::star(2);
  fault_log faults;
  presence_check check{who, user_names{}, "desk", faults};
};

} // namespace

BOOST_AUTO_TEST_CASE(a_ring_is_mutual_and_everybody_has_as_many_contacts) {
  const auto ring = acquaintances::ring(60, 20);
  BOOST_TEST(ring.mutual());
  for (uint32_t i = 0; i < 60; ++i) {
    BOOST_TEST(ring.seen_by(i).size() == 20u);
    BOOST_TEST(ring.watchers_of(i) == 20u);
    BOOST_TEST(!ring.find(i, i).has_value());
  }
  BOOST_TEST(ring.find(0, 50).has_value());
  BOOST_TEST(!ring.find(0, 49).has_value());
}

BOOST_AUTO_TEST_CASE(parts_beside_each_other_do_not_know_each_other) {
  const auto all = acquaintances::side_by_side(
    {acquaintances::strangers(3), acquaintances::two_sides(2, 4, 5)});
  BOOST_TEST(all.users() == 10u);
  BOOST_TEST(all.pairs() == 16u);
  BOOST_TEST(all.mutual());
  BOOST_TEST(all.seen_by(2).empty());
  BOOST_TEST(all.find(3, 5).has_value());
  BOOST_TEST(!all.find(3, 4).has_value());
}

BOOST_AUTO_TEST_CASE(the_store_has_both_halves_of_each_subscription) {
  const temporary_folder folder{"/tmp"};
  acquaintances::star(2).write(folder.path(), {}, "secret");
  parley::store::options how;
  how.path = folder.path() + "/store";
  auto opened = parley::store::open(how);
  BOOST_REQUIRE(opened.has_value());
  const auto read = [&](const char* name) {
    return (*opened)->roster(parley::user_address::parse(name).value()).value();
  };
  const auto seen = read("bench0@example.org");
  BOOST_TEST(seen.items.size() == 2u);
  BOOST_TEST(seen.head.watchers == 2u);
  const auto watcher = read("bench2@example.org");
  BOOST_REQUIRE(watcher.items.size() == 1u);
  const auto& sub = watcher.items[0].what.subscription;
  BOOST_TEST((sub.to == parley::half::active));
  BOOST_TEST((sub.from == parley::half::none));
}

BOOST_AUTO_TEST_CASE(the_last_state_everywhere_is_what_must_come_out) {
  fixture f;
  BOOST_TEST(!f.check.converged());
  f.told(1, 0);
  BOOST_TEST(!f.check.converged());
  f.told(2, 0);
  BOOST_TEST(f.check.converged());
  f.check.change(0);
  f.check.change(0);
  BOOST_TEST(!f.check.converged());
  // One of them was told of both, the other of the last alone.
  BOOST_TEST(f.told(1, 1));
  BOOST_TEST(f.told(1, 2));
  BOOST_TEST(f.told(2, 2));
  BOOST_TEST(f.check.converged());
  f.check.finish();
  BOOST_TEST(f.faults.total() == 0u);
}

BOOST_AUTO_TEST_CASE(a_watcher_left_behind_is_a_fault) {
  fixture f;
  f.told(1, 0);
  f.check.finish();
  BOOST_TEST(f.faults.count(fault_kind::lost) == 1u);
}

BOOST_AUTO_TEST_CASE(an_older_state_after_a_newer_one_is_a_fault) {
  fixture f;
  f.check.change(0);
  f.told(1, 1);
  f.told(1, 0);
  BOOST_TEST(f.faults.count(fault_kind::reordered) == 1u);
}

BOOST_AUTO_TEST_CASE(a_state_that_was_told_before_is_counted) {
  fixture f;
  BOOST_TEST(f.told(1, 0));
  BOOST_TEST(!f.told(1, 0));
  BOOST_TEST(f.check.repeated() == 1u);
  BOOST_TEST(f.faults.total() == 0u);
}

BOOST_AUTO_TEST_CASE(who_leaves_is_unavailable_once_and_for_good) {
  fixture f;
  f.told(1, 0);
  f.told_of_leaving(1);
  BOOST_TEST(f.faults.count(fault_kind::altered) == 1u);
  f.check.offline(0);
  BOOST_TEST(!f.check.converged());
  f.told_of_leaving(1);
  BOOST_TEST(f.check.converged());
  BOOST_TEST(f.faults.total() == 1u);
  f.told_of_leaving(1);
  BOOST_TEST(f.faults.count(fault_kind::duplicated) == 1u);
  f.told(1, 0);
  BOOST_TEST(f.faults.count(fault_kind::reordered) == 1u);
}

BOOST_AUTO_TEST_CASE(what_nobody_has_set_is_a_fault) {
  fixture f;
  f.told(1, 1);
  BOOST_TEST(f.faults.count(fault_kind::unknown) == 1u);
  f.told(0, 0);
  BOOST_TEST(f.faults.count(fault_kind::unknown) == 2u);
  f.check.change(0);
  presence_view x;
  x.from = "bench0@example.org/desk";
  x.status = x.composed_status = "1 back in a while";
  x.show = x.composed = presence_check::show_of(2);
  f.check.arrived(1, x);
  x.show = presence_check::show_of(1);
  f.check.arrived(1, x);
  x.composed = x.show;
  x.from = "bench0@example.org";
  f.check.arrived(1, x);
  BOOST_TEST(f.faults.count(fault_kind::altered) == 3u);
  x.from = "bench0@example.org/phone";
  f.check.arrived(1, x);
  BOOST_TEST(f.faults.count(fault_kind::unknown) == 3u);
}

BOOST_AUTO_TEST_CASE(a_presence_is_read_as_it_was_written) {
  presence_view in;
  in.from = "a@b/c";
  in.show = parley::wire::DND;
  in.status = "not now";
  in.composed = parley::wire::CHAT;
  in.composed_status = "here";
  std::string bytes;
  write_presence(bytes, in);
  frame_view frame;
  presence_view out;
  BOOST_REQUIRE(read_frame(std::string_view{bytes}.substr(length_size), frame));
  BOOST_REQUIRE(read_presence(frame.content, out));
  BOOST_TEST(out.from == in.from);
  BOOST_TEST(out.show == in.show);
  BOOST_TEST(out.status == in.status);
  BOOST_TEST(out.composed == in.composed);
  BOOST_TEST(out.composed_status == in.composed_status);
  parley::wire::Presence generated;
  generated.set_priority(-7);
  const auto other = generated.SerializeAsString();
  BOOST_REQUIRE(read_presence(other, out));
  BOOST_TEST(out.priority == -7);
}

BOOST_AUTO_TEST_CASE(a_change_is_set_as_the_generated_classes_read_it) {
  presence_view what;
  what.show = parley::wire::AWAY;
  what.status = "1 back";
  std::string bytes;
  write_set_presence(bytes, 9, what);
  parley::wire::ClientFrame frame;
  BOOST_REQUIRE(frame.ParseFromString(bytes.substr(length_size)));
  BOOST_TEST(frame.request() == 9u);
  BOOST_TEST(frame.presence().show() == parley::wire::AWAY);
  BOOST_TEST(frame.presence().status() == "1 back");
}

namespace {

/// A star behind a relay, whose groups are of `group`.
presence_counts behind_a_relay(
  uint32_t group, presence_parameters how, fault_log& faults) {
  running_relay peer{group};
  event_loop loop;
  target to;
  to.address =
    loopback_address::parse("127.0.0.1:" + std::to_string(peer.port())).value();
  to.relay = true;
  const auto who = acquaintances::star(5);
  presence_load load{loop, to, who, how, user_names{}, faults};
  if (!load.open())
    return {};
  load.clear();
  load.start();
  for (int i = 0; i < 100 && load.counts().changes < 100; ++i)
    load.run(0.05);
  load.settle();
  load.finish();
  return load.counts();
}

} // namespace

BOOST_AUTO_TEST_CASE(every_watcher_is_told_of_every_change) {
  for (const presence_parameters how :
    {presence_parameters{1, {}}, {16, {}}, {64, 2000.0}}) {
    fault_log faults;
    const auto counts = behind_a_relay(6, how, faults);
    for (const auto& line : faults.lines())
      BOOST_ERROR(line);
    BOOST_TEST(counts.changes >= 100u);
    BOOST_TEST(counts.notifications == 5 * counts.changes);
    BOOST_TEST(counts.seen.count() == counts.notifications);
    BOOST_TEST(counts.coalesced == 0u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
