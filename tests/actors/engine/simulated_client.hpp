#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/session/client_link.hpp"
#include "tests/actors/engine/client_screen.hpp"

namespace parley::test {

class engine;
class simulated_link;

/// A client as the session sees it: keeps an IM until its outcome, makes
/// events safe in order, comes back after a cut. What it does beside that is
/// up to the test.
class simulated_client {
public:
  enum class habit {
    /// Acknowledges each event at once.
    prompt,
    /// Only when told to.
    silent,
  };

  simulated_client(engine& world, std::string user, std::string endpoint)
    : name(std::move(user)), endpoint(std::move(endpoint)), x_world(world) {}

  void sign_in(availability what = {}, window wanted = {});
  /// Comes back by its token; signs in anew if that is refused.
  void resume();
  /// Broken, and the server notices.
  void cut();
  /// Broken without a sign; the server finds out by a probe.
  void go_silently();
  /// Returns the IM's id.
  std::string send(const std::string& to, std::string id = {});
  void broadcast_to(const std::vector<std::string>& to, const std::string& id);
  void set_availability(availability what);
  void type(const std::string& to);
  /// Directed presence, to an endpoint.
  void direct(const std::string& to, directed what);
  void sign_out();
  void set_window(window wanted);
  /// Anything about contacts and presence; returns the request's number.
  uint64_t request(parley::request what);
  /// The same of several that come at once.
  void request_all(std::vector<parley::request> what);
  /// `done`, or a reason; of contacts the reason for the first refused one, of
  /// documents the bytes of those found.
  /// Empty: no answer yet in this session.
  std::string answer_to(uint64_t number) const;
  /// Asks for the contact list, and does so in each session from now on.
  void follow_contacts();
  /// Has no room for presence until told otherwise.
  void set_slow(bool on);
  /// Nor for anything but the last words.
  void take_nothing(bool on);
  /// Everything that it has, or up to an event.
  void acknowledge(uint64_t upto = UINT64_MAX);

  bool is_in() const { return x_accepted && x_link; }
  /// `delivered`, `stored`, a reason; empty: none yet.
  std::string outcome_of(const std::string& id) const;
  const session_actor& session() const { return x_session; }
  /// Its connection, as the session knows it.
  link_id link() const;

  std::string name;
  std::string endpoint;
  habit acknowledging = habit::prompt;
  /// Bodies of IMs, as they came; a second copy in `again`.
  std::vector<std::string> got;
  std::vector<std::string> again;
  /// Those that it has acknowledged.
  std::set<std::string> safe;
  /// Those that it had when it asked to come back: the server may have taken
  /// note of that though the answer was lost.
  std::set<std::string> claimed;
  /// Why the connection was closed or refused last; empty: it was not.
  std::string closed;
  bool resumed = false;
  size_t times_in = 0;
  size_t probes = 0;
  /// Notices that others write, and receipts.
  size_t typings = 0;
  size_t receipts = 0;
  /// `shown` or `taken back`: presence that was directed to it.
  std::vector<std::string> directed_here;
  /// Bytes of documents that it was told of.
  std::vector<std::string> notices;
  size_t going_away = 0;
  window requests;
  /// What the server said it would send unacknowledged.
  window granted;
  std::map<std::string, std::string> policy;
  std::chrono::milliseconds heartbeat{};
  client_screen screen;
  bool is_slow = false;
  bool takes_nothing = false;
  bool follows = false;
  /// Its next connections leave something to those that come after them.
  bool leaves_legacy = false;

private:
  friend class simulated_link;

  void open(bool anew);
  uint64_t ask(parley::request what);
  void list_contacts();
  void show(const answer& x, const parley::request& to);
  void tell(const numbered_request& what);

  void accepted(const signed_in& what, session_actor session);
  void refused(const failure& why);
  void take(sequence number, const event& what);
  void take(const answer& x);

  engine& x_world;
  availability x_presence;
  window x_wanted;
  std::string x_token;
  session_actor x_session;
  std::shared_ptr<simulated_link> x_link;
  bool x_anew = true;
  /// The server has said so on this very connection.
  bool x_accepted = false;
  uint64_t x_last_request = 0;
  /// When it resumed last.
  uint64_t x_asked_before = 0;
  uint64_t x_last_event = 0;
  uint64_t x_acknowledged = 0;
  /// IMs by event, until acknowledged.
  std::map<uint64_t, std::string> x_unsafe;
  std::map<uint64_t, parley::request> x_unanswered;
  std::map<std::string, std::string> x_outcomes;
  std::map<uint64_t, std::string> x_answers;
  std::set<std::string> x_seen;
};

/// One connection of a simulated client.
class simulated_link final : public client_link {
public:
  simulated_link(simulated_client& c, link_id id)
    : x_client(&c), x_id(id), x_leaves_legacy(c.leaves_legacy) {}

  /// Nothing goes through any more.
  void break_off() { x_client = nullptr; }
  bool is_open() const { return x_client != nullptr; }

  sequence accept(const signed_in& what, session_actor session,
    std::unique_ptr<connection_legacy> legacy) override;
  bool is_resumable() const noexcept override { return true; }
  std::unique_ptr<connection_legacy> take_legacy() override;
  void refuse(const failure& why) override;
  bool send(sequence number, const event& what) override;
  void send_window(const window& requests) override;
  void send_going_away(std::chrono::milliseconds) override;
  void set_heartbeat(std::chrono::milliseconds interval) override;
  void probe(std::chrono::milliseconds timeout) override;
  void close(const failure& why, error_scope scope) override;
  bool takes_presence() override { return !x_client || !x_client->is_slow; }
  bool takes_events() override { return !x_client || !x_client->takes_nothing; }
  link_id id() const noexcept override { return x_id; }

  /// Set by a probe that nobody answers.
  bool to_be_given_up = false;

private:
  simulated_client* x_client;
  link_id x_id;
  bool x_leaves_legacy;
};

} // namespace parley::test
