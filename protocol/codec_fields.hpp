#pragma once

#include "protocol/defaults.hpp"
#include "protocol/errors.hpp"
#include "protocol/parley.pb.h"
#include "protocol/vocabulary.hpp"
#include "protocol/wire_format.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// What the two halves of the codec share: the messages that occur in frames
/// of both directions, and the bytes of IMs.
namespace parley::native {

/// `what` is over its limit: `id is 129 bytes long, 128 are allowed`.
failure over_limit(
  errc code, std::string_view what, uint64_t limit, uint64_t value);

/// Bytes of id, body and payloads, as `im_content_max` counts them.
size_t content_size(const im& message) noexcept;

/// What is wrong with an IM that came in or is to go out, if anything: no id,
/// an id or a payload's type too long, too many payloads, no content, too
/// large for a frame.
std::optional<failure> content_fault(const im& message);

/// A contact's or a group's name, cut where it is seen to be too long.
std::string_view bounded_name(std::string_view text) noexcept;

/// Bounded, without those that came before, in their order; cut off once there
/// are more than a contact may have.
template <class Texts>
std::vector<std::string> distinct_groups(const Texts& groups) {
  std::vector<std::string> x;
  for (auto& one : groups) {
    const auto name = bounded_name(one);
    if (std::find(x.begin(), x.end(), name) == x.end()) {
      x.emplace_back(name);
      if (x.size() > defaults::contact_groups_max)
        break;
    }
  }
  return x;
}

/// Of a text that the server prepared.
address prepared_address(std::string_view text);

/// An answer, or, to request 0, what is told without having been asked for.
template <class T>
event event_of(request_number to, T what) {
  if constexpr (std::is_constructible_v<event, T>)
    if (to.value == 0)
      return event{std::move(what)};
  return answer{to, std::move(what)};
}

/// What is wrong with an availability, if anything.
std::optional<failure> availability_fault(const wire::SetPresence& x);

availability from_wire(const wire::SetPresence& x);
window from_wire(const wire::Window& x);
/// An unknown reason becomes code none and the beginning of the text.
failure from_wire(const wire::Error& x);
std::vector<payload> take_payloads(
  google::protobuf::RepeatedPtrField<wire::Payload>& from);

void to_wire(const availability& x, wire::SetPresence& y);
void to_wire(const window& x, wire::Window& y);
void to_wire(error_scope scope, const failure& x, wire::Error& y);
void to_wire(const std::vector<payload>& x,
  google::protobuf::RepeatedPtrField<wire::Payload>& y);

/// A prepared address, or an address as somebody wrote it, without putting its
/// text together.
struct address_text {
  explicit address_text(std::string_view text) : user(text) {}
  explicit address_text(const address& x)
    : user(x.user.str()), endpoint(x.endpoint.str()) {}

  size_t size() const noexcept {
    return user.size() + (endpoint.empty() ? 0 : 1 + endpoint.size());
  }
  void write(uint32_t field, wire_format::writer& to) const noexcept;

  std::string_view user;
  std::string_view endpoint;
};

size_t payloads_size(
  uint32_t field, const std::vector<payload>& payloads) noexcept;
void write_payloads(uint32_t field, const std::vector<payload>& payloads,
  wire_format::writer& to) noexcept;

/// Makes room for `n` bytes more.
inline wire_format::writer grow(std::string& out, size_t n) {
  auto at = out.size();
  out.resize(at + n);
  return wire_format::writer{out.data() + at};
}

/// A message object of this thread, empty; what a large frame left in it is
/// given back at the next call.
template <class Message>
Message& reused() {
  constexpr size_t kept_bytes_max = 64 * 1024;
  thread_local Message x;
  thread_local unsigned uses = 0;
  x.Clear();
  // Looking at the size costs, so only now and then.
  if (++uses % 256 == 0 && x.SpaceUsedLong() > kept_bytes_max) {
    Message fresh;
    x.Swap(&fresh);
  }
  return x;
}

} // namespace parley::native
