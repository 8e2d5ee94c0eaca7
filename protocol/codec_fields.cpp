#include "protocol/codec_fields.hpp"

#include "protocol/defaults.hpp"
#include "protocol/unicode.hpp"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <limits>

namespace parley::native {

namespace {

/// Protobuf would write a line to standard error for every text of a peer that
/// is not UTF-8. The peer is told; who operates the server is not to be
/// flooded.
[[maybe_unused]] const auto previous_log_handler =
  google::protobuf::SetLogHandler(nullptr);

} // namespace

failure over_limit(
  errc code, std::string_view what, uint64_t limit, uint64_t value) {
  failure why{code};
  why.text.append(what).append(": ").append(std::to_string(value));
  why.text.append(", allowed are ").append(std::to_string(limit));
  why.limit = limit;
  why.value = value;
  return why;
}

size_t content_size(const im& message) noexcept {
  auto n = message.id.value.size() + message.body.size();
  for (auto& x : message.payloads)
    n += x.type.size() + x.data.size();
  return n;
}

/// Parley's own payload: what its reader has seen.
constexpr std::string_view read_payload = "read";

std::optional<failure> content_fault(const im& message) {
  using namespace defaults;
  auto& id = message.id.value;
  if (id.empty())
    return failure{errc::bad_request, "an IM needs an id"};
  if (id.size() > message_id_max)
    return over_limit(
      errc::bad_request, "bytes of an IM's id", message_id_max, id.size());
  if (message.body.empty() && message.payloads.empty())
    return failure{errc::bad_request, "an IM needs a body or a payload"};
  if (message.payloads.size() > payloads_max)
    return over_limit(errc::bad_request, "payloads of an IM", payloads_max,
      message.payloads.size());
  for (auto& x : message.payloads) {
    if (x.type.empty())
      return failure{errc::bad_request, "a payload needs a type"};
    // Goes out to others as it is: only who has read it as XML may make it.
    if (x.type.starts_with(reserved_payload))
      return failure{errc::bad_request,
        "types of payloads that begin with 'xmpp' are the server's"};
    // Others are shown it as a name.
    if (x.type == read_payload
      && (x.data.size() > message_id_max || !is_utf8(x.data)))
      return failure{
        errc::bad_request, "what was read is named by the id of an IM"};
    if (x.type.size() > payload_type_max)
      return over_limit(errc::bad_request, "bytes of a payload's type",
        payload_type_max, x.type.size());
  }
  if (auto n = content_size(message); n > im_content_max)
    return over_limit(errc::too_large,
      "bytes of id, body and payloads in a frame", im_content_max, n);
  return std::nullopt;
}

std::string_view bounded_name(std::string_view text) noexcept {
  return first_bytes(text, defaults::contact_name_max + 1);
}

address prepared_address(std::string_view text) {
  address x;
  auto slash = text.find('/');
  x.user = user_address::from_prepared(std::string{text.substr(0, slash)});
  if (slash != text.npos)
    x.endpoint =
      endpoint_name::from_prepared(std::string{text.substr(slash + 1)});
  return x;
}

std::optional<failure> availability_fault(const wire::SetPresence& x) {
  if (x.status().size() > defaults::status_max)
    return over_limit(errc::bad_request, "bytes of a status",
      defaults::status_max, x.status().size());
  if (!wire::Show_IsValid(x.show()))
    return failure{errc::bad_request, "this show does not exist"};
  if (x.show() == wire::UNKNOWN)
    return failure{errc::bad_request, "nobody can show unknown"};
  using limits = std::numeric_limits<int8_t>;
  if (x.priority() < limits::min() || x.priority() > limits::max())
    return failure{
      errc::bad_request, "a priority is a number from -128 to 127"};
  return std::nullopt;
}

availability from_wire(const wire::SetPresence& x) {
  return {
    static_cast<show>(x.show()), x.status(), static_cast<int8_t>(x.priority())};
}

window from_wire(const wire::Window& x) {
  return {x.messages(), x.bytes()};
}

failure from_wire(const wire::Error& x) {
  failure y{errc_from_string(x.reason()), x.text()};
  if (y.code == errc::none && !x.reason().empty())
    y.text = x.text().empty() ? x.reason() : x.reason() + ": " + x.text();
  if (x.has_limit())
    y.limit = x.limit();
  if (x.has_value())
    y.value = x.value();
  if (x.has_retry_after_ms()) {
    using ms = std::chrono::milliseconds;
    constexpr auto most = static_cast<uint64_t>(ms::max().count());
    y.retry_after =
      ms{static_cast<ms::rep>(std::min(x.retry_after_ms(), most))};
  }
  return y;
}

std::vector<payload> take_payloads(
  google::protobuf::RepeatedPtrField<wire::Payload>& from) {
  std::vector<payload> to;
  to.reserve(static_cast<size_t>(from.size()));
  for (auto& x : from)
    to.push_back({std::move(*x.mutable_type()), std::move(*x.mutable_data())});
  return to;
}

void to_wire(const availability& x, wire::SetPresence& y) {
  y.set_show(static_cast<wire::Show>(x.show));
  y.set_status(x.status);
  y.set_priority(x.priority);
}

void to_wire(const window& x, wire::Window& y) {
  y.set_messages(x.messages);
  y.set_bytes(x.bytes);
}

void to_wire(error_scope scope, const failure& x, wire::Error& y) {
  y.set_scope(static_cast<wire::Scope>(scope));
  // Code none is a reason that is not known here: its text says it.
  if (x.code != errc::none) {
    auto reason = to_string(x.code);
    y.set_reason(reason.data(), reason.size());
  }
  y.set_text(x.text);
  if (x.limit)
    y.set_limit(*x.limit);
  if (x.value)
    y.set_value(*x.value);
  if (x.retry_after)
    y.set_retry_after_ms(
      static_cast<uint64_t>(std::max<int64_t>(0, x.retry_after->count())));
}

void to_wire(const std::vector<payload>& x,
  google::protobuf::RepeatedPtrField<wire::Payload>& y) {
  for (auto& one : x) {
    auto& z = *y.Add();
    z.set_type(one.type);
    z.set_data(one.data);
  }
}

void address_text::write(
  uint32_t field, wire_format::writer& to) const noexcept {
  if (size() == 0)
    return;
  to.block(field, size());
  to.raw(user);
  if (!endpoint.empty()) {
    to.byte('/');
    to.raw(endpoint);
  }
}

namespace {

// Numbers of the fields of Payload.
constexpr uint32_t type_field = wire::Payload::kTypeFieldNumber;
constexpr uint32_t data_field = wire::Payload::kDataFieldNumber;

size_t size_of(const payload& x) noexcept {
  return wire_format::text_size(type_field, x.type.size())
    + wire_format::text_size(data_field, x.data.size());
}

} // namespace

size_t payloads_size(
  uint32_t field, const std::vector<payload>& payloads) noexcept {
  size_t n = 0;
  for (auto& x : payloads)
    n += wire_format::block_size(field, size_of(x));
  return n;
}

void write_payloads(uint32_t field, const std::vector<payload>& payloads,
  wire_format::writer& to) noexcept {
  for (auto& x : payloads) {
    to.block(field, size_of(x));
    to.text(type_field, x.type);
    to.text(data_field, x.data);
  }
}

} // namespace parley::native
