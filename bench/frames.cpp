#include "bench/frames.hpp"

#include "protocol/parley.pb.h"

namespace parley::bench {

namespace {

// Protobuf's wire types (encoding, "Message structure").
constexpr uint32_t varint_type = 0;
constexpr uint32_t fixed64_type = 1;
constexpr uint32_t bytes_type = 2;
constexpr uint32_t fixed32_type = 5;

struct field {
  uint32_t number = 0;
  uint64_t value = 0;
  std::string_view bytes;
};

/// Walks over the fields of one message.
class reader {
public:
  explicit reader(std::string_view bytes) noexcept : x_rest(bytes) {}

  bool done() const noexcept { return x_rest.empty(); }

  bool next(field& out) noexcept {
    uint64_t tag = 0;
    if (!varint(tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
      return false;
    out.number = static_cast<uint32_t>(tag >> 3);
    out.value = 0;
    out.bytes = {};
    switch (tag & 7) {
    case varint_type:
      return varint(out.value);
    case bytes_type:
      return varint(out.value) && take(out.value, out.bytes);
    case fixed64_type:
      return take(8, out.bytes);
    case fixed32_type:
      return take(4, out.bytes);
    default:
      return false;
    }
  }

private:
  bool varint(uint64_t& out) noexcept {
    out = 0;
    for (int shift = 0; shift < 64 && !x_rest.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(x_rest.front());
      x_rest.remove_prefix(1);
      out |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80)
        return true;
    }
    return false;
  }

  bool take(uint64_t size, std::string_view& out) noexcept {
    if (size > x_rest.size())
      return false;
    out = x_rest.substr(0, size);
    x_rest.remove_prefix(size);
    return true;
  }

  std::string_view x_rest;
};

size_t varint_size(uint64_t value) noexcept {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7)
    ++size;
  return size;
}

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_tag(std::string& out, int number, uint32_t type) {
  put_varint(out, static_cast<uint64_t>(number) << 3 | type);
}

size_t tag_size(int number) noexcept {
  return varint_size(static_cast<uint64_t>(number) << 3);
}

// As proto3 does: what has its default value is left out.
size_t number_size(int number, uint64_t value) noexcept {
  return value == 0 ? 0 : tag_size(number) + varint_size(value);
}

void put_number(std::string& out, int number, uint64_t value) {
  if (value == 0)
    return;
  put_tag(out, number, varint_type);
  put_varint(out, value);
}

size_t bytes_size(int number, size_t size) noexcept {
  return tag_size(number) + varint_size(size) + size;
}

void put_bytes(std::string& out, int number, std::string_view bytes,
  std::string_view more = {}) {
  put_tag(out, number, bytes_type);
  put_varint(out, bytes.size() + more.size());
  out += bytes;
  out += more;
}

void put_length(std::string& out, size_t length) {
  char bytes[length_size];
  write_length(bytes, length);
  out.append(bytes, length_size);
}

} // namespace

bool read_frame(std::string_view bytes, frame_view& out) noexcept {
  using frame = wire::ServerFrame;
  out = {};
  reader in{bytes};
  for (field f; !in.done();) {
    if (!in.next(f))
      return false;
    if (f.number == frame::kEventFieldNumber) {
      out.event = f.value;
    } else if (f.number == frame::kRequestFieldNumber) {
      out.request = f.value;
    } else {
      out.kind = f.number;
      out.content = f.bytes;
    }
  }
  return true;
}

bool read_im(std::string_view content, im_view& out) noexcept {
  using message = wire::Im;
  out = {};
  reader in{content};
  for (field f; !in.done();) {
    if (!in.next(f))
      return false;
    switch (f.number) {
    case message::kFromFieldNumber:
      out.from = f.bytes;
      break;
    case message::kToFieldNumber:
      out.to = f.bytes;
      break;
    case message::kIdFieldNumber:
      out.id = f.bytes;
      break;
    case message::kBodyFieldNumber:
      out.body = f.bytes;
      break;
    case message::kSentAtMsFieldNumber:
      out.sent_at_ms = static_cast<int64_t>(f.value);
      break;
    case message::kOfflineFieldNumber:
      out.offline = f.value != 0;
      break;
    default:
      break;
    }
  }
  return true;
}

bool read_outcome(std::string_view content, outcome_view& out) noexcept {
  using message = wire::Outcome;
  out = {};
  reader in{content};
  for (field f; !in.done();) {
    if (!in.next(f))
      return false;
    if (f.number == message::kKindFieldNumber)
      out.kind = static_cast<uint32_t>(f.value);
    else if (f.number == message::kErrorFieldNumber)
      out.error = f.bytes;
  }
  return true;
}

bool read_presence(std::string_view content, presence_view& out) noexcept {
  using message = wire::Presence;
  out = {};
  reader in{content};
  for (field f; !in.done();) {
    if (!in.next(f))
      return false;
    const auto value = static_cast<uint32_t>(f.value);
    switch (f.number) {
    case message::kFromFieldNumber:
      out.from = f.bytes;
      break;
    case message::kShowFieldNumber:
      out.show = value;
      break;
    case message::kStatusFieldNumber:
      out.status = f.bytes;
      break;
    case message::kPriorityFieldNumber:
      // Zigzag.
      out.priority = static_cast<int32_t>(value >> 1 ^ (~(value & 1) + 1));
      break;
    case message::kComposedFieldNumber:
      out.composed = value;
      break;
    case message::kComposedStatusFieldNumber:
      out.composed_status = f.bytes;
      break;
    default:
      break;
    }
  }
  return true;
}

void write_set_presence(
  std::string& out, uint64_t request, const presence_view& what) {
  using frame = wire::ClientFrame;
  using message = wire::SetPresence;
  const size_t inner = number_size(message::kShowFieldNumber, what.show)
    + bytes_size(message::kStatusFieldNumber, what.status.size());
  put_length(out,
    number_size(frame::kRequestFieldNumber, request)
      + bytes_size(frame::kPresenceFieldNumber, inner));
  put_number(out, frame::kRequestFieldNumber, request);
  put_tag(out, frame::kPresenceFieldNumber, bytes_type);
  put_varint(out, inner);
  put_number(out, message::kShowFieldNumber, what.show);
  put_bytes(out, message::kStatusFieldNumber, what.status);
}

void write_presence(std::string& out, const presence_view& what) {
  using frame = wire::ServerFrame;
  using message = wire::Presence;
  const size_t inner = bytes_size(message::kFromFieldNumber, what.from.size())
    + number_size(message::kShowFieldNumber, what.show)
    + bytes_size(message::kStatusFieldNumber, what.status.size())
    + number_size(message::kComposedFieldNumber, what.composed)
    + bytes_size(
      message::kComposedStatusFieldNumber, what.composed_status.size());
  put_length(out, bytes_size(frame::kPresenceFieldNumber, inner));
  put_tag(out, frame::kPresenceFieldNumber, bytes_type);
  put_varint(out, inner);
  put_bytes(out, message::kFromFieldNumber, what.from);
  put_number(out, message::kShowFieldNumber, what.show);
  put_bytes(out, message::kStatusFieldNumber, what.status);
  put_number(out, message::kComposedFieldNumber, what.composed);
  put_bytes(out, message::kComposedStatusFieldNumber, what.composed_status);
}

void write_send(std::string& out, uint64_t request, const outgoing_im& im) {
  using frame = wire::ClientFrame;
  using message = wire::SendIm;
  const size_t body = im.head.size() + im.text.size();
  const size_t inner = bytes_size(message::kIdFieldNumber, im.id.size())
    + bytes_size(message::kToFieldNumber, im.to.size())
    + bytes_size(message::kBodyFieldNumber, body);
  put_length(out,
    number_size(frame::kRequestFieldNumber, request)
      + bytes_size(frame::kSendFieldNumber, inner));
  put_number(out, frame::kRequestFieldNumber, request);
  put_tag(out, frame::kSendFieldNumber, bytes_type);
  put_varint(out, inner);
  put_bytes(out, message::kIdFieldNumber, im.id);
  put_bytes(out, message::kToFieldNumber, im.to);
  put_bytes(out, message::kBodyFieldNumber, im.head, im.text);
}

void write_ack(std::string& out, uint64_t event) {
  using frame = wire::ClientFrame;
  using message = wire::Ack;
  const size_t inner = number_size(message::kEventFieldNumber, event);
  put_length(out, bytes_size(frame::kAckFieldNumber, inner));
  put_tag(out, frame::kAckFieldNumber, bytes_type);
  put_varint(out, inner);
  put_number(out, message::kEventFieldNumber, event);
}

void write_im_event(std::string& out, uint64_t event, std::string_view from,
  int64_t sent_at_ms, const outgoing_im& im) {
  using frame = wire::ServerFrame;
  using message = wire::Im;
  const auto sent_at = static_cast<uint64_t>(sent_at_ms);
  const size_t body = im.head.size() + im.text.size();
  const size_t inner = bytes_size(message::kFromFieldNumber, from.size())
    + bytes_size(message::kToFieldNumber, im.to.size())
    + bytes_size(message::kIdFieldNumber, im.id.size())
    + bytes_size(message::kBodyFieldNumber, body)
    + number_size(message::kSentAtMsFieldNumber, sent_at);
  put_length(out,
    number_size(frame::kEventFieldNumber, event)
      + bytes_size(frame::kImFieldNumber, inner));
  put_number(out, frame::kEventFieldNumber, event);
  put_tag(out, frame::kImFieldNumber, bytes_type);
  put_varint(out, inner);
  put_bytes(out, message::kFromFieldNumber, from);
  put_bytes(out, message::kToFieldNumber, im.to);
  put_bytes(out, message::kIdFieldNumber, im.id);
  put_bytes(out, message::kBodyFieldNumber, im.head, im.text);
  put_number(out, message::kSentAtMsFieldNumber, sent_at);
}

void write_delivered(std::string& out, uint64_t event, uint64_t request) {
  using frame = wire::ServerFrame;
  put_length(out,
    number_size(frame::kEventFieldNumber, event)
      + number_size(frame::kRequestFieldNumber, request)
      + bytes_size(frame::kOutcomeFieldNumber, 0));
  put_number(out, frame::kEventFieldNumber, event);
  put_number(out, frame::kRequestFieldNumber, request);
  put_bytes(out, frame::kOutcomeFieldNumber, {});
}

void write_length(char* out, size_t length) noexcept {
  for (size_t i = 0; i < length_size; ++i)
    out[i] = static_cast<char>(length >> (8 * (length_size - 1 - i)));
}

size_t read_length(const char* in) noexcept {
  size_t length = 0;
  for (size_t i = 0; i < length_size; ++i)
    length = length << 8 | static_cast<unsigned char>(in[i]);
  return length;
}

} // namespace parley::bench
