#include "protocol/client/hot_frames.hpp"

#include "protocol/parley.pb.h"

#include "protocol/client/request_queue.hpp"
#include "protocol/defaults.hpp"
#include "protocol/framing.hpp"
#include "protocol/wire_format.hpp"

namespace parley {

using namespace native::wire_format;

namespace {

constexpr uint32_t number_tag(int field) {
  return tag(field, varint_type);
}
constexpr uint32_t block_tag(int field) {
  return tag(field, bytes_type);
}

/// Bytes of the greatest request number with its tag.
constexpr size_t request_size_max = 11;

/// Nothing for a rejection, which carries more than its kind.
std::optional<hot_frame::kind> outcome_kind(std::string_view content) {
  if (content.empty())
    return hot_frame::kind::delivered;
  reader in(content);
  if (in.next() != number_tag(wire::Outcome::kKindFieldNumber))
    return std::nullopt;
  auto kind = in.varint();
  if (in.next() != 0 || !in.ok() || kind != wire::Outcome::STORED)
    return std::nullopt;
  return hot_frame::kind::stored;
}

bool decode_payload(std::string_view content, payload_view& to) {
  reader in(content);
  while (auto tag = in.next()) {
    if (tag == block_tag(wire::Payload::kTypeFieldNumber))
      to.type = in.bytes();
    else if (tag == block_tag(wire::Payload::kDataFieldNumber))
      to.data = in.bytes();
    else
      return false;
  }
  return in.ok();
}

} // namespace

std::optional<hot_frame> peel(std::string_view frame) noexcept {
  using fields = wire::ServerFrame;
  hot_frame x;
  bool found = false;
  reader in(frame);
  while (auto tag = in.next()) {
    if (tag == number_tag(fields::kEventFieldNumber)) {
      x.event.value = in.varint();
    } else if (tag == number_tag(fields::kRequestFieldNumber)) {
      x.request.value = in.varint();
    } else if (tag == block_tag(fields::kImFieldNumber) && !found) {
      x.what = hot_frame::kind::im;
      x.content = in.bytes();
      found = true;
    } else if (tag == block_tag(fields::kOutcomeFieldNumber) && !found) {
      auto kind = outcome_kind(in.bytes());
      if (!kind)
        return std::nullopt;
      x.what = *kind;
      found = true;
    } else {
      return std::nullopt;
    }
  }
  return found && in.ok() ? std::optional{x} : std::nullopt;
}

bool decode_im(std::string_view content, received_im& to,
  std::vector<payload_view>& payloads) {
  using fields = wire::Im;
  payloads.clear();
  reader in(content);
  while (auto tag = in.next()) {
    if (tag == block_tag(fields::kFromFieldNumber)) {
      to.from = in.bytes();
    } else if (tag == block_tag(fields::kToFieldNumber)) {
      to.to = in.bytes();
    } else if (tag == block_tag(fields::kIdFieldNumber)) {
      to.id = in.bytes();
    } else if (tag == block_tag(fields::kBodyFieldNumber)) {
      to.body = in.bytes();
    } else if (tag == block_tag(fields::kPayloadsFieldNumber)) {
      if (!decode_payload(in.bytes(), payloads.emplace_back()))
        return false;
    } else if (tag == number_tag(fields::kSentAtMsFieldNumber)) {
      to.sent_at =
        wall_time{std::chrono::milliseconds{static_cast<int64_t>(in.varint())}};
    } else if (tag == number_tag(fields::kOfflineFieldNumber)) {
      to.offline = in.varint() != 0;
    } else {
      return false;
    }
  }
  to.payloads = payloads;
  return in.ok();
}

result<pending_request> make_send(const outgoing_im& message, request_tag tag) {
  using fields = wire::SendIm;
  auto payload_size = [](const payload_view& x) {
    return text_size(wire::Payload::kTypeFieldNumber, x.type.size())
      + text_size(wire::Payload::kDataFieldNumber, x.data.size());
  };
  auto size = block_size(fields::kIdFieldNumber, message.id.size())
    + block_size(fields::kToFieldNumber, message.to.size())
    + text_size(fields::kBodyFieldNumber, message.body.size())
    + number_size(fields::kReceiptsFieldNumber, message.receipts);
  auto bytes = message.body.size();
  for (auto& x : message.payloads) {
    size += block_size(fields::kPayloadsFieldNumber, payload_size(x));
    bytes += x.data.size();
  }
  auto frame_size =
    request_size_max + block_size(wire::ClientFrame::kSendFieldNumber, size);
  if (frame_size > defaults::frame_max) {
    failure why{errc::too_large, "the IM does not fit into a frame"};
    why.limit = defaults::frame_max;
    why.value = frame_size;
    return tl::unexpected{std::move(why)};
  }
  pending_request x;
  x.tag = tag;
  x.bytes = static_cast<uint32_t>(bytes);
  x.id_size = static_cast<uint32_t>(message.id.size());
  x.to_size = static_cast<uint32_t>(message.to.size());
  x.encoded.resize(size);
  writer out(x.encoded.data());
  // Always there, also if empty: `id` and `to` look for them.
  out.block(fields::kIdFieldNumber, message.id.size());
  out.raw(message.id);
  out.block(fields::kToFieldNumber, message.to.size());
  out.raw(message.to);
  out.text(fields::kBodyFieldNumber, message.body);
  for (auto& p : message.payloads) {
    out.block(fields::kPayloadsFieldNumber, payload_size(p));
    out.text(wire::Payload::kTypeFieldNumber, p.type);
    out.text(wire::Payload::kDataFieldNumber, p.data);
  }
  out.number(fields::kReceiptsFieldNumber, message.receipts);
  return x;
}

void append_send(
  std::string& out, request_number number, const pending_request& x) {
  using fields = wire::ClientFrame;
  auto size = number_size(fields::kRequestFieldNumber, number.value)
    + block_size(fields::kSendFieldNumber, x.encoded.size());
  native::append_length(out, size);
  auto at = out.size();
  out.resize(at + size);
  writer to(out.data() + at);
  to.number(fields::kRequestFieldNumber, number.value);
  to.block(fields::kSendFieldNumber, x.encoded.size());
  to.raw(x.encoded);
}

std::string_view pending_request::id() const noexcept {
  auto at = 1 + varint_size(id_size);
  return std::string_view{encoded}.substr(at, id_size);
}

std::string_view pending_request::to() const noexcept {
  auto at = block_size(wire::SendIm::kIdFieldNumber, id_size) + 1
    + varint_size(to_size);
  return std::string_view{encoded}.substr(at, to_size);
}

} // namespace parley
