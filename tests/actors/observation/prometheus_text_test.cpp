#include "actors/observation/engine_reading.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/actors/routing/two_shards.hpp"

namespace parley::test {

namespace {

bool has_line(const engine_reading& x, const std::string& line) {
  auto page = as_prometheus(x);
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(prometheus_text)

BOOST_AUTO_TEST_CASE(a_histogram_is_cumulative_and_ends_with_all) {
  auto meter = std::make_shared<commit_meter>();
  commit_meter::time_point start{std::chrono::hours{1}};
  const failure full{errc::store_failed, "no space"};
  for (auto ms : {1, 1, 3, 9'000}) {
    meter->begins(start);
    meter->ends(
      start + std::chrono::milliseconds{ms}, 2, ms > 5'000 ? &full : nullptr);
  }
  engine_reading x;
  x.commits = meter;
  auto name = std::string{"parley_commit_duration_seconds"};
  BOOST_TEST(has_line(x, name + "_bucket{le=\"0.0005\"} 0"));
  BOOST_TEST(has_line(x, name + "_bucket{le=\"0.001\"} 2"));
  BOOST_TEST(has_line(x, name + "_bucket{le=\"0.005\"} 3"));
  BOOST_TEST(has_line(x, name + "_bucket{le=\"5\"} 3"));
  BOOST_TEST(has_line(x, name + "_bucket{le=\"+Inf\"} 4"));
  BOOST_TEST(has_line(x, name + "_count 4"));
  BOOST_TEST(has_line(x, "parley_commits_refused_total 1"));
}

BOOST_AUTO_TEST_CASE(reasons_are_told_by_their_names_and_limits_by_theirs) {
  engine_reading x;
  auto& c = x.routers.counters;
  c.count_rejected(errc::quota_exceeded);
  c.count_rejected(errc::quota_exceeded);
  c.count_rejected(errc::no_such_user);
  BOOST_TEST(
    has_line(x, "parley_ims_rejected_total{reason=\"quota_exceeded\"} 2"));
  BOOST_TEST(
    has_line(x, "parley_ims_rejected_total{reason=\"no_such_user\"} 1"));
  BOOST_TEST(has_line(x, "parley_ims_total{outcome=\"rejected\"} 3"));
  BOOST_TEST(
    has_line(x, "parley_limits_hit_total{limit=\"im.offline_max\"} 2"));
}

BOOST_AUTO_TEST_CASE(presence_is_told_by_kind_and_limit) {
  engine_reading x;
  presence_counters a;
  a.rosters = 2;
  a.subscriptions = 7;
  a.adhoc = 3;
  a.notifications = 10;
  a.coalesced = 4;
  a.held_changes = 5;
  for (auto why : {errc::contact_list_full, errc::watcher_limit,
         errc::watcher_limit, errc::watch_limit, errc::no_such_user})
    a.count_refusal(why);
  x.routers.presence += a;
  x.routers.presence += a;
  BOOST_TEST(has_line(x, "parley_rosters 4"));
  BOOST_TEST(has_line(x, "parley_subscriptions{kind=\"contact\"} 8"));
  BOOST_TEST(has_line(x, "parley_subscriptions{kind=\"adhoc\"} 6"));
  BOOST_TEST(has_line(x, "parley_presence_notifications_total 20"));
  BOOST_TEST(has_line(x, "parley_presence_coalesced_total 8"));
  BOOST_TEST(has_line(x, "parley_presence_changes_held_total 10"));
  auto limits = std::string{"parley_limits_hit_total{limit="};
  BOOST_TEST(has_line(x, limits + "\"contacts.max\"} 2"));
  BOOST_TEST(has_line(x, limits + "\"watchers.max\"} 4"));
  BOOST_TEST(has_line(x, limits + "\"presence.adhoc_max\"} 2"));
}

BOOST_AUTO_TEST_CASE(documents_are_told_by_what_was_asked) {
  engine_reading x;
  document_counters a{
    .readings = 1, .changes = 2, .refused = 4, .full = 3, .notices = 5};
  x.routers.documents += a;
  x.routers.documents += a;
  auto requests = std::string{"parley_document_requests_total{what="};
  BOOST_TEST(has_line(x, requests + "\"read\"} 2"));
  BOOST_TEST(has_line(x, requests + "\"changed\"} 4"));
  BOOST_TEST(has_line(x, requests + "\"refused\"} 8"));
  BOOST_TEST(has_line(x, "parley_document_notices_total 10"));
  BOOST_TEST(has_line(x, "parley_limits_hit_total{limit=\"documents\"} 6"));
  x.routers.limits += session_limits{.documents = 7};
  BOOST_TEST(
    has_line(x, "parley_limits_hit_total{limit=\"documents_rate\"} 7"));
}

BOOST_AUTO_TEST_CASE(limits_that_connections_judge_are_told) {
  engine_reading x;
  x.frames_too_large = 2;
  x.requests_too_large = 3;
  x.registrations_refused = 4;
  const auto limits = std::string{"parley_limits_hit_total{limit="};
  BOOST_TEST(has_line(x, limits + "\"frame\"} 2"));
  BOOST_TEST(has_line(x, limits + "\"request\"} 3"));
  BOOST_TEST(has_line(x, limits + "\"registrations\"} 4"));
}

BOOST_AUTO_TEST_CASE(counters_of_shards_add_up) {
  routing_counters a;
  routing_counters b;
  a.accepted = 1;
  b.accepted = 2;
  b.removed_with_account = 5;
  a.count_rejected(errc::id_conflict);
  b.count_rejected(errc::id_conflict);
  b.count_rejected(errc::store_failed);
  a += b;
  BOOST_TEST(a.accepted == 3u);
  BOOST_TEST(a.removed_with_account == 5u);
  BOOST_TEST(a.rejected == 3u);
  auto by = [&a](errc x) { return a.rejected_by.at(static_cast<size_t>(x)); };
  BOOST_TEST(by(errc::id_conflict) == 2u);
  BOOST_TEST(by(errc::store_failed) == 1u);
  routing_counters none;
  none += a;
  BOOST_TEST((none.rejected_by == a.rejected_by));
}

BOOST_AUTO_TEST_CASE(a_shard_counts_forks_choices_and_the_store) {
  two_shards w{1};
  for (auto name : {"a", "b", "c"})
    w.make_account(name);
  auto a = w.sign_in("a", "desk");
  auto b = w.sign_in("b", "desk");
  auto b2 = w.sign_in("b", "phone");
  w.send(a, {"1", "b"});
  w.settle();
  w.acknowledge(b);
  w.acknowledge(b2);
  w.send(b, {"2", "a"});
  w.send(b2, {"3", "a"});
  w.send(a, {"4", "c"});
  w.settle();
  w.leave(b2);
  const auto& c = w.at(0).counters();
  BOOST_TEST(c.forked == 1u);
  BOOST_TEST(c.accepted == 4u);
  // a towards b and c; b's desk.
  BOOST_TEST(c.choices_made == 3u);
  BOOST_TEST(c.choices_moved == 1u);
  BOOST_TEST(c.choices_released == 1u);
  BOOST_TEST(c.offline_stored == 1u);
  auto reader = w.sign_in("c", "desk");
  w.acknowledge(reader);
  w.settle();
  BOOST_TEST(w.at(0).counters().offline_delivered == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
