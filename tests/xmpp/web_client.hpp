#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// A client of WebSocket by hand: its frames, and the server's taken apart.
namespace parley::test {

/// A request for `/xmpp`; with `changes` for parts of it.
std::string web_request(
  std::string_view change = {}, std::string_view into = {});

/// Masked, as a client has to; `first` is the first byte of the frame.
std::string web_frame(std::string_view payload, unsigned first = 0x81);

/// What a server sent.
struct web_message {
  unsigned opcode = 0;
  std::string payload;
  bool operator==(const web_message&) const = default;
};

/// Frames of a server, all whole and none masked; ends the test otherwise.
std::vector<web_message> web_messages(std::string_view bytes);

} // namespace parley::test
