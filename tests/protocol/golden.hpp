#pragma once

#include "protocol/codec.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Every message of the native protocol, as bytes that must never change.
namespace parley::test {

/// One frame: as protobuf's text format has it, as bytes with the length (hex),
/// and as the codec's value.
template <class Frame>
struct golden {
  const char* name;
  const char* text;
  const char* hex;
  Frame value;
};

/// Who sent the golden IMs of clients, and when.
native::im_origin golden_origin();

std::vector<golden<native::client_frame>> golden_client_frames();
std::vector<golden<native::server_frame>> golden_server_frames();

/// Bytes of hex digits; blanks between them do not count.
std::string from_hex(const char* hex);
std::string to_hex(const std::string& bytes);

/// The frames that lie whole in these bytes, without their lengths.
/// @throws tl::bad_expected_access if one is refused
std::vector<std::string> frames_in(std::string_view bytes);

} // namespace parley::test
