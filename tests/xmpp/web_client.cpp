#include "tests/xmpp/web_client.hpp"

#include <stdexcept>

namespace parley::test {

std::string web_request(std::string_view change, std::string_view into) {
  std::string x = "GET /xmpp HTTP/1.1\r\nHost: example.org:5281\r\n"
                  "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
                  "Origin: https://elsewhere.example\r\n"
                  "Sec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                  "Sec-WebSocket-Protocol: chat, xmpp\r\n\r\n";
  if (change.empty())
    return x;
  const auto at = x.find(change);
  if (at == x.npos)
    throw std::logic_error("there is nothing to change");
  return x.replace(at, change.size(), into);
}

std::string web_frame(std::string_view payload, unsigned first) {
  constexpr std::string_view mask = "\x12\x9a\xf0\x01";
  std::string x(1, static_cast<char>(first));
  const auto put = [&x](uint64_t n, int bytes) {
    while (bytes-- > 0)
      x += static_cast<char>(n >> (8 * bytes) & 0xff);
  };
  if (payload.size() < 126) {
    put(0x80 | payload.size(), 1);
  } else if (payload.size() < 0x10000) {
    put(0x80 | 126, 1);
    put(payload.size(), 2);
  } else {
    put(0x80 | 127, 1);
    put(payload.size(), 8);
  }
  x += mask;
  for (size_t i = 0; i < payload.size(); ++i)
    x += static_cast<char>(payload[i] ^ mask[i % 4]);
  return x;
}

std::vector<web_message> web_messages(std::string_view bytes) {
  std::vector<web_message> all;
  const auto take = [&bytes](size_t n) {
    if (bytes.size() < n)
      throw std::logic_error("a frame is not whole");
    const auto x = bytes.substr(0, n);
    bytes.remove_prefix(n);
    return x;
  };
  const auto number = [&take](size_t n) {
    uint64_t x = 0;
    for (const auto c : take(n))
      x = x << 8 | static_cast<unsigned char>(c);
    return x;
  };
  while (!bytes.empty()) {
    const auto first = number(1);
    if ((first & 0xf0) != 0x80)
      throw std::logic_error("a server's frame is a whole message");
    auto length = number(1);
    if (length == 126)
      length = number(2);
    else if (length == 127)
      length = number(8);
    else if (length > 127)
      throw std::logic_error("a server does not mask");
    all.push_back(
      {static_cast<unsigned>(first & 0xf), std::string{take(length)}});
  }
  return all;
}

} // namespace parley::test
