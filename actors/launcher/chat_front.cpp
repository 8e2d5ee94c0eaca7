#include "actors/launcher/chat_front.hpp"

#include <algorithm>
#include <csignal>
#include <random>
#include <utility>

#include <boost/asio/post.hpp>

#include "actors/launcher/chat_defaults.hpp"

namespace parley::chat {

namespace {

constexpr auto too_slow =
  "the server has not let us sign in yet: perhaps somebody guesses at the "
  "password of this account, or of others from the same address, and each try "
  "has to wait; try again later";

/// In the words of the command line; the library knows nothing of it.
constexpr auto trust_hint =
  "; --ca FILE trusts a certificate that no authority of this system signed, "
  "--insecure any";

uint64_t fresh_seed() {
  std::random_device source;
  return static_cast<uint64_t>(source()) << 32 | source();
}

} // namespace

front::front(const options& x, std::shared_ptr<const client_target> target)
  : x_patience(x_io),
    x_signals(x_io, SIGINT, SIGTERM),
    x_loop(x_io),
    x_client(std::make_unique<client>(
      x_loop, std::move(target), x.account, *this, fresh_seed())) {}

front::~front() = default;

int front::run() {
  wait_for_signals();
  after(defaults::chat_connect_patience, [this] { look_for_server(); });
  x_client->start();
  x_io.run();
  return x_exit_code;
}

void front::look_for_server() {
  // A server that spoke slows sign-ins down where somebody guesses.
  auto spoke =
    core().is_connected() || (x_last_loss && x_last_loss->code != errc::none);
  if (x_began)
    return;
  if (!spoke)
    return give_up(failure{errc::timed_out,
      x_last_loss ? x_last_loss->text : "the server cannot be reached"});
  after(
    defaults::chat_sign_in_patience - defaults::chat_connect_patience, [this] {
      auto told = x_last_loss && x_last_loss->code != errc::none
        && x_last_loss->code != errc::timed_out;
      if (!x_began)
        give_up(told ? *x_last_loss : failure{errc::timed_out, too_slow});
    });
}

void front::wait_for_signals() {
  x_signals.async_wait([this](const boost::system::error_code& why, int) {
    if (why)
      return;
    // The second one is meant.
    if (x_quitting || !x_began) {
      show_open_ims();
      return abandon(1);
    }
    wait_for_signals();
    quit();
  });
}

void front::after(
  std::chrono::milliseconds patience, std::function<void()> what) {
  x_patience.expires_after(patience);
  x_patience.async_wait(
    [what = std::move(what)](const boost::system::error_code& cancelled) {
      if (!cancelled)
        what();
    });
}

void front::show_open_ims() {
  for (auto& x : core().open_ims())
    show_open(x);
}

void front::give_up(const failure& why) {
  show_open_ims();
  show_failure(why);
  abandon(1);
}

void front::abandon(int exit_code) {
  // What went wrong stays so.
  x_exit_code = std::max(x_exit_code, exit_code);
  x_io.stop();
}

void front::quit() {
  if (x_quitting || core().is_gone())
    return;
  x_quitting = true;
  x_outcomes_until =
    std::chrono::steady_clock::now() + defaults::chat_outcomes_patience;
  bound_wait();
}

void front::bound_wait() {
  if (!x_quitting || x_signing_out)
    return;
  using ms = std::chrono::milliseconds;
  auto left =
    std::chrono::ceil<ms>(x_outcomes_until - std::chrono::steady_clock::now());
  if (core().is_ready())
    after(left, [this] { sign_out(); });
  else
    after(std::min<ms>(left, defaults::chat_reconnect_patience),
      [this] { leave_unconnected(); });
  look_soon();
}

void front::answer_came() {
  look_soon();
}

void front::look_soon() {
  // The core is in the middle of what came, and acknowledges at its end.
  if (x_quitting && !x_signing_out)
    boost::asio::post(x_io, [this] { look_for_end(); });
}

void front::look_for_end() {
  if (!x_quitting || x_signing_out)
    return;
  if (core().is_ready() && (core().unanswered() == 0 || core().is_held_back()))
    sign_out();
}

void front::leave_unconnected() {
  failure why{errc::timed_out, "there is no connection"};
  if (x_last_loss && x_last_loss->code != errc::none)
    why.code = x_last_loss->code;
  if (x_last_loss && !x_last_loss->text.empty())
    why.text = x_last_loss->text;
  why.text = "left without signing out: " + why.text;
  give_up(why);
}

void front::sign_out() {
  if (std::exchange(x_signing_out, true))
    return;
  after(defaults::chat_sign_out_patience, [this] {
    give_up(x_last_loss.value_or(
      failure{errc::timed_out, "the server did not confirm the sign-out"}));
  });
  core().sign_out(leaving::at_once);
}

void front::on_ready(const address& self, bool resumed) {
  x_last_loss.reset();
  x_was_ready = true;
  show_ready(self, resumed);
  if (std::exchange(x_began, true))
    return bound_wait();
  x_patience.cancel();
  begin();
}

void front::on_disconnected(
  const failure& why, std::chrono::milliseconds retry_in) {
  x_last_loss = why;
  show_disconnected(why, retry_in);
  if (std::exchange(x_was_ready, false))
    bound_wait();
}

void front::on_gone(const failure& why) {
  show_open_ims();
  if (x_signing_out && why.code == errc::signed_out)
    return abandon(0);
  auto shown = why;
  if (why.code == errc::tls_failed
    && why.text.find("certificate") != std::string::npos)
    shown.text += trust_hint;
  show_failure(shown);
  abandon(1);
}

} // namespace parley::chat
