#include "protocol/connection.hpp"

#include <algorithm>
#include <utility>

#include "protocol/connection_impl.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace {

/// The first output reserves so much at once.
constexpr size_t output_first_bytes = 512;

} // namespace

connection::impl::impl(std::shared_ptr<const connection_config> config,
  owner& o, std::string peer, steady_time now)
  : x_config(std::move(config)),
    x_owner(o),
    x_sign_in(std::make_unique<sign_in_state>(o, std::move(peer))),
    x_patience(now),
    x_last_sent(now),
    x_last_ping(now),
    x_stage(stage::magic) {
  if (x_config->tls) {
    x_bytes.start_tls(*x_config->tls);
    x_stage = stage::tls;
  } else {
    x_bytes.raw() = native::magic;
  }
}

void connection::impl::receive(
  std::string_view bytes, steady_time now, wall_time wall) {
  if (is_closed())
    return;
  x_patience.is(now);
  x_patience.heard();
  x_origin.sent_at = wall;
  const call scope{*this};
  if (!x_bytes.has_tls())
    return receive_plain(bytes);
  if (x_stage == stage::tls && is_unencrypted(bytes))
    return;
  decrypted_bytes plain;
  const auto decrypted = x_bytes.decrypt(bytes, *plain);
  if (x_stage == stage::tls && x_bytes.is_encrypted()) {
    x_stage = stage::magic;
    x_sign_in->first_bytes.clear();
    x_bytes.sink() = native::magic;
  }
  if (waiting() > 0)
    appended();
  // What arrived whole counts, even if what follows is broken.
  if (!plain->empty())
    receive_plain(*plain);
  if (!is_closed() && !decrypted)
    end(decrypted.error());
  if (!is_closed() && x_bytes.closed_by_peer())
    disconnected();
}

bool connection::impl::is_unencrypted(std::string_view bytes) {
  auto& seen = x_sign_in->first_bytes;
  if (seen.size() >= native::magic.size())
    return false;
  seen.append(bytes.substr(0, native::magic.size() - seen.size()));
  const auto matched = native::match_magic(seen);
  if (!matched) {
    // TLS, or what TLS will find words for. Whatever was held back before was
    // the beginning of the magic and no TLS.
    seen.resize(native::magic.size());
    return false;
  }
  if (*matched) {
    failure why{errc::tls_failed,
      "TLS was expected; this client speaks Parley without it"};
    x_bytes.raw() = native::magic;
    native::encode_server(
      x_bytes.raw(), native::refusal{error_scope::connection, why});
    end(why);
  }
  return true;
}

void connection::impl::receive_plain(std::string_view bytes) {
  if (x_stage == stage::magic) {
    if (auto matched = match_magic(bytes); !matched)
      return close(matched.error(), error_scope::connection);
    if (x_stage == stage::magic)
      return;
  }
  receive_frames(bytes);
}

void connection::impl::receive_frames(std::string_view bytes) {
  inbox in;
  verdict good;
  x_reader.feed(bytes);
  while (good && !is_closed()) {
    auto frame = x_reader.next();
    if (!frame) {
      good = tl::unexpected{std::move(frame.error())};
      break;
    }
    if (!*frame)
      break;
    auto what = native::decode_client(**frame, x_origin);
    if (!what)
      good = tl::unexpected{std::move(what.error())};
    else if (in_session())
      good = in_session(std::move(*what), in);
    else
      good = before_session(std::move(*what));
  }
  // What came before a fault was meant.
  deliver(in);
  if (!good)
    close(good.error(), error_scope::connection);
}

void connection::impl::disconnected() {
  if (!is_closed())
    end(failure{errc::none, "the peer closed the connection"});
}

// -- output -------------------------------------------------------------------

std::string& connection::impl::sink() {
  auto& x = x_bytes.sink();
  if (x.empty())
    x.reserve(output_first_bytes);
  return x;
}

void connection::impl::put(const native::server_frame& what) {
  native::encode_server(sink(), what);
  appended();
}

void connection::impl::appended() {
  x_sent_since_tick = true;
  const auto max =
    in_session() ? defaults::output_max : defaults::stranger_output_max;
  if (const auto size = waiting(); size > max) {
    failure why{errc::slow_consumer, "the peer does not read its output"};
    why.limit = max;
    why.value = size;
    return close(why, error_scope::connection);
  }
  if (!std::exchange(x_output_told, true))
    x_owner.output_ready();
}

std::string_view connection::impl::output() {
  return x_bytes.output();
}

void connection::impl::written(size_t n) {
  if (n > 0 && waiting() > defaults::output_pause)
    x_patience.heard();
  if (x_bytes.written(n))
    x_output_told = x_bytes.has_unencrypted();
}

