#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "protocol/vocabulary.hpp"
#include "tests/simulation/story.hpp"

namespace parley::test {

/// An IM to one user, as its sender and its recipients know it.
struct letter {
  message_id id;
  user_address from;
  /// Empty: no address, or nobody's.
  user_address to;
  std::string body;
  /// To the bare address: these have an order.
  bool bare = true;
  bool receipts = false;
  /// Which session asked for it, and at which place among its requests; of the
  /// only attempt.
  uint64_t session = 0;
  uint64_t place = 0;
  /// Submissions under a number of their own, and those without an answer.
  unsigned attempts = 0;
  unsigned open = 0;
  /// In which life of the server it was submitted last.
  uint64_t tried_in = 0;
  /// `delivered`, `stored` or a reason: the latest, once delivered or stored
  /// for good. Empty: none yet.
  std::string outcome;
  /// When it came: turns of the world, servers that had ended by then, and
  /// how many of those by a kill.
  uint64_t settled_at = 0;
  uint64_t lives_by_then = 0;
  uint64_t kills_by_then = 0;
  /// Devices that have acknowledged it; that have had it.
  std::set<size_t> safe;
  std::set<size_t> had;
  /// How often the server had been killed when one did so first.
  uint64_t kills_when_safe = 0;
  /// Another content was sent under its id.
  bool was_altered = false;
  /// The disk refused it, and who was slow to acknowledge may have it all the
  /// same, and have it again with a further attempt.
  bool may_repeat = false;
  /// Its recipient's or sender's account went, or it may have expired.
  bool is_void = false;
  /// When it was written.
  std::chrono::steady_clock::time_point written{};
  /// It waited for its recipient, or had come, when that account ended: the
  /// turn, and how often it had been submitted by then. 0: it did not.
  uint64_t ended_at = 0;
  unsigned ended_attempts = 0;

  bool is_promised() const {
    return outcome == "delivered" || outcome == "stored";
  }
};

/// What all clients together know of IMs, and what has to be true of that.
class ledger {
public:
  ledger(story& tale, const uint64_t& turn) : x_tale(tale), x_turn(turn) {}

  /// A restart forgets which ids were delivered; a kill may also forget
  /// acknowledgements.
  void server_ended(bool killed) {
    ++x_lives;
    x_kills += killed;
  }

  letter& write(message_id id, user_address from, user_address to,
    std::string body, bool bare, bool receipts);
  /// Null if nobody ever sent this.
  letter* find(
    const user_address& from, const message_id& id, const user_address& to);
  void attempted(letter& x, uint64_t session, uint64_t place);
  /// The attempt was not carried out, and comes again.
  void sent_back(letter& x);
  /// The session went without an answer to it.
  void unanswered(letter& x);

  /// An answer. `altered`: the attempt was one with another content.
  void settled(letter& x, const std::string& what, bool altered);

  /// A device got a copy, in its so-manieth session, which it asked for at
  /// that turn. Returns the letter.
  letter& arrived(size_t device, uint64_t session, uint64_t asked_at,
    const im& what, const user_address& self);
  void acknowledged(size_t device, letter& x);
  /// The server has taken note of the acknowledgement.
  void confirmed(size_t device, letter& x);
  void got_receipt(const user_address& sender, const receipt& what,
    const std::vector<address>& devices);

  /// The account goes, until it is there again: what is under way to it and
  /// from it may end in any way.
  void account_changes(const user_address& who, bool is_there);
  /// It is gone, and with it what waited for it.
  void account_ended(const user_address& who);
  /// What has waited for longer than that may be gone.
  void may_expire(std::chrono::milliseconds ttl);

  std::deque<letter>& all() { return x_letters; }
  /// The disk has refused something: what was not answered may be among it.
  bool disk_has_refused = false;
  /// The world's time.
  std::chrono::steady_clock::time_point now{};
  /// Any two devices of a user saw the IMs of a conversation in one order.
  void check_orders(const std::vector<address>& devices) const;

private:
  struct key {
    std::string from;
    std::string id;
    std::string to;
    auto operator<=>(const key&) const = default;
  };
  struct copy {
    uint64_t session = 0;
    bool confirmed = false;
    uint64_t lives = 0;
    uint64_t kills = 0;
  };
  using conversation = std::pair<size_t, std::string>;

  story& x_tale;
  const uint64_t& x_turn;
  /// Whose accounts are not there for sure.
  std::set<user_address> x_changing;
  uint64_t x_lives = 0;
  uint64_t x_kills = 0;
  std::deque<letter> x_letters;
  std::map<key, letter*> x_by_key;
  /// The latest copy at a device.
  std::map<std::pair<size_t, const letter*>, copy> x_copies;
  /// First copies to bare addresses, by device and sender.
  std::map<conversation, std::vector<const letter*>> x_orders;
};

} // namespace parley::test
