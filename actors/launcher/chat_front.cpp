#include "actors/launcher/chat_front.hpp"

#include <csignal>
#include <random>

#include "protocol/defaults.hpp"

namespace parley::chat {

namespace {

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
  end_after(defaults::chat_sign_in_patience,
    failure{errc::timed_out, "the server did not let us sign in in time"});
  x_client->start();
  x_io.run();
  return x_exit_code;
}

void front::wait_for_signals() {
  x_signals.async_wait([this](const boost::system::error_code& why, int) {
    if (why)
      return;
    // The second one is meant.
    if (x_quitting || !x_began)
      return abandon(1);
    wait_for_signals();
    quit();
  });
}

void front::end_after(std::chrono::milliseconds patience, failure why) {
  x_patience.expires_after(patience);
  x_patience.async_wait(
    [this, why = std::move(why)](const boost::system::error_code& cancelled) {
      if (cancelled)
        return;
      if (x_quitting && !x_signing_out)
        return sign_out();
      show_failure(x_last_loss.value_or(why));
      abandon(1);
    });
}

void front::abandon(int exit_code) {
  x_exit_code = exit_code;
  x_io.stop();
}

void front::quit() {
  if (x_quitting || core().is_gone())
    return;
  x_quitting = true;
  end_after(defaults::chat_outcomes_patience, {});
  answer_came();
}

void front::answer_came() {
  if (x_quitting && !x_signing_out && core().unanswered() == 0)
    sign_out();
}

void front::sign_out() {
  x_signing_out = true;
  end_after(defaults::chat_sign_out_patience,
    failure{errc::timed_out, "the server did not confirm the sign-out"});
  core().sign_out();
}

void front::on_ready(const address& self, bool resumed) {
  x_last_loss.reset();
  show_ready(self, resumed);
  if (std::exchange(x_began, true))
    return;
  x_patience.cancel();
  begin();
}

void front::on_disconnected(
  const failure& why, std::chrono::milliseconds retry_in) {
  x_last_loss = why;
  show_disconnected(why, retry_in);
}

void front::on_gone(const failure& why) {
  if (x_signing_out && why.code == errc::signed_out)
    return abandon(0);
  show_failure(why);
  abandon(1);
}

} // namespace parley::chat
