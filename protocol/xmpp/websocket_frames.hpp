#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <tl/expected.hpp>

/// Frames of WebSocket (RFC 6455, 5), as a server reads and writes them: text
/// and control frames alone, without extensions.
namespace parley::xmpp {

/// Why a WebSocket is closed (RFC 6455, 7.4.1).
enum class close_code : uint16_t {
  normal = 1000,
  protocol_error = 1002,
  /// Binary messages.
  unsupported_data = 1003,
  invalid_data = 1007,
  too_big = 1009,
};

/// Nothing after it can be read.
struct frame_fault {
  close_code code;
  std::string_view text;
};

/// Takes apart what a client sends. Total on any bytes in any pieces. It holds
/// no message: the text is given on in pieces, as it comes. Nothing is
/// allocated but for a control frame that is not whole, of 125 bytes at most.
class frame_reader {
public:
  /// Of a text message, unmasked; in the scratch space of the call.
  struct text {
    std::string_view piece;
    /// The message ends with it.
    bool ends = false;
  };
  struct ping {
    std::string payload;
  };
  /// The last that comes; with what it is to be answered.
  struct close {
    close_code answer = close_code::normal;
  };
  using event = std::variant<text, ping, close>;
  /// Nothing: more bytes are needed.
  using outcome = tl::expected<std::optional<event>, frame_fault>;

  /// `message_max`: bytes of a message, of all its frames together.
  explicit frame_reader(size_t message_max) noexcept
    : x_message_max(message_max) {}

  /// The next event; takes from the front of `bytes` what belongs to it, all if
  /// there is none. After an error, and after a close frame, it is over.
  outcome next(std::string_view& bytes, std::span<char> scratch);

  void widen(size_t message_max) noexcept { x_message_max = message_max; }
  /// Bytes held beside the object itself.
  size_t memory() const noexcept;

private:
  std::optional<frame_fault> take_header(std::string_view& bytes);
  std::optional<frame_fault> judge_start() const noexcept;
  std::optional<frame_fault> judge_length(uint64_t length) noexcept;
  size_t header_size() const noexcept;
  /// Unmasks from the front of `bytes` as much of this frame as there is room
  /// for.
  size_t unmask(std::string_view& bytes, std::span<char> to) noexcept;
  outcome end_control();
  unsigned opcode() const noexcept { return x_header[0] & 0x0fU; }
  bool is_control() const noexcept { return (opcode() & 0x8U) != 0; }
  bool is_final() const noexcept { return (x_header[0] & 0x80U) != 0; }

  size_t x_message_max;
  /// Of the message that has begun, payloads that have begun included.
  size_t x_message_bytes = 0;
  /// Of the payload, still to come.
  uint64_t x_left = 0;
  std::string x_control;
  std::array<unsigned char, 14> x_header{};
  uint8_t x_header_bytes = 0;
  uint8_t x_mask_at = 0;
  bool x_in_payload = false;
  bool x_in_message = false;
  /// Is told once what came before it was.
  std::optional<frame_fault> x_fault;
  bool x_over = false;
};

/// The start of a whole text message of so many bytes, from a server.
void append_text_start(std::string& out, size_t bytes);
void append_pong(std::string& out, std::string_view payload);
void append_close(std::string& out, close_code code);

} // namespace parley::xmpp
