#include "protocol/xmpp/websocket_frames.hpp"

#include <algorithm>
#include <utility>

#include "protocol/unicode.hpp"

namespace parley::xmpp {

namespace {

// RFC 6455, 5.2.
constexpr unsigned continuation = 0x0;
constexpr unsigned text_message = 0x1;
constexpr unsigned binary_message = 0x2;
constexpr unsigned close_frame = 0x8;
constexpr unsigned ping_frame = 0x9;
constexpr unsigned pong_frame = 0xa;
constexpr unsigned final_bit = 0x80;
constexpr unsigned reserved_bits = 0x70;
constexpr unsigned mask_bit = 0x80;
constexpr unsigned length_bits = 0x7f;

/// In place of a length: it follows, in two bytes or in eight.
constexpr unsigned two_bytes = 126;
constexpr unsigned eight_bytes = 127;
constexpr size_t small_max = 125;
constexpr size_t two_bytes_max = 0xffff;
constexpr size_t mask_size = 4;

/// What a peer may say in a close frame (7.4).
bool is_close_code(unsigned code) noexcept {
  constexpr unsigned first_registered = 3000;
  constexpr unsigned last = 4999;
  const bool is_known =
    (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
  return is_known || (code >= first_registered && code <= last);
}

void append_big_endian(std::string& out, uint64_t n, size_t bytes) {
  for (size_t i = bytes; i-- > 0;)
    out += static_cast<char>(n >> (8 * i) & 0xff);
}

void append_start(std::string& out, unsigned opcode, size_t bytes) {
  out += static_cast<char>(final_bit | opcode);
  if (bytes <= small_max) {
    out += static_cast<char>(bytes);
  } else if (bytes <= two_bytes_max) {
    out += static_cast<char>(two_bytes);
    append_big_endian(out, bytes, 2);
  } else {
    out += static_cast<char>(eight_bytes);
    append_big_endian(out, bytes, 8);
  }
}

} // namespace

size_t frame_reader::header_size() const noexcept {
  constexpr size_t start = 2;
  if (x_header_bytes < start)
    return start;
  const auto length = x_header[1] & length_bits;
  return start + mask_size
    + (length == two_bytes      ? 2
        : length == eight_bytes ? 8
                                : 0);
}

std::optional<frame_fault> frame_reader::judge_start() const noexcept {
  const auto broken = [](std::string_view text) {
    return frame_fault{close_code::protocol_error, text};
  };
  if ((x_header[0] & reserved_bits) != 0)
    return broken("no extension was agreed on");
  const auto what = opcode();
  if (is_control()) {
    if (what > pong_frame)
      return broken("there is no such frame");
    if (!is_final() || (x_header[1] & length_bits) > small_max)
      return broken("a control frame is whole, and short");
  } else if (what == binary_message) {
    return frame_fault{close_code::unsupported_data, "XMPP is text"};
  } else if (what > binary_message) {
    return broken("there is no such frame");
  } else if ((what == continuation) != x_in_message) {
    return broken(
      x_in_message ? "a message has not ended" : "no message has begun");
  }
  if ((x_header[1] & mask_bit) == 0)
    return broken("what a client sends is masked");
  return std::nullopt;
}

std::optional<frame_fault> frame_reader::judge_length(
  uint64_t length) noexcept {
  const auto form = x_header[1] & length_bits;
  if ((form == two_bytes && length <= small_max)
    || (form == eight_bytes && length <= two_bytes_max))
    return frame_fault{
      close_code::protocol_error, "a length is as short as it can be"};
  if (is_control())
    return std::nullopt;
  if (length > x_message_max - std::min(x_message_bytes, x_message_max))
    return frame_fault{close_code::too_big, "a message is too long"};
  x_message_bytes += length;
  x_in_message = true;
  return std::nullopt;
}

/// A frame begins once its header is whole.
std::optional<frame_fault> frame_reader::take_header(std::string_view& bytes) {
  constexpr size_t start = 2;
  while (x_header_bytes < header_size()) {
    if (bytes.empty())
      return std::nullopt;
    x_header[x_header_bytes++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (x_header_bytes == start)
      if (auto fault = judge_start())
        return fault;
  }
  uint64_t length = x_header[1] & length_bits;
  if (const auto more = header_size() - start - mask_size; more > 0) {
    length = 0;
    for (size_t i = 0; i < more; ++i)
      length = length << 8 | x_header[start + i];
  }
  x_left = length;
  x_mask_at = 0;
  x_in_payload = true;
  return judge_length(length);
}

size_t frame_reader::unmask(
  std::string_view& bytes, std::span<char> to) noexcept {
  const auto n =
    std::min({static_cast<uint64_t>(bytes.size()), x_left, to.size()});
  const auto* mask = x_header.data() + header_size() - mask_size;
  for (size_t i = 0; i < n; ++i)
    to[i] = static_cast<char>(
      static_cast<unsigned char>(bytes[i]) ^ mask[(x_mask_at + i) % mask_size]);
  x_mask_at = static_cast<uint8_t>((x_mask_at + n) % mask_size);
  bytes.remove_prefix(n);
  x_left -= n;
  return n;
}

frame_reader::outcome frame_reader::end_control() {
  auto payload = std::exchange(x_control, {});
  switch (opcode()) {
  case ping_frame:
    return ping{std::move(payload)};
  case close_frame: {
    x_over = true;
    if (payload.empty())
      return close{};
    const auto octet = [&](size_t i) {
      return static_cast<unsigned char>(payload[i]);
    };
    if (payload.size() == 1 || !is_close_code(octet(0) << 8 | octet(1)))
      return close{close_code::protocol_error};
    const bool is_text = is_utf8(std::string_view{payload}.substr(2));
    return close{is_text ? close_code::normal : close_code::invalid_data};
  }
  default:
    return std::nullopt;
  }
}

frame_reader::outcome frame_reader::next(
  std::string_view& bytes, std::span<char> scratch) {
  // Of small fragments as much as there is goes on at once.
  size_t filled = 0;
  const auto piece = [&](bool ends) {
    return text{std::string_view{scratch.data(), filled}, ends};
  };
  while (!x_over) {
    if (!x_in_payload && !x_fault)
      x_fault = take_header(bytes);
    if (filled > 0 && (x_fault || (x_in_payload && is_control())))
      return piece(false);
    if (x_fault) {
      x_over = true;
      return tl::unexpected{*x_fault};
    }
    if (!x_in_payload || (x_left > 0 && bytes.empty())) {
      if (filled > 0)
        return piece(false);
      return std::nullopt;
    }
    const auto n = unmask(bytes, scratch.subspan(filled));
    x_in_payload = x_left > 0;
    if (!x_in_payload)
      x_header_bytes = 0;
    if (is_control()) {
      x_control += std::string_view{scratch.data(), n};
      if (x_in_payload)
        continue;
      auto found = end_control();
      if (*found)
        return found;
      continue;
    }
    filled += n;
    const bool ends = !x_in_payload && is_final();
    if (ends) {
      x_in_message = false;
      x_message_bytes = 0;
    }
    if (ends || filled == scratch.size())
      return piece(ends);
  }
  bytes = {};
  return std::nullopt;
}

size_t frame_reader::memory() const noexcept {
  return x_control.capacity() > std::string{}.capacity() ? x_control.capacity()
                                                         : 0;
}

void append_text_start(std::string& out, size_t bytes) {
  append_start(out, text_message, bytes);
}

void append_pong(std::string& out, std::string_view payload) {
  append_start(out, pong_frame, payload.size());
  out += payload;
}

void append_close(std::string& out, close_code code) {
  append_start(out, close_frame, 2);
  append_big_endian(out, static_cast<uint64_t>(code), 2);
}

} // namespace parley::xmpp
