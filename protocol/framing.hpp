#pragma once

#include "protocol/defaults.hpp"
#include "protocol/errors.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class MessageLite;
} // namespace google::protobuf

/// The native protocol: length-prefixed frames, each one protobuf message.
/// README.md specifies it.
namespace parley::native {

/// What both sides send before anything else.
inline constexpr std::string_view magic{"PARLEY\x01\n", 8};

/// Bytes of a frame's length, big-endian, before the frame.
inline constexpr size_t length_bytes = 4;

/// Looks at the first bytes of a connection: true if `first` begins with the
/// whole magic, false if more bytes are needed. `bad_magic` if they can no
/// longer become it; the text says what was expected and, if they look like
/// HTTP, TLS, XMPP or SIP, what the peer seems to speak.
result<bool> match_magic(std::string_view first);

/// Cuts a stream of bytes into frames. A frame that lies whole in what was fed
/// is handed out where it lies; only an incomplete one is kept, in pieces, so
/// that nothing is held between frames and no part is copied as it grows.
/// Memory grows with what came, not with what a length announces.
class frame_reader {
public:
  /// Bytes kept together.
  static constexpr size_t piece_bytes = 16 * 1024;

  /// `frame_max` in bytes, without the length.
  explicit frame_reader(size_t frame_max = defaults::frame_max) noexcept
    : x_max(frame_max) {}

  /// From the next frame on another bound; only a greater one.
  void widen(size_t frame_max) noexcept { x_max = frame_max; }

  /// Further bytes. They must stay where they are until `next` returned
  /// nothing, and only then may more be fed.
  void feed(std::string_view bytes) noexcept;

  /// The next whole frame without its length, nothing if more bytes are
  /// needed. Valid until the next call.
  /// `frame_too_large` with limit and value as soon as a length says so; no
  /// call succeeds after that.
  result<std::optional<std::string_view>> next();

  /// Bytes held on the heap.
  size_t memory() const noexcept;

private:
  void keep(size_t n);
  void drop_done();
  std::string_view together();

  size_t x_max;
  /// Fed and not consumed.
  std::string_view x_input;
  /// The beginning of a frame, all but the last of `piece_bytes`; or one that
  /// was put together.
  std::vector<std::string> x_pieces;
  size_t x_kept = 0;
  /// The only piece was handed out whole.
  bool x_done = false;
};

/// Appends `message` as one frame. The caller knows that it fits into one.
void append_frame(
  std::string& out, const google::protobuf::MessageLite& message);

/// Appends a frame's length; `size` bytes are to follow.
void append_length(std::string& out, size_t size);

} // namespace parley::native
