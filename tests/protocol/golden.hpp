#pragma once

#include "protocol/codec.hpp"

#include <string>
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

} // namespace parley::test
