#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "actors/router/inbox.hpp"
#include "tests/actors/router/fake_store.hpp"
#include "tests/actors/router/model.hpp"

namespace parley::test {

constexpr int endpoints_per_user = 3;

/// What can happen to a user; `endpoint` and `arg` mean what the kind says.
struct happening {
  enum class kind : uint8_t {
    sign_in,
    sign_out,
    suspend,
    resume,
    /// To the show of this number.
    show,
    /// To -1 or 0.
    priority,
    /// To this many messages.
    window,
    /// Wants copies from now on (1), or none.
    copies,
    /// From `endpoint` to what the argument says: see `destination`.
    send,
    send_large,
    send_broadcast,
    send_payload,
    /// Of which nobody is to have a copy.
    send_private,
    /// Its oldest, its newest or all.
    acknowledge,
    /// Of a session that is over.
    acknowledge_late,
    /// The oldest grace time that runs, or the one of this number, ends.
    grace,
    /// The oldest write reaches the disk or fails (1); the inbox is told.
    write,
    /// The same in two steps.
    apply,
    notify,
    /// The page asked for first, or the one of this number, is read now.
    read_now,
    /// It is answered as it was read at last.
    answer,
    fail_read,
    /// Time passes, until conversations are idle for long enough.
    idle,
    sweep,
    expire,
    remove_account,
    /// The inbox is forgotten and made anew from the store, if it is idle.
    forget,
    /// All that has no outcome is to be stored.
    stop,
  };

  happening::kind what = kind::sign_in;
  int user = 0;
  int endpoint = 0;
  int arg = 0;
};

std::string to_string(const happening& x);

/// Where a `send` goes: 0: to the next user's bare address; 1 … 3: to its full
/// addresses; 4: to oneself; 5 … 7: to one's own endpoints; 8: to the user
/// after the next.
constexpr int destinations = 9;

/// Some users, each an inbox, a model and a fake store, wired like the router
/// does it. Compares inbox and model all the time; the first difference is kept
/// in `fault`.
class world {
public:
  struct settings {
    int users = 2;
    model_rules rules;
    window granted{4, 20};
    /// A page may be known to be the last one by itself.
    bool exact_pages = true;
    /// The wall clock stands still, or goes back now and then.
    bool bad_clock = false;
    /// Ask whether there is anything to choose first, like the router.
    bool asks_first = true;
    /// Compare where typing notices go, which takes long.
    bool types = false;
  };

  explicit world(settings how);
  ~world();

  /// False if it cannot happen now; nothing has changed then. `look`: compare
  /// all that can be seen from outside afterwards.
  bool happen(const happening& x, bool look = true);
  /// Everybody comes, the store works, all is acknowledged; then everybody
  /// leaves. Finds what was lost.
  void finish();
  /// Empty while all is well.
  const std::string& fault() const { return x_fault; }

  struct user;
  user& at(int i) { return *x_users[i]; }

private:
  struct send;

  bool sign_in(user& u, int name);
  bool acknowledge(user& u, int name, int which);
  bool acknowledge_late(user& u);
  bool submit(user& u, const happening& x);
  bool write(user& u, bool fails);
  bool notify(user& u);
  bool read_now(user& u, int which);
  bool answer(user& u, int which, bool fails);
  bool grace(user& u, int which);
  bool expire(user& u, int which);
  bool remove_account(user& u);
  bool forget(user& u);
  bool on_endpoint(user& u, const happening& x);
  void check(user& u);
  void check_copied(user& u, const send& s);
  void check_copies(user& u, const model_endpoint& e);
  void check_typing(user& u);
  void blame(const user& u, std::string what);
  moment now();

  settings x_how;
  policy x_rules;
  std::vector<std::unique_ptr<user>> x_users;
  std::string x_fault;
  happening x_doing;
  send* x_sending = nullptr;
  uint64_t x_steady_ms = 1'000'000;
  uint64_t x_wall_us = 1'000'000'000;
  uint64_t x_steps = 0;
  uint64_t x_next_session = 1;
  uint64_t x_next_ticket = 1;
};

} // namespace parley::test
