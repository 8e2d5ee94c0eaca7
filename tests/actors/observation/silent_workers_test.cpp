#include <boost/test/unit_test.hpp>

#include <caf/all.hpp>
#include <rocksdb/env.h>

#include "actors/launcher/admin_requests.hpp"
#include "actors/launcher/real_world.hpp"
#include "protocol/decoys.hpp"

namespace parley::test {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using std::chrono::steady_clock;

/// Takes every question, and answers none.
caf::behavior silent(caf::event_based_actor* self) {
  self->set_default_handler(caf::skip);
  return {[](const std::string&) {}};
}

caf::behavior talkative(caf::event_based_actor*) {
  return {[](count_atom) {
    router_counts x;
    x.users = 1;
    return x;
  }};
}

struct config : caf::actor_system_config {
  config() { set("scheduler.max-threads", size_t{1}); }
};

/// None of its actors answers.
struct silent_engine {
  silent_engine() : system(cfg), one(system.spawn(silent)) {
    env.reset(rocksdb::NewMemEnv(rocksdb::Env::Default()));
    db = std::move(store::open({"/store", env.get()}).value());
    auto& engine = reach.engine;
    for (int i = 0; i < 16; ++i) {
      reach.routers.push_back(caf::actor_cast<router_actor>(one));
      engine.gateways.push_back(caf::actor_cast<gateway_actor>(one));
    }
    reach.writer = caf::actor_cast<store_writer_actor>(one);
    reach.reader = caf::actor_cast<store_reader_actor>(one);
    reach.sweeper = caf::actor_cast<store_sweeper_actor>(one);
    reach.settings = caf::actor_cast<settings_actor>(one);
    reach.world = std::make_shared<real_world>();
    reach.unknown_users = std::make_shared<decoys>("secret");
    reach.folder = "/";
    engine.routers = reach.routers;
    engine.admission = caf::actor_cast<admission_actor>(one);
    engine.writer = reach.writer;
    engine.commits = std::make_shared<commit_meter>();
    engine.passwords = std::make_shared<password_line>(8);
    engine.places = std::make_shared<connection_places>(8, 8);
    auto stage = std::make_shared<server_stage>();
    stage->accepts = true;
    engine.stage = stage;
    engine.hits = std::make_shared<limits_hit>();
    engine.db = db.get();
  }

  ~silent_engine() { caf::anon_send_exit(one, caf::exit_reason::kill); }

  config cfg;
  caf::actor_system system;
  caf::actor one;
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<store> db;
  admin_server::actors reach;
  std::atomic<bool> stopping = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(silent_workers)

BOOST_AUTO_TEST_CASE(all_are_waited_for_at_once) {
  silent_engine sut;
  metrics_gathering metrics{sut.system, sut.reach.engine, sut.stopping};
  const auto began = steady_clock::now();
  BOOST_TEST(metrics.read().silent_workers == 16u);
  BOOST_TEST((steady_clock::now() - began < 2 * defaults::metrics_patience));
}

BOOST_AUTO_TEST_CASE(who_answers_is_heard_beside_one_who_does_not) {
  silent_engine sut;
  auto from = sut.reach.engine;
  for (size_t i = 1; i < from.routers.size(); ++i)
    from.routers[i] =
      caf::actor_cast<router_actor>(sut.system.spawn(talkative));
  metrics_gathering metrics{sut.system, from, sut.stopping};
  const auto x = metrics.read();
  BOOST_TEST(x.silent_workers == 1u);
  BOOST_TEST(x.routers.users == 15u);
}

BOOST_AUTO_TEST_CASE(who_looks_for_what_is_wrong_is_told_soon) {
  silent_engine sut;
  admin_requests requests{sut.system, sut.reach, sut.stopping};
  open_imports none;
  const auto began = steady_clock::now();
  auto answer =
    json::parse(requests.answer(R"({"op":"troubleshoot"})", "root", none));
  BOOST_TEST((steady_clock::now() - began < 4 * defaults::metrics_patience));
  const auto& workers = answer.at("checks").at(0);
  BOOST_TEST(workers.at("check") == "workers");
  BOOST_TEST(workers.at("state") == "failed");
}

BOOST_AUTO_TEST_CASE(a_silent_store_that_refused_is_told_of_with_the_reason) {
  silent_engine sut;
  auto meter = std::make_shared<commit_meter>();
  sut.reach.engine.commits = meter;
  const failure full{errc::store_failed, "no space"};
  meter->begins(steady_clock::now());
  meter->ends(steady_clock::now(), 1, &full);
  metrics_gathering metrics{sut.system, sut.reach.engine, sut.stopping};
  auto is_told = [&] {
    const auto ready = metrics.ready();
    return !ready && ready.error().code == errc::store_failed
      && ready.error().text.starts_with("no space; ");
  };
  BOOST_TEST(is_told());
  sut.stopping = true;
  BOOST_TEST((metrics.ready().error().code == errc::server_stopping));
  sut.stopping = false;
  // As it does while one is under way for long.
  meter->begins(steady_clock::now() - defaults::commit_patience - 1s);
  BOOST_TEST(is_told());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
