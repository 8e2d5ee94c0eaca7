#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

/// What the requirements (section 2) say about one user as a recipient, written
/// down as plainly as can be: every question is answered by looking at
/// everything anew. Nothing here knows of memory, cursors or pages.
namespace parley::test {

/// Users and endpoint names are small numbers here.
constexpr int no_endpoint = -1;

enum class shown : uint8_t { available, away, dnd, unavailable };

struct model_endpoint {
  uint64_t session = 0;
  int name = 0;
  shown show = shown::available;
  int priority = 0;
  bool connected = true;
  uint32_t window_messages = 0;
  uint64_t window_bytes = 0;
  /// IMs to its full address up to this one are for others too.
  uint64_t open_upto = 0;
  /// Those of these that were stored without a copy here.
  std::set<uint64_t> left_out;
  /// It wants copies.
  bool copies = false;

  bool there() const { return show != shown::unavailable; }
  bool forked_to() const { return there() && priority >= 0; }
};

/// A copy of an IM that a session was given.
struct model_copy {
  uint64_t session = 0;
  bool acknowledged = false;
  /// Not at the acceptance.
  bool late = false;
};

struct model_im {
  enum class place : uint8_t { memory, committing, disk };

  uint64_t order = 0;
  uint64_t ticket = 0;
  int from_user = 0;
  int from_endpoint = 0;
  /// `no_endpoint`: the bare address.
  int to = no_endpoint;
  uint64_t bytes = 0;
  place where = place::memory;
  /// Nobody has acknowledged it, nor was it rejected or has it expired.
  bool waits = true;
  int outcomes = 0;
  bool removal_asked = false;
  std::vector<model_copy> copies;

  bool held() const;
  const model_copy* copy_of(uint64_t session) const;
  model_copy* copy_of(uint64_t session);
};

struct model_choice {
  uint64_t session = 0;
  uint64_t last_activity_ms = 0;
};

struct model_rules {
  uint64_t idle_ms = 600'000;
  uint64_t quota = 1'000;
  bool store_offline = true;
};

enum class verdict : uint8_t { taken, recipient_offline, quota_exceeded };

class model {
public:
  explicit model(int user, int users) : self(user), choices(users) {}

  int self;
  model_rules rules;
  std::vector<model_endpoint> endpoints;
  std::vector<model_im> ims;
  /// By peer.
  std::vector<model_choice> choices;

  model_endpoint* find(uint64_t session);
  const model_endpoint* find(uint64_t session) const;
  const model_endpoint* named(int name) const;
  model_im* find_im(uint64_t order);

  // -- questions

  bool choice_over(int peer, uint64_t now_ms) const;
  /// The choice in force, whose idle end was noticed or not; 0: none.
  uint64_t choice(int peer) const;
  bool is_target(const model_im& x, const model_endpoint& e) const;
  bool has_connected_target(const model_im& x) const;
  bool has_target(const model_im& x) const;
  uint32_t held_messages(uint64_t session) const;
  uint64_t held_bytes(uint64_t session) const;
  bool has_room(const model_endpoint& e, uint64_t bytes) const;
  /// The oldest IM that is for `e` and was not given to it; null if none is.
  const model_im* next_for(const model_endpoint& e) const;
  /// Whether `e` may have a copy of an IM that was just accepted.
  bool may_be_copied(const model_im& x, const model_endpoint& e) const;
  bool any_on_disk_alone() const;
  uint64_t waiting() const;
  verdict judge(const model_im& x) const;

  // -- what happens

  void choose(uint64_t session, int peer, uint64_t now_ms);
  void touch(int peer, uint64_t now_ms);
  /// Ends the choice if the conversation was idle for too long.
  void notice_idle(int peer, uint64_t now_ms);
  void release(uint64_t session);
  void leave(uint64_t session);
  void resume(uint64_t session);
  void show(uint64_t session, shown what, int priority);
  /// Returns who is to be probed.
  std::vector<uint64_t> grace_passed(uint64_t order, uint64_t holder);
};

} // namespace parley::test
