#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "protocol/xmpp/websocket_frames.hpp"
#include "protocol/xmpp/websocket_handshake.hpp"

namespace parley::xmpp {

/// What a stream has beside the rest if a WebSocket carries it (RFC 7395): the
/// handshake, frames, and what waits to be put into some.
class websocket {
public:
  explicit websocket(size_t message_max)
    : frames(message_max), x_handshake(std::make_unique<handshake>()) {}

  /// Frames are exchanged.
  bool is_open() const noexcept { return x_handshake == nullptr; }
  /// The answer to the request, appended to `out` once it is whole. False: more
  /// bytes are needed, or the answer was no; then it is `refused`.
  bool open(std::string_view& bytes, bool is_encrypted, std::string& out);
  bool refused() const noexcept { return x_refused; }

  /// Elements that are to be said.
  std::string& text() noexcept { return x_text; }
  size_t waiting() const noexcept { return x_text.size(); }
  /// Says them, a message each.
  void flush(std::string& out);
  /// Nothing is said after it. Once.
  void close(close_code code, std::string& out);

  size_t memory() const noexcept;

  frame_reader frames;
  /// An element of the message that is read has come.
  bool has_element = false;

private:
  std::unique_ptr<handshake> x_handshake;
  std::string x_text;
  bool x_refused = false;
  bool x_closed = false;
};

/// Appends `text`, elements as they stand in a stream, as messages of one
/// element each, which declares its namespaces itself.
void append_messages(std::string& out, std::string_view text);

} // namespace parley::xmpp
