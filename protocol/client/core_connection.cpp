#include <algorithm>
#include <utility>

#include "protocol/client/core_impl.hpp"

namespace parley {

namespace {

/// Errors after which no session of this client can be any more. All others
/// are tried again, those too that this version does not know.
bool ends_client(errc code) noexcept {
  switch (code) {
  case errc::bad_magic:
  case errc::unsupported_version:
  case errc::replaced:
  case errc::account_removed:
  case errc::kicked:
  case errc::signed_out:
    return true;
  default:
    return false;
  }
}

/// Refusals of a sign-in that the next one would meet again: what is asked is
/// wrong, not the time. All others are tried again, those too that this
/// version does not know.
bool ends_sign_in(errc code) noexcept {
  switch (code) {
  case errc::authentication_failed:
  case errc::mechanism_unavailable:
  case errc::too_many_endpoints:
  case errc::bad_address:
  case errc::bad_request:
  case errc::not_authorised:
  case errc::not_signed_in:
  case errc::bad_frame:
  case errc::frame_too_large:
  case errc::tls_failed:
    return true;
  default:
    return ends_client(code);
  }
}

} // namespace

void client_core::impl::start(steady_time now) {
  x_now = now;
  connect();
}

void client_core::impl::connect() {
  x_stage = stage::connecting;
  x_deadline = x_now + defaults::client_connect_timeout;
  x_below.connect_wanted();
}

void client_core::impl::connected(sasl_channel channel, steady_time now) {
  if (x_stage != stage::connecting)
    return;
  x_now = now;
  x_last_received = now;
  x_stage = stage::greeting;
  x_deadline = now + defaults::sign_in_timeout;
  x_greeted = false;
  x_magic.clear();
  x_reader = native::frame_reader{};
  x_parts.reset();
  x_signing_in = std::make_unique<signing_in>();
  x_signing_in->channel = std::move(channel);
  x_out = native::magic;
  native::hello hello;
  hello.software = x_config->software;
  put(hello);
}

void client_core::impl::disconnected(failure why, steady_time now) {
  x_now = now;
  if (is_gone() || x_stage == stage::waiting)
    return;
  // What is wrong with the certificate stays so.
  if (why.code != errc::tls_failed || x_was_ready)
    return wait_to_reconnect(std::move(why));
  x_stage = stage::gone;
  x_events.on_gone(why);
}

void client_core::impl::drop_connection() {
  if (x_receiving)
    x_drop_wanted = true;
  else if (!is_gone() && x_stage != stage::waiting)
    lose(failure{errc::none, "the connection was given up"});
}

void client_core::impl::lose(failure why) {
  x_below.close_wanted();
  wait_to_reconnect(std::move(why));
}

void client_core::impl::wait_to_reconnect(failure why) {
  if (is_ready() && x_now - x_ready_since >= defaults::client_stable_after)
    x_backoff.reset();
  auto wait = x_backoff.next(random());
  if (x_come_back_after) {
    why = failure{errc::server_stopping, "the server is going away"};
    why.retry_after = std::exchange(x_come_back_after, std::nullopt);
  }
  if (why.retry_after)
    wait = std::clamp<std::chrono::milliseconds>(
      *why.retry_after, wait, defaults::client_retry_after_max);
  x_stage = stage::waiting;
  x_deadline = x_now + wait;
  x_announced = false;
  std::string{}.swap(x_out);
  x_signing_in.reset();
  x_events.on_disconnected(why, wait);
}

void client_core::impl::finish(failure why) {
  x_stage = stage::gone;
  x_below.close_wanted();
  x_events.on_gone(why);
}

void client_core::impl::tick(steady_time now) {
  x_now = now;
  switch (x_stage) {
  case stage::gone:
    break;
  case stage::ready:
    beat();
    break;
  case stage::waiting:
    if (now >= x_deadline)
      connect();
    break;
  default:
    if (now >= x_deadline)
      lose(failure{errc::timed_out, "the server takes too long to answer"});
  }
}

void client_core::impl::beat() {
  if (x_heartbeat.count() <= 0)
    return;
  auto silence = x_now - x_last_received;
  if (silence * 10 >= x_heartbeat * defaults::heartbeats_until_dead_tenths)
    return lose(failure{errc::timed_out, "the server is silent"});
  auto quiet = std::max(silence, x_now - x_last_sent);
  if (quiet >= x_heartbeat && x_now - x_last_ping >= x_heartbeat / 2) {
    x_last_ping = x_now;
    put(native::ping{random()});
  }
}

void client_core::impl::receive(std::string_view bytes, steady_time now) {
  x_now = now;
  if (is_gone() || x_stage == stage::waiting || x_stage == stage::connecting)
    return;
  x_last_received = now;
  x_receiving = true;
  if (x_greeted || take_magic(bytes))
    take_frames(bytes);
  x_receiving = false;
  if (std::exchange(x_drop_wanted, false))
    drop_connection();
  else if (is_ready())
    settle_batch();
}

bool client_core::impl::take_magic(std::string_view& bytes) {
  auto n = std::min(native::magic.size() - x_magic.size(), bytes.size());
  x_magic.append(bytes.substr(0, n));
  bytes.remove_prefix(n);
  auto matched = native::match_magic(x_magic);
  if (matched) {
    x_greeted = *matched;
    return x_greeted;
  }
  if (x_was_ready)
    lose(std::move(matched.error()));
  else
    finish(std::move(matched.error()));
  return false;
}

void client_core::impl::take_frames(std::string_view bytes) {
  x_reader.feed(bytes);
  while (!is_gone() && x_stage != stage::waiting && !x_drop_wanted) {
    auto frame = x_reader.next();
    if (!frame)
      return lose(std::move(frame.error()));
    if (!*frame)
      return;
    take_frame(**frame);
  }
}

void client_core::impl::settle_batch() {
  acknowledge_safe();
  pump();
}

void client_core::impl::acknowledge_safe() {
  auto safe = x_position.safe();
  if (safe <= x_acknowledged)
    return;
  x_acknowledged = safe;
  x_requests.acknowledged(safe);
  native::encode_ack(x_out, safe);
  announce();
}

void client_core::impl::announce() {
  x_last_sent = x_now;
  if (x_announced || x_out.empty())
    return;
  x_announced = true;
  x_below.output_ready();
}

void client_core::impl::written(size_t n) {
  x_out.erase(0, n);
  if (!x_out.empty())
    return;
  x_announced = false;
  if (x_out.capacity() > defaults::client_output_kept)
    std::string{}.swap(x_out);
}

void client_core::impl::refused_before_session(const failure& why) {
  // With a wrong password it says when a person may try another one.
  auto may_work_later =
    why.retry_after && why.code != errc::authentication_failed;
  if (ends_sign_in(why.code) && !may_work_later)
    finish(why);
  else
    lose(why);
}

void client_core::impl::handle(const native::refusal& x) {
  if (x.scope == error_scope::session)
    x_token.clear();
  if (ends_client(x.why.code))
    return finish(x.why);
  if (x.scope == error_scope::session
    || (x.scope == error_scope::connection && is_ready()))
    return lose(x.why);
  if (is_ready())
    return x_events.on_error(x.why);
  if (x.scope == error_scope::connection || x_stage != stage::resuming
    || x.why.code != errc::resume_failed)
    return refused_before_session(x.why);
  x_token.clear();
  if (x_requests.leaves_next())
    return finish(failure{errc::signed_out});
  authenticate();
}

} // namespace parley
