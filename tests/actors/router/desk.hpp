#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "actors/router/inbox.hpp"
#include "tests/actors/router/fake_store.hpp"

namespace parley::test {

using texts = std::vector<std::string>;

/// Bob's inbox and what becomes of it, for cases told one by one: IMs are known
/// by their bodies, endpoints by their names.
class desk : inbox::effects {
public:
  desk() : in(user_address::from_prepared("bob@example.org"), *this) {}

  // -- what happens

  session_id join(const std::string& name, availability what = {},
    window granted = {100, 1'000'000});
  void leave(const std::string& name);
  void suspend(const std::string& name);
  void resume(const std::string& name);
  void show(const std::string& name, parley::show what, int priority = 0);
  void grant(const std::string& name, window granted);
  void want_copies(const std::string& name, bool wanted = true);
  /// An IM with this body from `alice/home`, say. Returns the reason if it is
  /// refused, else nothing.
  std::string send(const std::string& from, const std::string& body,
    const std::string& to_endpoint = {}, bool receipts = false,
    bool copies = true);
  /// Bob writes to `peer` from this endpoint.
  void reply(const std::string& from_endpoint, const std::string& peer);
  /// The session has this one safe; without a body, all it was handed.
  void acknowledge(const std::string& name, const std::string& body = {});
  void pass(std::chrono::milliseconds time) { steady += time; }
  void sweep() { in.sweep(now(), rules); }
  /// All grace times that run end, or the first so many.
  void let_grace_pass(size_t how_many = SIZE_MAX);
  /// Everything asked of the store is done, until nothing is.
  void let_store_work();
  /// The oldest write is done or fails; the inbox is told.
  void write_one(bool fails = false);
  /// The oldest page is answered as it was read when asked for.
  void answer_page(bool fails = false);
  bool expire(const std::string& body);

  // -- what came of it

  /// Bodies handed to it since last asked; of a copy `copy of m1`.
  texts got(const std::string& name);
  /// `delivered`, `stored`, a reason, or empty if it has none yet.
  std::string outcome_of(const std::string& body) const;
  /// Name of the endpoint chosen for this peer; empty if none is.
  std::string chosen(const std::string& peer) const;
  texts typing_goes_to(
    const std::string& from, const std::string& to_endpoint = {}) const;
  moment now() const;
  uint64_t on_disk() const { return store.disk.size(); }

  inbox in;
  policy rules;
  fake_store store;
  std::chrono::milliseconds steady{1'000'000};
  texts probed;
  /// `delivered m1 bob@example.org/phone`.
  texts receipts;
  size_t pages_asked = 0;

private:
  void accepted(const origin& from) override;
  void hand_out(session_id to, delivery what) override;
  void settle(const origin& to, const outcome& what) override;
  void put(put_im what) override;
  void remove(remove_im what) override;
  void read_page(const user_address& of, session_id for_whom, im_order from,
    size_t max) override;
  void watch_grace(
    const user_address& of, im_order order, session_id holder) override;
  void probe(session_id whom) override;
  void send_receipt(
    const im& about, const address& endpoint, receipt::kind what) override;

  session_id session_of(const std::string& name) const;
  std::string name_of(session_id session) const;

  std::map<std::string, session_id> x_sessions;
  std::map<session_id, texts> x_got;
  std::map<session_id, std::vector<acknowledged_im>> x_held;
  std::map<std::string, im_order> x_orders;
  std::map<uint64_t, std::string> x_tickets;
  std::map<std::string, texts> x_outcomes;
  std::deque<std::pair<im_order, session_id>> x_graces;
  uint64_t x_next_session = 1;
};

/// Two endpoints of one user are there.
struct two_endpoints : desk {
  two_endpoints() {
    join("phone");
    join("laptop");
  }
};

} // namespace parley::test
