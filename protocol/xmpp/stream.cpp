#include "protocol/xmpp/stream.hpp"

#include <algorithm>
#include <utility>

#include "protocol/defaults.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/make_stream.hpp"
#include "protocol/xmpp/octets.hpp"
#include "protocol/xmpp/stanza_errors.hpp"
#include "protocol/xmpp/stream_call.hpp"

/// Bytes, time and the end of a stream.
namespace parley::xmpp {

namespace {

/// The first byte of a TLS handshake (RFC 8446, 5.1); no XML begins with it.
constexpr char tls_handshake = 0x16;

} // namespace

stream::stream(std::shared_ptr<const connection_config> config, owner& o,
  std::string peer, steady_time now, carrier by)
  : x_config(std::move(config)),
    x_owner(o),
    x_web(by == carrier::websocket
        ? std::make_unique<websocket>(defaults::stranger_frame_max)
        : nullptr),
    x_reader(defaults::stranger_frame_max,
      x_web ? stanza_reader::kind::elements : stanza_reader::kind::stream),
    x_sign_in(std::make_unique<sign_in_state>(o, std::move(peer))),
    x_domain(x_config->domain),
    x_patience(now),
    x_last_asked(now) {}

stream::~stream() = default;

std::unique_ptr<client_connection> make_stream(
  std::shared_ptr<const connection_config> config, client_connection::owner& o,
  std::string peer, steady_time now, carrier by) {
  return std::make_unique<stream>(
    std::move(config), o, std::move(peer), now, by);
}

void stream::receive(
  std::span<const char> bytes, steady_time now, wall_time wall) {
  if (x_closed || bytes.empty())
    return;
  x_patience.is(now);
  x_patience.heard();
  x_wall = wall;
  const call scope{*this};
  const std::string_view text{bytes.data(), bytes.size()};
  // Direct TLS (XEP-0368) on the same port.
  if (!std::exchange(x_any_bytes, true) && x_config->tls
    && text.front() == tls_handshake)
    x_bytes.start_tls(*x_config->tls);
  if (!x_bytes.has_tls())
    return receive_plain(text);
  decrypted_bytes plain;
  const auto decrypted = x_bytes.decrypt(text, *plain);
  if (x_bytes.waiting() > 0)
    appended();
  // What arrived whole counts, even if what follows is broken.
  if (!plain->empty() && !x_closed)
    receive_plain(*plain);
  if (!x_closed && !decrypted)
    end(decrypted.error());
  if (!x_closed && x_bytes.closed_by_peer())
    disconnected();
}

void stream::receive_plain(std::string_view bytes) {
  if (x_web)
    read_frames(bytes);
  else
    read(bytes);
  deliver();
}

void stream::read(std::string_view bytes) {
  while (!x_closed) {
    if (awaits_answer())
      return hold(bytes);
    const bool had_tls = x_bytes.has_tls();
    if (!take_next(bytes))
      return;
    // What came in the open behind STARTTLS is nobody's (RFC 6120, 5.4.3.3).
    if (!had_tls && x_bytes.has_tls())
      return;
  }
}

bool stream::take_next(std::string_view& bytes) {
  auto found = x_reader.next(bytes);
  if (!found) {
    fail_stream(found.error().condition, found.error().text);
    return false;
  }
  if (!*found)
    return false;
  auto& what = **found;
  if (auto* h = std::get_if<stanza_reader::header>(&what)) {
    open(h->tag);
  } else if (std::holds_alternative<stanza_reader::end>(what)) {
    close_stream();
    return false;
  } else if (auto& tag = std::get<stanza_reader::stanza>(what).tag;
             x_web && tag.xmlns == ns::framing) {
    take_framing(tag);
  } else if (x_dialogue) {
    if (auto fault =
          x_dialogue->take(std::move(tag), x_wall, sink(), x_requests)) {
      fail_stream(*fault);
      return false;
    }
    appended();
  } else {
    before_session(std::move(tag));
  }
  return true;
}

void stream::close_stream() {
  if (x_dialogue)
    x_dialogue->sign_out(x_requests);
  else
    fail_stream({}, {}, failure{errc::none, "the stream was closed"});
}

void stream::hold(std::string_view bytes) {
  auto& held = x_sign_in->held;
  const auto max = x_sign_in->user.empty() ? defaults::stranger_frame_max
                                           : defaults::frame_max;
  if (held.size() + bytes.size() > max)
    return fail_stream(
      "policy-violation", "this is too much to say before an answer");
  held.append(bytes);
}

void stream::disconnected() {
  if (x_closed || x_draining)
    return;
  x_draining = true;
  x_patience.heard();
  drain();
}

void stream::drain() {
  const bool waits =
    x_dialogue && !x_dialogue->is_resumable() && x_dialogue->has_waiting();
  if (!waits && !x_closed)
    end(failure{errc::none, "the peer closed the connection"});
}

// -- output -------------------------------------------------------------------

size_t stream::output_waiting() const noexcept {
  return waiting() + (x_dialogue ? x_dialogue->delayed() : 0);
}

bool stream::holds_output_back() const noexcept {
  return x_dialogue && x_dialogue->is_resuming();
}

void stream::appended() {
  if (x_closed)
    return;
  const auto max =
    x_dialogue ? defaults::output_max : defaults::stranger_output_max;
  const auto size = output_waiting();
  if (size > max) {
    failure why{errc::slow_consumer, "the peer does not read its output"};
    why.limit = max;
    why.value = size;
    return close(why, error_scope::connection);
  }
  if (waiting() == 0 && !(x_dialogue && x_dialogue->has_batch_end()))
    return;
  if (!std::exchange(x_output_told, true))
    x_owner.output_ready();
}

std::string_view stream::output() {
  if (x_dialogue && !x_closed && x_dialogue->has_batch_end())
    x_dialogue->end_batch(sink());
  if (x_web)
    x_web->flush(x_bytes.sink());
  const auto bytes = x_bytes.output();
  // What there was to be said may have become void.
  if (bytes.empty())
    x_output_told = false;
  if (x_dialogue)
    x_dialogue->counts().placed(x_bytes.output_total());
  return bytes;
}

void stream::written(size_t n) {
  if (n > 0 && waiting() > defaults::output_pause)
    x_patience.heard();
  if (x_bytes.written(n))
    x_output_told =
      x_bytes.has_unencrypted() || (x_web && x_web->waiting() > 0);
}

bool stream::takes_input() const noexcept {
  if (x_sign_in)
    return x_sign_in->exchange.whose() == turn::client;
  return !x_dialogue || x_dialogue->takes_stanzas();
}

bool stream::asks_what_reached() const noexcept {
  // Behind a close frame nothing is sent any more.
  return x_dialogue && !(x_web && x_draining)
    && x_dialogue->counts().awaits_bytes();
}

void stream::reached_all_but(size_t n) {
  if (!x_dialogue || x_closed || (x_web && x_draining))
    return;
  const auto total = x_bytes.written_total();
  const auto upto =
    x_dialogue->counts().reached(total - std::min<uint64_t>(n, total));
  if (upto.value > 0)
    x_owner.acknowledged(upto);
}

// -- time ---------------------------------------------------------------------

void stream::tick(steady_time now) {
  if (x_closed)
    return;
  x_patience.is(now);
  if (x_dialogue && !x_draining && !takes_input()
    && x_dialogue->awaits_answers())
    x_patience.heard(); // what it says is not read: the silence is not its own
  if (const auto why = x_patience.overdue(waiting() <= defaults::output_pause);
      why.code != errc::none)
    return close(why, error_scope::connection);
  if (!x_dialogue)
    return;
  if (x_draining && now - x_patience.last_heard() >= defaults::xmpp_drain_time)
    return end(failure{errc::none, "the peer closed the connection"});
  if (x_dialogue->has_deadline())
    x_dialogue->tick(now, sink());
  const auto beat = x_patience.heartbeat();
  if (!x_draining && beat.count() > 0 && now - x_patience.last_heard() >= beat
    && now - x_last_asked >= beat)
    ask_for_life();
  appended();
}

void stream::ask_for_life() {
  x_last_asked = x_patience.now();
  x_dialogue->ask_for_life(sink());
  appended();
}

void stream::reading(bool goes_on) {
  x_patience.reading(goes_on);
}

void stream::probe(std::chrono::milliseconds timeout, steady_time now) {
  // One that waits for `<resumed/>` has nothing to answer to.
  if (!x_dialogue || x_closed || x_dialogue->is_resuming())
    return;
  x_patience.is(now);
  if (x_patience.begin_probe(timeout))
    ask_for_life();
}

void stream::heartbeat_changed(std::chrono::milliseconds interval) {
  x_patience.heartbeat(interval);
}

// -- the end ------------------------------------------------------------------

void stream::close(const failure& why, error_scope) {
  std::string text = why.text;
  if (why.retry_after)
    text += std::string{text.empty() ? "" : "; "} + "try again in "
      + std::to_string(why.retry_after->count()) + " ms";
  fail_stream(stream_condition_of(why.code), text, why);
}

void stream::fail_stream(std::string_view condition, std::string text) {
  failure why{errc::bad_frame, std::string{condition} + ": " + text};
  fail_stream(condition, text, why);
}

void stream::fail_stream(const stream_fault& what) {
  fail_stream(what.condition, what.text,
    failure{errc::bad_frame, std::string{what.condition} + ": " + what.text},
    what.detail);
}

void stream::fail_stream(std::string_view condition, std::string_view text,
  const failure& why, std::string_view detail) {
  if (x_closed)
    return;
  // In the middle of a handshake nothing can be said.
  const bool may_speak = !x_bytes.has_tls() || x_bytes.is_encrypted();
  if (may_speak && x_web && !x_web->is_open()) {
    refuse_websocket(why);
  } else if (may_speak) {
    auto& out = sink();
    if (!x_header_sent)
      append_header(out);
    if (x_dialogue)
      x_dialogue->end_batch(out);
    if (!condition.empty()) {
      out += "<stream:error><";
      out += condition;
      append_attribute(out, "xmlns", ns::stream_errors);
      out += "/>";
      if (!text.empty()) {
        out += "<text";
        append_attribute(out, "xmlns", ns::stream_errors);
        out += '>';
        append_escaped(out, text);
        out += "</text>";
      }
      out += detail;
      out += "</stream:error>";
    }
    put_trailer(out);
  }
  end(why);
}

void stream::end(const failure& why) {
  // `why` may lie in what is given back here.
  const auto reason = why;
  // What came before was meant.
  if (x_dialogue && !x_dialogue->is_resumable())
    x_dialogue->part(x_requests);
  deliver();
  if (x_web && x_web->is_open())
    x_web->close(close_code::normal, x_bytes.sink());
  x_bytes.close();
  x_closed = true;
  x_sign_in.reset();
  x_reader.restart();
  x_owner.closed(reason);
}

size_t stream::memory() const noexcept {
  size_t n = sizeof(*this) + x_bytes.memory() + x_reader.memory();
  if (x_web)
    n += x_web->memory();
  if (x_sign_in)
    n += sizeof(*x_sign_in) + x_sign_in->held.capacity()
      + (x_sign_in->whole ? x_sign_in->whole->memory() : 0);
  if (x_dialogue)
    n += x_dialogue->memory();
  return n;
}

} // namespace parley::xmpp
