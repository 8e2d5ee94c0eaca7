#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "protocol/client/core.hpp"
#include "tests/client/model_server.hpp"

/// A client_core and the model server, with a network in between that the test
/// cuts, delays and counts byte by byte.
namespace parley::test {

/// One user in front of a client_core; writes down all that it is told.
class test_user : public client_events, private client_core::transport {
public:
  test_user(model_server& server, steady_time& now, std::string user,
    uint64_t seed, acknowledging how = acknowledging::after_callback,
    std::string password = "secret", bool follows = false,
    std::string endpoint = "desk");

  void start() { core.start(x_now); }

  /// Moves up to so many bytes; how many there were.
  size_t to_server(size_t n);
  size_t to_client(size_t n);
  /// Breaks the connection; what was under way is lost.
  void cut();
  bool is_connected() const noexcept { return x_link != nullptr; }
  void tick();
  void send(std::string_view to, std::string_view body);

  struct shown {
    std::string from;
    std::string id;
    std::string body;
    bool offline;
    delivery_ticket ticket;
  };
  struct told {
    uint64_t tag;
    std::string id;
    std::string to;
    outcome what;
  };
  std::vector<std::pair<std::string, bool>> readies;
  std::vector<shown> messages;
  std::vector<told> outcomes;
  std::vector<std::vector<recipient_outcome>> broadcasts;
  std::vector<uint64_t> dones;
  std::vector<failure> refusals;
  std::vector<std::pair<std::string, receipt::kind>> receipts;
  std::vector<std::string> typings;
  std::vector<contacts_changed> changes;
  std::vector<std::pair<std::optional<request_tag>, contact_list>> lists;
  /// `bob@example.org request`
  std::vector<std::string> subscriptions;
  std::vector<uint64_t> watching;
  std::vector<std::string> watches_ended;
  std::vector<std::pair<std::optional<request_tag>, privacy>> privacies;
  /// `bob@example.org/desk away`, `reset`
  std::vector<std::string> presences;
  size_t policies = 0;
  std::vector<std::pair<failure, std::chrono::milliseconds>> losses;
  std::vector<failure> ends;
  /// The numbers of the IMs sent so far, which are their tags and ids.
  uint64_t sent = 0;
  /// No connection can be made.
  bool unreachable = false;

  client_core core;

private:
  void connect_wanted() override;
  void output_ready() override {}
  void close_wanted() override;

  void on_ready(const address& self, bool resumed) override;
  void on_message(const received_im& x) override;
  void on_contacts_changed(request_tag, const contacts_changed& x) override;
  void on_contacts(
    std::optional<request_tag> tag, const contact_list& x) override;
  void on_subscription(
    const user_address& who, subscription_event what) override;
  void on_watching(request_tag, uint64_t seconds) override;
  void on_watch_ended(const user_address& whom) override;
  void on_privacy(std::optional<request_tag> tag, const privacy& what) override;
  void on_presence(const presence_notice& x) override;
  void on_presence_reset() override;
  void on_outcome(request_tag tag, std::string_view id, std::string_view to,
    const outcome& what) override;
  void on_broadcast(request_tag, std::string_view,
    const std::vector<recipient_outcome>& x) override;
  void on_done(request_tag tag) override;
  void on_refused(
    request_tag, const failure& why, const user_address& whose) override;
  void on_receipt(
    std::string_view id, std::string_view, receipt::kind what) override;
  void on_typing(std::string_view from) override;
  void on_policy(
    const std::vector<std::pair<std::string, std::string>>&) override;
  void on_disconnected(
    const failure& why, std::chrono::milliseconds retry_in) override;
  void on_gone(const failure& why) override;

  model_server& x_server;
  steady_time& x_now;
  std::string x_user;
  std::unique_ptr<model_server::link> x_link;
  bool x_connecting = false;
};

/// Time, the server and its users.
struct simulation {
  steady_time now{std::chrono::hours{1000}};
  model_server server;
  std::vector<std::unique_ptr<test_user>> users;

  test_user& add(const std::string& user, uint64_t seed = 1,
    acknowledging how = acknowledging::after_callback);
  /// A client that follows its contacts.
  test_user& add_following(const std::string& user, uint64_t seed = 1,
    const std::string& endpoint = "desk");
  /// Moves all bytes until nothing moves.
  void settle();
  /// Time goes on, with a sweep each 100 ms, and bytes move.
  void wait(std::chrono::milliseconds time);
};

} // namespace parley::test
