#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/memory/memory_budget.hpp"
#include "actors/router/router.hpp"
#include "actors/settings/settings.hpp"
#include "persistence/store.hpp"
#include "tests/simulation/front.hpp"
#include "tests/support/deterministic.hpp"
#include "tests/support/lossy_fs.hpp"

namespace parley::test {

/// One life of a server with two workers on a disk: everything that
/// `parley serve` starts but threads, sockets and the operators' door. What it
/// does next is drawn from `system`.
class simulated_server {
public:
  static constexpr size_t workers = 2;

  using values = std::vector<std::pair<std::string, std::string>>;

  /// `since`: how long the world has gone on before. `settings` are made first.
  simulated_server(lossy_disk& disk, uint64_t seed,
    std::chrono::microseconds since, const values& settings = {});
  /// Ends it as a kill does: whatever was not synced is to be dropped by the
  /// disk.
  ~simulated_server();

  std::shared_ptr<served> accept(size_t worker, const std::string& peer);
  std::chrono::microseconds age();
  /// What goes to the store's writer waits until it is let go.
  void hold_writes(bool on);
  /// The answer comes into what is returned.
  std::shared_ptr<std::optional<setting_changed>> set(
    const std::string& name, const std::string& value);
  /// Likewise. Removes an account, as operators do; and makes one.
  std::shared_ptr<std::optional<account_removed>> remove(
    const user_address& who);
  std::shared_ptr<std::optional<failure>> add(const user_address& who);
  /// Likewise, of each router.
  std::vector<std::shared_ptr<std::optional<stop_report>>> stop();
  /// What is in force, in the settings actor's view.
  std::shared_ptr<std::optional<shared<policy>>> in_force() {
    return ask<shared<policy>>(x_settings, get_atom::value);
  }

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
  router_actor router_at(size_t i) const { return router_actor{x_routers[i]}; }
  router_actor router_of(const user_address& who) const {
    return router_at(slot_of(who) % workers);
  }

  std::unique_ptr<store> db;
  deterministic_system system;
  std::shared_ptr<surroundings> world;
  /// As it began.
  policy rules;
  /// More than all clients together can make it hold.
  std::shared_ptr<memory_budget> budget =
    std::make_shared<memory_budget>(64 * 1024 * 1024, workers);

private:
  void read_store(const values& settings);
  void spawn_actors(shared<id_filter> known);
  shared<id_filter> known_ids();

  std::vector<local_router_actor> x_routers;
  std::vector<std::shared_ptr<front>> x_fronts;
  store_writer_actor x_writer;
  settings_actor x_settings;
  uint64_t x_links = 0;
};

/// Makes a store with these accounts, the same at each call.
void make_store(lossy_disk& disk, const std::vector<user_address>& accounts);

/// The password of everybody there.
inline constexpr std::string_view everybodys_password = "correct horse";

} // namespace parley::test
