#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The frames of the native protocol that come by the thousand, read in place
/// and written straight into an output buffer; whatever is rare goes through
/// the generated classes. Layout: protocol/parley.proto.
namespace parley::bench {

/// What the server sent, not yet looked into.
struct frame_view {
  uint64_t event = 0;
  uint64_t request = 0;
  /// The field number of its kind in ServerFrame; 0: none.
  uint32_t kind = 0;
  std::string_view content;
};

/// False if it is no protobuf message.
bool read_frame(std::string_view bytes, frame_view& out) noexcept;

struct im_view {
  std::string_view from;
  std::string_view to;
  std::string_view id;
  std::string_view body;
  int64_t sent_at_ms = 0;
  bool offline = false;
};

bool read_im(std::string_view content, im_view& out) noexcept;

struct outcome_view {
  /// wire::Outcome::Kind.
  uint32_t kind = 0;
  /// A wire::Error; empty unless rejected.
  std::string_view error;
};

bool read_outcome(std::string_view content, outcome_view& out) noexcept;

struct presence_view {
  /// An endpoint, or the user as a whole.
  std::string_view from;
  /// wire::Show.
  uint32_t show = 0;
  std::string_view status;
  int32_t priority = 0;
  uint32_t composed = 0;
  std::string_view composed_status;
};

bool read_presence(std::string_view content, presence_view& out) noexcept;

/// What `write_send` puts into a frame; the body in two pieces.
struct outgoing_im {
  std::string_view id;
  std::string_view to;
  std::string_view head;
  std::string_view text;
};

/// Each appends one frame with its length before it.
/// ClientFrame: send, ack.
void write_send(std::string& out, uint64_t request, const outgoing_im& im);
void write_ack(std::string& out, uint64_t event);
/// `show` and `status` of `what` count.
void write_set_presence(
  std::string& out, uint64_t request, const presence_view& what);

/// ServerFrame: presence, im, and a *delivered* outcome; what a peer behind the
/// relay gets.
void write_presence(std::string& out, const presence_view& what);
void write_im_event(std::string& out, uint64_t event, std::string_view from,
  int64_t sent_at_ms, const outgoing_im& im);
void write_delivered(std::string& out, uint64_t event, uint64_t request);

/// Bytes of a frame's length.
inline constexpr size_t length_size = 4;

/// Big endian.
void write_length(char* out, size_t length) noexcept;
size_t read_length(const char* in) noexcept;

} // namespace parley::bench
