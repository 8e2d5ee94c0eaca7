#include "actors/launcher/troubleshoot.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "protocol/defaults.hpp"
#include "protocol/tls.hpp"

namespace parley::test {

namespace {

using namespace std::chrono_literals;

constexpr wall_time now{1'700'000'000'000ms};

/// In use, and in its file.
void put_certificate(engine_facts& x, certificate_state which) {
  x.certificate = tls_context::use{which, {}};
  x.certificate_there = which;
}

/// A server that lacks nothing.
engine_facts good() {
  engine_facts x;
  x.now = now;
  x.up = 1h;
  x.engine.started = now - 1h;
  x.engine.workers = 2;
  x.engine.places = 10'000;
  x.disk_free = 1ull << 40;
  x.disk_size = 2ull << 40;
  put_certificate(x, {now - 1h, now + 365 * 24h, false});
  x.last_audited = now - 1min;
  return x;
}

finding check(const engine_facts& x, const std::string& name) {
  auto all = troubleshoot(x);
  auto i = std::find_if(all.begin(), all.end(),
    [&name](const finding& f) { return f.check == name; });
  BOOST_REQUIRE(i != all.end());
  BOOST_TEST((i->how == finding::state::passed) == i->remedy.empty(), name);
  return *i;
}

std::string state(const engine_facts& x, const std::string& name) {
  return std::string{to_string(check(x, name).how)};
}

} // namespace

BOOST_AUTO_TEST_SUITE(troubleshooting)

BOOST_AUTO_TEST_CASE(nothing_is_wrong_where_nothing_is) {
  for (const auto& f : troubleshoot(good()))
    BOOST_TEST(to_string(f.how) == "passed", f.check << ": " << f.what);
}

BOOST_AUTO_TEST_CASE(certificates_are_told_of_a_month_before_their_end) {
  auto x = good();
  put_certificate(x, {now - 1h, now + 31 * 24h, true});
  BOOST_TEST(state(x, "certificate") == "passed");
  put_certificate(x, {now - 1h, now + 29 * 24h, true});
  BOOST_TEST(state(x, "certificate") == "warning");
  put_certificate(x, {now - 1h, now - 1s, true});
  BOOST_TEST(state(x, "certificate") == "failed");
  x.certificate.reset();
  BOOST_TEST(state(x, "certificate") == "passed");
}

BOOST_AUTO_TEST_CASE(the_certificate_in_use_is_judged_and_the_file_beside_it) {
  auto x = good();
  x.certificate_there =
    certificate_state{now - 1h, now + 500 * 24h, false, {1}};
  auto f = check(x, "certificate");
  BOOST_TEST((f.how == finding::state::warning));
  BOOST_TEST(f.what.find("in 365 days") != f.what.npos, f.what);
  BOOST_TEST(f.what.find("in 500 days and is not in use") != f.what.npos);
  BOOST_TEST(f.remedy.starts_with("send SIGHUP"));
  x.certificate->certificate->ends = now - 1s;
  f = check(x, "certificate");
  BOOST_TEST((f.how == finding::state::failed));
  BOOST_TEST(f.remedy.starts_with("send SIGHUP"));
  x = good();
  x.certificate->not_reloaded =
    failure{errc::store_unavailable, "the key does not belong to it"};
  f = check(x, "certificate");
  BOOST_TEST((f.how == finding::state::failed));
  BOOST_TEST(f.what.ends_with("the key does not belong to it"));
  x = good();
  x.certificate_there = fail(errc::store_unavailable, "cannot be read");
  f = check(x, "certificate");
  BOOST_TEST((f.how == finding::state::failed));
  BOOST_TEST(f.what.ends_with("cannot be read"));
}

BOOST_AUTO_TEST_CASE(no_certificate_that_is_not_valid_is_asked_to_be_used) {
  auto x = good();
  for (const auto& [there, words] :
    {std::pair{certificate_state{now - 2h, now - 1h, false, {1}}, "has ended"},
      std::pair{certificate_state{now + 25h, now + 500 * 24h, false, {1}},
        "is not valid yet: it begins in 1 day"}}) {
    x.certificate_there = there;
    auto f = check(x, "certificate");
    BOOST_TEST((f.how == finding::state::failed));
    BOOST_TEST(f.what.find(words) != f.what.npos, f.what);
    BOOST_TEST(f.remedy.starts_with("put one there that is valid"), f.remedy);
  }
  put_certificate(x, {now + 1s, now + 500 * 24h, false});
  BOOST_TEST(state(x, "certificate") == "failed");
  put_certificate(x, {now, now + 500 * 24h, false});
  BOOST_TEST(state(x, "certificate") == "passed");
}

BOOST_AUTO_TEST_CASE(a_disk_that_fills_is_told_of_before_it_is_full) {
  auto x = good();
  x.disk_free = x.disk_size / 25;
  BOOST_TEST(state(x, "disk") == "warning");
  x.disk_size = x.disk_free = 900ull << 20;
  BOOST_TEST(state(x, "disk") == "warning");
  x.disk_free = 1 << 20;
  BOOST_TEST(state(x, "disk") == "failed");
  x.disk_size = 0;
  BOOST_TEST(state(x, "disk") == "warning");
}

BOOST_AUTO_TEST_CASE(a_store_that_refuses_fails_and_one_that_did_is_told_of) {
  auto x = good();
  auto meter = std::make_shared<commit_meter>();
  x.engine.commits = meter;
  BOOST_TEST(state(x, "store") == "passed");
  meter->begins(commit_meter::time_point{1h});
  const failure full{errc::store_failed, "no space"};
  meter->ends(commit_meter::time_point{1h}, 1, &full);
  BOOST_TEST(state(x, "store") == "warning");
  x.engine.unreadable = 3;
  BOOST_TEST(state(x, "store") == "warning");
  x.store = full;
  BOOST_TEST(state(x, "store") == "failed");
}

BOOST_AUTO_TEST_CASE(a_clock_that_jumped_is_told_of) {
  auto x = good();
  x.now -= 1min;
  BOOST_TEST(state(x, "clock") == "warning");
  BOOST_TEST(check(x, "clock").what == "was set back by 60 s since the start");
  x.now += 2min;
  BOOST_TEST(state(x, "clock") == "warning");
  x = good();
  x.last_audited = now + 1h;
  BOOST_TEST(state(x, "clock") == "warning");
  x.last_audited = now + 1s;
  BOOST_TEST(state(x, "clock") == "passed");
}

BOOST_AUTO_TEST_CASE(connections_near_their_bound_are_told_of) {
  auto x = good();
  x.engine.connections.signed_in = 7'999;
  BOOST_TEST(state(x, "open_files") == "passed");
  x.engine.connections.signed_in = 8'000;
  BOOST_TEST(state(x, "open_files") == "warning");
  x.engine.connections.signed_in = 10'000;
  BOOST_TEST(state(x, "open_files") == "failed");
  x = good();
  x.engine.turned_away = 1;
  BOOST_TEST(state(x, "open_files") == "warning");
  x = good();
  x.engine.places = 600;
  BOOST_TEST(state(x, "open_files") == "warning");
}

BOOST_AUTO_TEST_CASE(queues_near_their_bounds_and_silent_workers_are_told_of) {
  auto x = good();
  x.engine.passwords = defaults::password_queue_max;
  BOOST_TEST(state(x, "queues") == "warning");
  x = good();
  x.engine.fullest_worker_bytes = defaults::worker_budget_bytes;
  BOOST_TEST(state(x, "queues") == "warning");
  x = good();
  x.engine.routers.unwritten = defaults::commit_queue_warning + 1;
  BOOST_TEST(state(x, "queues") == "warning");
  x = good();
  x.engine.silent_workers = 1;
  BOOST_TEST(state(x, "workers") == "failed");
}

BOOST_AUTO_TEST_CASE(many_suspended_sessions_are_told_of_and_few_are_not) {
  auto x = good();
  x.engine.routers.suspended = 3;
  BOOST_TEST(state(x, "sessions") == "passed");
  x.engine.routers.suspended = 50;
  x.engine.routers.connected = 50;
  BOOST_TEST(state(x, "sessions") == "warning");
  x.engine.routers.connected = 51;
  BOOST_TEST(state(x, "sessions") == "passed");
}

BOOST_AUTO_TEST_CASE(all_users_at_a_limit_are_named) {
  auto x = good();
  for (int i = 0; i < 1'000; ++i)
    x.at_limits.contacts.push_back(
      user_address::from_prepared("u" + std::to_string(i) + "@example.org"));
  BOOST_TEST(state(x, "contacts.max") == "warning");
  BOOST_TEST(check(x, "contacts.max").users.size() == 1'000u);
  BOOST_TEST(state(x, "watchers.max") == "passed");
  // More may be there, and those that were found are still named.
  x.at_limits.why = failure{errc::store_unavailable, "no"};
  BOOST_TEST(state(x, "watchers.max") == "failed");
  BOOST_TEST(state(x, "contacts.max") == "failed");
  BOOST_TEST(check(x, "contacts.max").users.size() == 1'000u);
  // Endpoints are on no disk.
  BOOST_TEST(state(x, "session.endpoints_max") == "passed");
  x.at_limits.endpoints = {user_address::from_prepared("a@example.org")};
  auto f = check(x, "session.endpoints_max");
  BOOST_TEST((f.how == finding::state::warning));
  BOOST_TEST(f.what == "1 user has as many endpoints as they may (10)");
  BOOST_TEST(f.users == std::vector<std::string>{"a@example.org"},
    boost::test_tools::per_element());
  x.no_endpoints = failure{errc::overloaded, "no"};
  BOOST_TEST(state(x, "session.endpoints_max") == "failed");
}

BOOST_AUTO_TEST_CASE(what_could_not_be_found_out_is_told_of_beside_the_rest) {
  auto x = good();
  x.store = failure{errc::store_failed, "the disk does not answer"};
  x.last_audited.reset();
  x.no_audit = x.at_limits.why =
    failure{errc::store_failed, "not asked while the store fails"};
  BOOST_TEST(check(x, "store").what.ends_with("the disk does not answer"));
  for (const auto* name :
    {"clock", "im.offline_max", "contacts.max", "watchers.max"}) {
    auto f = check(x, name);
    BOOST_TEST(
      f.what.find("not asked while the store fails") != f.what.npos, f.what);
    BOOST_TEST(f.remedy == "see the check 'store'");
  }
  for (const auto* name :
    {"workers", "disk", "certificate", "settings", "session.endpoints_max"})
    BOOST_TEST(state(x, name) == "passed", name);
  x.now -= 1min;
  auto f = check(x, "clock");
  BOOST_TEST(f.what.starts_with("was set back by 60 s"), f.what);
  BOOST_TEST(f.remedy.starts_with("keep it by NTP"), f.remedy);
  x = good();
  x.engine.silent_workers = 1;
  x.last_audited.reset();
  x.no_rules = x.no_audit = x.at_limits.why = failure{errc::overloaded, "no"};
  BOOST_TEST(state(x, "settings") == "failed");
  BOOST_TEST(check(x, "clock").remedy == "see the check 'workers'");
}

BOOST_AUTO_TEST_CASE(what_is_counted_agrees_in_number) {
  auto x = good();
  BOOST_TEST(
    check(x, "contacts.max").what == "0 users have a full contact list (200)");
  x.at_limits.contacts = {user_address::from_prepared("one@example.org")};
  BOOST_TEST(
    check(x, "contacts.max").what == "1 user has a full contact list (200)");
  x.at_limits.contacts.push_back(user_address::from_prepared("b@example.org"));
  BOOST_TEST(
    check(x, "contacts.max").what == "2 users have a full contact list (200)");
  put_certificate(x, {now - 1h, now + 25h, false});
  BOOST_TEST(check(x, "certificate").what.ends_with("ends in 1 day"));
  x.engine.unreadable = 1;
  BOOST_TEST(
    check(x, "store").what == "1 record cannot be read and is passed over");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
