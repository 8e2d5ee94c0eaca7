#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "actors/router/router.hpp"
#include "actors/settings/settings.hpp"
#include "persistence/store.hpp"
#include "protocol/defaults_memory.hpp"
#include "tests/actors/engine/simulated_client.hpp"
#include "tests/support/deterministic.hpp"
#include "tests/support/lossy_fs.hpp"

namespace parley::test {

/// Time and chance of one run.
class made_up_world final : public surroundings {
public:
  /// `since`: how long it has gone on before.
  made_up_world(deterministic_system& system, std::chrono::microseconds since)
    : x_system(system), x_since(since) {}
  wall_time wall_clock() override;
  uint64_t wall_clock_us() override;
  std::string random_octets(size_t n) override;

private:
  deterministic_system& x_system;
  std::chrono::microseconds x_since;
};

/// The engine as a server with two workers has it, but without threads,
/// sockets and time: routers, sessions, store actors and settings, in an order
/// drawn from the seed.
class engine {
public:
  /// `budget`: bytes that clients can make it hold.
  explicit engine(uint64_t seed, policy rules = {},
    uint64_t budget = defaults::memory_budget_mib * 1024 * 1024);
  ~engine();

  /// The power goes, and comes back a second later: another engine goes on with
  /// what is on disk, and has no clients yet.
  static void restart(std::unique_ptr<engine>& x, policy rules = {});

  /// A name whose user lives at this router.
  static std::string name_on(size_t router, size_t n = 0);
  /// Of example.org, unless the name says another domain.
  static user_address user(const std::string& name);
  void make_account(const std::string& name);
  /// Returns when the router has answered.
  account_removed remove_account(const std::string& name);
  simulated_client& client(
    const std::string& user, const std::string& endpoint);
  /// A client that has signed in.
  simulated_client& sign_in(const std::string& user,
    const std::string& endpoint, availability what = {}, window wanted = {});
  setting_changed set(const std::string& name, const std::string& value);
  /// Lets time pass; connections that did not answer a probe break.
  void advance(std::chrono::milliseconds d);
  void settle() { system.settle(); }
  /// What goes to the store's writer waits until it is let go.
  void hold_writes();
  void let_writes_go();
  /// The same with what is written by request: rosters', settings'. They can be
  /// let go one by one, too.
  void hold_roster_writes();
  void let_roster_write_go();
  void let_roster_writes_go();
  /// How often anybody has asked for something to be written.
  uint64_t writes();
  /// Asks all routers to stop, and lets it happen.
  std::vector<stop_report> stop();
  router_report report(size_t router);
  /// Of all routers.
  presence_counters live_presence();
  /// The users at a limit, by what all routers have in memory.
  limits_found at_limits(const limits_wanted& wanted);

  /// IMs that wait on disk, by body.
  std::vector<std::string> on_disk(const std::string& name);

  template <class Result, class Handle, class... Ts>
  std::shared_ptr<std::optional<Result>> ask(const Handle& who, Ts... xs) {
    auto answer = std::make_shared<std::optional<Result>>();
    system.system().spawn([=](caf::event_based_actor* self) {
      self->request(who, caf::infinite, xs...)
        .then(
          [answer](const Result& x) { *answer = x; }, [](const caf::error&) {});
    });
    return answer;
  }

  link_id next_link() { return link_id{++x_links}; }
  void note(const simulated_client& who, const std::string& what);
  void watch(std::shared_ptr<simulated_link> link, session_actor session);

  /// Outlives all that counts in it.
  std::shared_ptr<memory_budget> budget;
  std::shared_ptr<lossy_disk> kept_disk;
  lossy_disk& disk;
  std::unique_ptr<store> db;
  deterministic_system system;
  std::shared_ptr<made_up_world> world;
  store_writer_actor writer;
  std::vector<local_router_actor> routers;
  /// While it holds, the disk has no contact list to give.
  std::shared_ptr<bool> cannot_read_rosters = std::make_shared<bool>(false);
  settings_actor settings_of;
  std::vector<std::unique_ptr<simulated_client>> clients;
  /// All that clients saw, with the time.
  std::string trace;

private:
  engine(uint64_t seed, policy rules, std::shared_ptr<lossy_disk> there,
    std::chrono::microseconds since,
    uint64_t budget = defaults::memory_budget_mib * 1024 * 1024);

  struct watched {
    std::shared_ptr<simulated_link> link;
    session_actor session;
  };
  std::vector<watched> x_watched;
  uint64_t x_links = 0;
  bool x_stopped = false;
};

} // namespace parley::test
