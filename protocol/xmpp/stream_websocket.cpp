#include <array>
#include <utility>

#include "protocol/overloaded.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/octets.hpp"
#include "protocol/xmpp/stream.hpp"

/// A stream that a WebSocket carries (RFC 7395).
namespace parley::xmpp {

namespace {

constexpr std::string_view blanks = " \t\r\n";

} // namespace

void stream::read_frames(std::string_view bytes) {
  if (!x_web->is_open() && !open_websocket(bytes))
    return;
  std::array<char, defaults::websocket_slice_bytes> scratch;
  while (!x_closed) {
    if (awaits_answer())
      return hold(bytes);
    auto found = x_web->frames.next(bytes, scratch);
    if (!found)
      return fail_frame(found.error());
    if (!*found)
      return;
    std::visit(
      overloaded{[this](const frame_reader::text& x) { read_message(x); },
        [this](const frame_reader::ping& x) {
          append_pong(x_bytes.sink(), x.payload);
          appended();
        },
        [this](const frame_reader::close& x) {
          // Without `<close/>`, as if the connection had broken.
          x_web->close(x.answer, x_bytes.sink());
          appended();
          disconnected();
        }},
      **found);
  }
}

bool stream::open_websocket(std::string_view& bytes) {
  if (x_config->tls && !x_bytes.has_tls()) {
    fail_stream({}, {}, failure{errc::tls_failed, "no TLS is spoken"});
    return false;
  }
  const bool is_open = x_web->open(bytes, x_bytes.has_tls(), x_bytes.sink());
  appended();
  if (x_web->refused())
    end(failure{errc::none, "HTTP was answered"});
  return is_open;
}

void stream::read_message(const frame_reader::text& x) {
  auto piece = x.piece;
  while (!x_closed && !x_web->has_element && take_next(piece))
    x_web->has_element = true;
  if (x_closed)
    return;
  const bool is_one = x_web->has_element
    && piece.find_first_not_of(blanks) == std::string_view::npos;
  if (x.ends ? !is_one : x_web->has_element && !is_one)
    return fail_stream("bad-format", "a message is one element");
  if (x.ends)
    x_web->has_element = false;
}

void stream::take_framing(const element& x) {
  if (x.name == "close")
    return close_stream();
  if (x.name != "open" || x_opened)
    return fail_stream("bad-format", "a stanza was expected");
  open(x);
}

void stream::fail_frame(const frame_fault& why) {
  if (why.code == close_code::too_big)
    return fail_stream("policy-violation", std::string{why.text});
  x_web->close(why.code, x_bytes.sink());
  end(failure{errc::bad_frame, std::string{why.text}});
}

/// What there is of HTTP to say goodbye with.
void stream::refuse_websocket(const failure& why) {
  auto& out = x_bytes.sink();
  switch (why.code) {
  case errc::timed_out:
    out += http_refusal(408, "the request did not come in time");
    break;
  case errc::tls_failed:
    out += http_refusal(400, "TLS is spoken here: https, wss");
    break;
  case errc::none:
    break; // the peer is gone
  default:
    out += http_refusal(
      503, why.text, why.retry_after.value_or(std::chrono::milliseconds{}));
  }
}

} // namespace parley::xmpp
