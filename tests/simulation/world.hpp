#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/device.hpp"
#include "tests/simulation/ledger.hpp"
#include "tests/simulation/plan.hpp"
#include "tests/simulation/server.hpp"
#include "tests/simulation/story.hpp"
#include "tests/simulation/wire.hpp"

namespace parley::test {

/// What a store gave to read, in whatever state its disk is.
template <class T>
T read(result<T> x) {
  if (!x)
    throw broken("the store can be read", x.error().text);
  return std::move(*x);
}

/// Users with their devices, a network, a server and its disk. What happens is
/// told from outside; all the rest is drawn from that.
class world {
public:
  /// `chance` also says which limits are narrow from the beginning.
  explicit world(uint64_t chance, bool in_words = false);
  ~world();

  /// Throws `broken`.
  void happen(const happening& x);
  /// All faults end, everybody comes back, and all is looked at.
  void end(uint64_t chance);

  const story& tale() const { return x_tale; }

private:
  using milliseconds = std::chrono::milliseconds;

  struct wanted_setting {
    std::string name;
    std::string value;
    std::shared_ptr<std::optional<setting_changed>> answer;
  };

  enum class account_state : uint8_t { there, leaving, gone, coming };
  struct account {
    account_state now = account_state::there;
    /// It was removed once, or was to be: who knew versions of its contacts
    /// knows another's.
    bool has_ended = false;
    /// Null: refused. A removal the server tries again.
    std::shared_ptr<std::optional<account_removed>> leaving;
    std::shared_ptr<std::optional<failure>> coming;
  };

  // -- world.cpp: time, turns, lives of the server
  std::mt19937_64& random() { return x_server->system.random(); }
  uint64_t below(uint64_t n) { return random()() % n; }
  bool turn();
  bool pass(wire& w);
  bool pass(wire& w, bool up);
  bool notice_ends(wire& w);
  void run(size_t turns);
  void quiesce();
  void advance(milliseconds d);
  void start();
  void kill();
  void stop();
  void connect(device& d, device::way how);
  void break_off(wire& w, bool silently);
  /// After a kill, a stop, and now and then.
  void collect_answers();

  // -- world_deeds.cpp
  void send(device& d, size_t to, uint16_t how);
  void send_again(device& d, uint16_t which, bool altered);
  void broadcast(device& d, uint16_t how);
  void ask_contacts(device& d, const user_address& whom, uint16_t how);
  void change_privacy(device& d, uint16_t how);
  void change_setting(uint16_t which);
  void set(const std::string& name, const std::string& value);
  availability some_presence(uint16_t how);
  void do_network(const happening& x);
  void do_server(const happening& x);
  void do_device(const happening& x);
  void fail_disk(uint16_t how);
  void mend_disk();
  void mend_network();

  // -- world_accounts.cpp
  bool has_account(size_t n);
  void remove_account(size_t n);
  void add_accounts();
  void account_is_gone(size_t n);
  void account_is_there(size_t n);
  void collect_accounts();
  void check_accounts();
  void bring_accounts_back();
  void let_ims_expire();
  void expire();

  // -- converse.cpp
  void converse(size_t one, size_t other, uint16_t how);

  // -- world_checks.cpp
  void check_bounds();
  void check_start();
  void check_promises();
  void check_limits();
  /// Of those that are on disk: but for what somebody has acknowledged, if the
  /// disk may have refused to let it go; the server removes it again.
  uint64_t waiting(
    const user_address& who, const std::vector<stored_im>& there);
  void check_limit(const user_address& who, const char* what, uint64_t n,
    uint64_t policy::*limit);
  void check_sessions();
  std::vector<session_info> sessions_there();
  void remember_limits();
  void check_rosters();
  void check_settings();
  void check_ims_at_end();
  void check_drained();
  void check_counts_at_rest();
  void check_presence();
  void check_nothing_left(bool for_long);
  void lift_limits();
  void gather();
  void bring_everybody_in();
  std::vector<device*> devices_of_user(size_t user);
  const user_address& user(size_t n) const { return x_users[n]; }

  uint64_t x_turn = 0;
  story x_tale;
  ledger x_letters{x_tale, x_turn};
  stage x_stage{x_tale, x_letters, x_turn, {}, {}};
  std::vector<user_address> x_users;
  std::vector<std::unique_ptr<device>> x_devices;
  std::vector<std::shared_ptr<wire>> x_wires;
  uint64_t x_next_wire = 0;
  lossy_disk x_disk;
  std::chrono::microseconds x_since{};
  std::unique_ptr<simulated_server> x_server;
  uint64_t x_chance = 0;
  uint64_t x_ticked_s = 0;
  /// As the operator was told it is in force.
  policy x_rules;
  std::vector<wanted_setting> x_settings;
  std::array<account, users_there> x_accounts;
  /// Values that may have come into force without a word, by name.
  std::map<std::string, std::set<std::string>> x_perhaps;
  /// The widest limits that may have been in force since the last start, and
  /// how many of what they bound were there then: a lower limit removes nobody.
  policy x_widest;
  std::map<std::pair<user_address, std::string>, uint64_t> x_before;
};

} // namespace parley::test
