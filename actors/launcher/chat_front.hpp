#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

// Asio of Boost 1.74 uses std::exchange without including it.
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "actors/launcher/chat_options.hpp"
#include "protocol/client/client.hpp"

namespace parley::chat {

/// What both faces of `parley chat` have in common: the client, the patience
/// for its first sign-in, and an end at which nothing sent is left behind.
class front : public client_events {
public:
  front(const options& x, std::shared_ptr<const client_target> target);
  ~front() override;

  /// Talks until the end; the exit code.
  int run();

protected:
  client_core& core() noexcept { return x_client->core(); }
  boost::asio::io_context& io() noexcept { return x_io; }

  /// Signs out once everything sent has its outcome, waiting for both within
  /// bounds; without a connection for one.
  void quit();
  bool is_quitting() const noexcept { return x_quitting; }
  /// There was a session.
  bool has_begun() const noexcept { return x_began; }
  /// To be called after each answer to a request.
  void answer_came();
  /// Ends at once, without a word to the server.
  void abandon(int exit_code);

  /// The first sign-in succeeded: input may be read.
  virtual void begin() = 0;
  virtual void show_ready(const address& self, bool resumed) = 0;
  virtual void show_disconnected(
    const failure& why, std::chrono::milliseconds retry_in) = 0;
  /// At the end, of each that has no outcome.
  virtual void show_open(const open_im& x) = 0;
  /// The last thing that is shown, unless all went well.
  virtual void show_failure(const failure& why) = 0;

private:
  void on_ready(const address& self, bool resumed) final;
  void on_disconnected(
    const failure& why, std::chrono::milliseconds retry_in) final;
  void on_gone(const failure& why) final;
  void wait_for_signals();
  /// Calls `what` unless the timer is set anew before.
  void after(std::chrono::milliseconds patience, std::function<void()> what);
  /// The patience for a first connection is over.
  void look_for_server();
  void show_open_ims();
  void give_up(const failure& why);
  /// While it quits: sets the timer anew, to sign out if there is a connection
  /// now, else to leave.
  void bound_wait();
  void look_soon();
  /// Ends if nothing can be waited for any more.
  void look_for_end();
  void sign_out();
  /// No connection came in time: ends with what is unknown, and the last loss.
  void leave_unconnected();

  boost::asio::io_context x_io{1};
  boost::asio::steady_timer x_patience;
  boost::asio::signal_set x_signals;
  client_loop x_loop;
  std::unique_ptr<client> x_client;
  bool x_began = false;
  /// Since the connection was last lost: each further try that fails is told as
  /// a loss, too.
  bool x_was_ready = false;
  bool x_quitting = false;
  bool x_signing_out = false;
  /// When it stops waiting for outcomes.
  std::chrono::steady_clock::time_point x_outcomes_until{};
  std::optional<failure> x_last_loss;
  int x_exit_code = 0;
};

/// The JSON lines on standard input and output.
std::unique_ptr<front> make_script(
  const options& x, std::shared_ptr<const client_target> target);

/// For a person; on a terminal with line editing and colours.
std::unique_ptr<front> make_talk(
  const options& x, std::shared_ptr<const client_target> target);

} // namespace parley::chat
