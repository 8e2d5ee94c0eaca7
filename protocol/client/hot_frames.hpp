#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/client/events.hpp"
#include "protocol/errors.hpp"
#include "protocol/vocabulary.hpp"

/// The frames that come and go by the hundred thousand, without an object in
/// between; all others go through protocol/codec.hpp.
namespace parley {

struct pending_request;

/// A server frame of one of the hot kinds.
struct hot_frame {
  enum class kind : uint8_t { im, delivered, stored };
  hot_frame::kind what = kind::im;
  sequence event;
  request_number request;
  /// Of an IM: its encoded wire::Im.
  std::string_view content;
};

/// Nothing if the frame is of another kind, rejects an IM, or is unusual in
/// any way.
std::optional<hot_frame> peel(std::string_view frame) noexcept;

/// Decodes a wire::Im. The views lead into `content`, `payloads` holds those
/// of the result. False if it is none.
bool decode_im(std::string_view content, received_im& to,
  std::vector<payload_view>& payloads);

/// An IM as a request without its number. `too_large` with limit and value if
/// it does not fit into a frame.
result<pending_request> make_send(const outgoing_im& message, request_tag tag);

/// Appends the frame of such a request.
void append_send(
  std::string& out, request_number number, const pending_request& x);

} // namespace parley
