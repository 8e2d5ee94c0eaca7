#include "protocol/framing.hpp"

#include <google/protobuf/message_lite.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace parley::native {

namespace {

struct other_protocol {
  std::string_view begin;
  std::string_view name;
};

constexpr std::array other_protocols{other_protocol{"GET ", "HTTP"},
  other_protocol{"POST", "HTTP"}, other_protocol{"HEAD", "HTTP"},
  other_protocol{"PUT ", "HTTP"}, other_protocol{"OPTI", "HTTP or SIP"},
  other_protocol{"CONN", "HTTP"}, other_protocol{"PRI ", "HTTP/2"},
  other_protocol{"HTTP", "HTTP"}, other_protocol{"\x16\x03", "TLS"},
  other_protocol{"<?xm", "XMPP"}, other_protocol{"<str", "XMPP"},
  other_protocol{"REGI", "SIP"}, other_protocol{"INVI", "SIP"},
  other_protocol{"SIP/", "SIP"}, other_protocol{"SSH-", "SSH"}};

/// Empty if it looks like nothing known.
std::string_view guess_protocol(std::string_view first) {
  for (auto& x : other_protocols)
    if (first.starts_with(x.begin))
      return x.name;
  return {};
}

/// What long frames are put together in: touching fresh memory for each would
/// cost more than its bytes do.
std::string& spare() {
  static thread_local std::string bytes;
  return bytes;
}

uint32_t read_length(std::string_view bytes) {
  uint32_t x = 0;
  for (size_t i = 0; i < length_bytes; ++i)
    x = x << 8 | static_cast<uint8_t>(bytes[i]);
  return x;
}

} // namespace

result<bool> match_magic(std::string_view first) {
  auto n = std::min(first.size(), magic.size());
  if (first.substr(0, n) == magic.substr(0, n))
    return n == magic.size();
  std::string text = "expected \"PARLEY\" and the bytes 01 0a first";
  if (auto name = guess_protocol(first); !name.empty())
    text.append("; the peer seems to speak ").append(name);
  return fail(errc::bad_magic, std::move(text));
}

void frame_reader::feed(std::string_view bytes) noexcept {
  x_input = bytes;
}

result<std::optional<std::string_view>> frame_reader::next() {
  drop_done();
  // The bytes of the frame's length, wherever they lie.
  if (x_pieces.empty()) {
    if (x_input.size() < length_bytes) {
      keep(x_input.size());
      return std::nullopt;
    }
  } else if (x_kept < length_bytes) {
    keep(std::min(length_bytes - x_kept, x_input.size()));
    if (x_kept < length_bytes)
      return std::nullopt;
  }
  const size_t size = read_length(x_pieces.empty() ? x_input : x_pieces[0]);
  if (size > x_max) {
    // The length stays, so that every further call fails like this one.
    if (x_pieces.empty())
      keep(length_bytes);
    x_input = {};
    failure why{errc::frame_too_large};
    why.limit = x_max;
    why.value = size;
    return tl::unexpected{std::move(why)};
  }
  const auto whole = length_bytes + size;
  if (x_pieces.empty() && x_input.size() >= whole) {
    auto frame = x_input.substr(length_bytes, size);
    x_input.remove_prefix(whole);
    return frame;
  }
  keep(std::min(whole - x_kept, x_input.size()));
  if (x_kept < whole)
    return std::nullopt;
  return together().substr(length_bytes);
}

void frame_reader::keep(size_t n) {
  auto bytes = x_input.substr(0, n);
  x_input.remove_prefix(n);
  x_kept += n;
  while (!bytes.empty()) {
    if (x_pieces.empty() || x_pieces.back().size() == piece_bytes) {
      x_pieces.emplace_back();
      if (x_pieces.size() > 1)
        x_pieces.back().reserve(piece_bytes);
    }
    auto& last = x_pieces.back();
    const auto part = bytes.substr(0, piece_bytes - last.size());
    last.append(part);
    bytes.remove_prefix(part.size());
  }
}

std::string_view frame_reader::together() {
  if (x_pieces.size() > 1) {
    // Taken out while it is in use: its owner may come to other readers.
    auto all = std::exchange(spare(), {});
    all.clear();
    for (const auto& x : x_pieces)
      all.append(x);
    x_pieces.clear();
    x_pieces.push_back(std::move(all));
  }
  x_done = true;
  return x_pieces.front();
}

void frame_reader::drop_done() {
  if (!std::exchange(x_done, false))
    return;
  if (x_kept > piece_bytes)
    spare() = std::move(x_pieces.front());
  // Not clear(): an idle connection is to hold no memory.
  std::vector<std::string>{}.swap(x_pieces);
  x_kept = 0;
}

size_t frame_reader::memory() const noexcept {
  size_t bytes = x_pieces.capacity() * sizeof(std::string);
  for (const auto& x : x_pieces)
    bytes += x.capacity();
  return bytes;
}

void append_length(std::string& out, size_t size) {
  char bytes[length_bytes];
  for (size_t i = 0; i < length_bytes; ++i)
    bytes[i] = static_cast<char>(size >> 8 * (length_bytes - 1 - i));
  out.append(bytes, length_bytes);
}

void append_frame(
  std::string& out, const google::protobuf::MessageLite& message) {
  append_length(out, message.ByteSizeLong());
  message.AppendToString(&out);
}

} // namespace parley::native