// -- time ---------------------------------------------------------------------

void connection::impl::ping() {
  x_last_ping = x_patience.now();
  put(native::ping{});
}

void connection::impl::tick(steady_time now) {
  if (is_closed())
    return;
  x_patience.is(now);
  if (std::exchange(x_sent_since_tick, false))
    x_last_sent = now;
  if (const auto why = x_patience.overdue(waiting() <= defaults::output_pause);
      why.code != errc::none)
    return close(why, error_scope::connection);
  if (!in_session() || x_patience.heartbeat().count() == 0)
    return;
  // The client counts by what it was told.
  const auto beat = std::min(x_patience.heartbeat(), x_told_heartbeat);
  if (now - x_last_sent >= beat
    || (now - x_patience.last_heard() >= beat && now - x_last_ping >= beat))
    ping();
}

void connection::impl::reading(bool goes_on) {
  x_patience.reading(goes_on);
}

void connection::impl::probe(
  std::chrono::milliseconds timeout, steady_time now) {
  if (!in_session())
    return;
  x_patience.is(now);
  if (x_patience.begin_probe(timeout))
    ping();
}

void connection::impl::heartbeat_changed(std::chrono::milliseconds interval) {
  x_patience.heartbeat(interval);
}

// -- the end ------------------------------------------------------------------

void connection::impl::close(const failure& why, error_scope scope) {
  if (is_closed())
    return;
  if (x_stage != stage::tls && why.code != errc::signed_out)
    native::encode_server(sink(), native::refusal{scope, why});
  end(why);
}

void connection::impl::end(const failure& why) {
  x_bytes.close();
  // `why` may lie in what is given back here.
  const auto reason = why;
  x_stage = stage::closed;
  x_sign_in.reset();
  x_parts.reset();
  x_reader = native::frame_reader{};
  x_owner.closed(reason);
}

size_t connection::impl::memory() const noexcept {
  const auto held = [](const std::string& x) {
    return x.capacity() > std::string{}.capacity() ? x.capacity() : 0;
  };
  size_t n = sizeof(impl) + x_bytes.memory() + x_reader.memory()
    + held(x_origin.from.user.str()) + held(x_origin.from.endpoint.str());
  if (x_parts)
    n += sizeof(*x_parts) + x_parts->memory();
  if (x_sign_in)
    n += sizeof(*x_sign_in);
  return n;
}

// -- the class that others see ------------------------------------------------

connection::connection(std::shared_ptr<const connection_config> config,
  owner& o, std::string peer, steady_time now)
  : x_impl(std::make_unique<impl>(std::move(config), o, std::move(peer), now)) {
}

connection::~connection() = default;

void connection::receive(
  std::span<const char> bytes, steady_time now, wall_time wall) {
  x_impl->receive({bytes.data(), bytes.size()}, now, wall);
}

void connection::disconnected() {
  x_impl->disconnected();
}
void connection::tick(steady_time now) {
  x_impl->tick(now);
}
void connection::reading(bool goes_on) {
  x_impl->reading(goes_on);
}
std::string_view connection::output() {
  return x_impl->output();
}
void connection::written(size_t n) {
  x_impl->written(n);
}
size_t connection::output_waiting() const noexcept {
  return x_impl->waiting();
}

void connection::keys_found(const scram_keys* keys) {
  x_impl->keys_found(keys);
}

void connection::authentication_refused(const failure& why) {
  x_impl->authentication_refused(why);
}

void connection::password_checked(bool fits) {
  x_impl->password_checked(fits);
}

sequence connection::accept(
  const signed_in& what, std::unique_ptr<connection_legacy>) {
  x_impl->accept(what);
  return {};
}
void connection::refuse(const failure& why) {
  x_impl->refuse(why);
}

bool connection::send(sequence number, const event& what) {
  x_impl->send(number, what);
  return false;
}

void connection::send_window(const window& requests) {
  x_impl->send_window(requests);
}

void connection::send_going_away(std::chrono::milliseconds come_back_after) {
  x_impl->send_going_away(come_back_after);
}

void connection::close(const failure& why, error_scope scope) {
  x_impl->close(why, scope);
}

void connection::probe(std::chrono::milliseconds timeout, steady_time now) {
  x_impl->probe(timeout, now);
}

void connection::heartbeat_changed(std::chrono::milliseconds interval) {
  x_impl->heartbeat_changed(interval);
}

bool connection::in_session() const noexcept {
  return x_impl->in_session();
}
bool connection::is_closed() const noexcept {
  return x_impl->is_closed();
}
size_t connection::memory() const noexcept {
  return x_impl->memory();
}

} // namespace parley
