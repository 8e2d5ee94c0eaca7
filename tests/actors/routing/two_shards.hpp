#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/router/routing.hpp"

namespace parley::test {

using texts = std::vector<std::string>;

/// One or two shards with a store and sessions of the test: what one shard
/// says to the other, or asks of the store, waits until it is told to go on.
/// Users are named by their node, IMs by id and body.
class two_shards {
public:
  explicit two_shards(size_t shards = 2);
  ~two_shards();

  // -- users

  /// A name whose user lives on this shard; another one for another `n`.
  static std::string name_on(size_t shard, size_t n = 0);
  static user_address user(const std::string& name);
  routing& shard_of(const std::string& name);
  routing& at(size_t shard);
  /// Has an account on disk.
  void make_account(const std::string& name);
  void remove_account(const std::string& name);
  /// On disk, whether the shard has heard of it or not.
  bool& has_account(const std::string& name) {
    return x_disk[user(name)].exists;
  }
  /// Signs in and lets everything settle.
  session_id sign_in(const std::string& name, const std::string& endpoint,
    availability what = {}, window granted = {100, 1'000'000});
  void leave(session_id s);
  void suspend(session_id s);
  void resume(session_id s);

  // -- IMs; each returns the number of the request

  struct sending {
    std::string id;
    /// An address, or a name alone.
    std::string to;
    /// As the id if it is empty.
    std::string body = {};
    bool receipts = false;
    /// To that endpoint or none.
    bool strict = false;
    bool copies = true;
  };
  uint64_t send(session_id from, sending what);
  uint64_t broadcast_to(session_id from, std::string id,
    std::vector<std::string> to, std::string body = {});
  /// Passes on something with this body.
  void pass_on_to(session_id from, const std::string& to, std::string body,
    reach how, bool returns = false, directed what = directed::no);
  /// The oldest so many that it was handed and has not acknowledged.
  void acknowledge(session_id s, size_t how_many = SIZE_MAX);
  void pass(std::chrono::milliseconds time) { steady += time; }
  void sweep();

  // -- between shards and at the store

  /// Carries out one thing that waits, drawn at random; false if none does.
  bool step(std::mt19937_64& random);
  /// Until nothing waits.
  void settle();
  /// What it leaves in line, judged so many at a time; otherwise at once.
  std::optional<size_t> lines_room;
  /// Only what one shard says to the other, once for each pair.
  bool deliver_between();
  bool store_step();
  void set_policy(std::function<void(policy&)> change);

  // -- what came of it

  /// `delivered`, `stored`, a reason; empty: no answer yet. Two answers are
  /// joined by a comma.
  std::string outcome_of(session_id s, uint64_t number) const;
  /// `bob: stored, carol: no_such_user`.
  std::string broadcast_of(session_id s, uint64_t number) const;
  const answer* answer_of(session_id s, uint64_t number) const;
  /// Bodies handed to it, all of them.
  texts got(session_id s) const;
  /// Of those, how many it has acknowledged.
  size_t acknowledged(session_id s) const;
  uint64_t on_disk(const std::string& name) const;
  moment now() const;

  policy rules;
  std::chrono::milliseconds steady{1'000'000};
  bool reads_fail = false;
  bool writes_fail = false;
  /// `delivered m1 bob@example.org/desk`
  texts receipts;
  texts typings;
  /// `2 sent body` and `2 received body`, in order.
  texts copies;
  /// `2 body` and, of what came back, `2 body returned`: the session and what
  /// it was passed.
  texts passed;
  std::set<std::string> ids_on_disk;
  size_t ids_asked = 0;
  size_t heads_asked = 0;
  /// Everything that shards said to each other, in order: `im`, `outcome`, …
  texts said;

private:
  struct shard;
  struct account_on_disk {
    bool exists = false;
    uint64_t removed_at = 0;
    im_order last;
    std::map<im_order, put_im> ims;
  };
  struct session_end {
    size_t shard = 0;
    address self;
    std::vector<delivery> got;
    size_t acknowledged = 0;
    std::vector<answer> answers;
    std::map<uint64_t, send_im> sent;
    uint64_t last_request = 0;
  };
  using task = std::function<void()>;

  void write(size_t shard, store_operation what);
  void carry_out(const store_operation& what);

  std::vector<std::unique_ptr<shard>> x_shards;
  /// By sender and receiver: in order.
  std::map<std::pair<size_t, size_t>, std::deque<task>> x_between;
  std::deque<task> x_writes;
  std::deque<task> x_reads;
  std::map<user_address, account_on_disk> x_disk;
  std::map<retry_key, stored_id> x_ids;
  std::map<session_id, session_end> x_sessions;
  uint64_t x_next_session = 1;
  size_t x_outcomes = 0;
};

} // namespace parley::test
