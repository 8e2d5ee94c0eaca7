#include "protocol/xmpp/websocket.hpp"

#include "protocol/decoys.hpp"
#include "protocol/defaults.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/stream.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/protocol/connection_fixture.hpp"
#include "tests/xmpp/web_client.hpp"

#include <array>
#include <string>
#include <vector>

// What strangers send to a listener of WebSocket. The first byte says what the
// rest is: a request of HTTP; bytes of frames; or texts of messages, pings and
// raw bytes for a stream that has opened its WebSocket. The second says where
// it is cut in two.

using namespace parley;
using namespace parley::fuzz;
using namespace parley::test;
using namespace parley::xmpp;

namespace {

constexpr size_t bytes_max = 1000;
constexpr size_t memory_max = 4 * defaults::stranger_output_max;

struct reading {
  std::string text;
  std::vector<size_t> ends;
  std::vector<std::string> pings;
  int over = 0;
  bool operator==(const reading&) const = default;
};

reading read(std::vector<std::string_view> pieces) {
  frame_reader reader{bytes_max};
  std::array<char, 16> scratch{};
  reading x;
  size_t message = 0;
  for (auto bytes : pieces)
    while (true) {
      const auto found = reader.next(bytes, scratch);
      expect(reader.memory() <= bytes_max, "memory is bounded");
      if (!found) {
        x.over = static_cast<int>(found.error().code);
        break;
      }
      if (!*found) {
        expect(bytes.empty(), "all is taken");
        break;
      }
      expect(x.over == 0, "nothing follows the end");
      if (const auto* t = std::get_if<frame_reader::text>(&**found)) {
        x.text += t->piece;
        message += t->piece.size();
        expect(message <= bytes_max, "a message is bounded");
        if (t->ends) {
          x.ends.push_back(x.text.size());
          message = 0;
        }
      } else if (const auto* p = std::get_if<frame_reader::ping>(&**found)) {
        expect(p->payload.size() <= 125, "a ping is short");
        x.pings.push_back(p->payload);
      } else {
        x.over =
          static_cast<int>(std::get<frame_reader::close>(**found).answer);
      }
    }
  return x;
}

void read_frames(std::string_view bytes, size_t cut) {
  const auto whole = read({bytes});
  expect(read({bytes.substr(0, cut), bytes.substr(cut)}) == whole,
    "cut in two it reads the same");
}

void shake_hands(std::string_view bytes, size_t cut) {
  handshake once;
  auto all = bytes;
  const auto whole = once.take(all, true);
  handshake twice;
  auto first = bytes.substr(0, cut);
  auto second = bytes.substr(cut);
  auto parts = twice.take(first, true);
  if (!parts)
    parts = twice.take(second, true);
  expect(whole.has_value() == parts.has_value(), "cut in two it is as whole");
  if (!whole)
    return;
  expect(whole->text == parts->text, "cut in two it is answered the same");
  expect(whole->text.starts_with("HTTP/1.1 "), "the answer is HTTP");
  expect(whole->is_upgrade == whole->text.starts_with("HTTP/1.1 101 "),
    "frames follow where that was said");
  const auto head = whole->text.substr(0, whole->text.find("\r\n\r\n"));
  expect(head.find_first_of(std::string_view{"\0", 1}) == head.npos,
    "nothing of the request gets into the answer's head");
}

/// A stream, and who sends it pieces of so many bytes.
class peer {
public:
  explicit peer(size_t piece) : x_piece(piece) {
    auto config = std::make_shared<connection_config>();
    config->domain = "example.org";
    config->decoys = std::make_shared<decoys>("secret");
    const steady_time now{std::chrono::hours{1000}};
    server = std::make_unique<stream>(
      std::move(config), owner, "127.0.0.1:1", now, carrier::websocket);
    owner.link = server.get();
    owner.grant.self = *address::parse("alice@example.org/desk");
    owner.grant.requests = {50, 1 << 20};
  }

  void feed(std::string_view bytes) {
    while (!bytes.empty()) {
      // Bytes that are gone afterwards: ASan sees a view that stays.
      const std::string copy{bytes.substr(0, x_piece)};
      bytes.remove_prefix(copy.size());
      server->receive(
        {copy.data(), copy.size()}, steady_time{std::chrono::hours{1000}}, {});
      expect(server->memory() <= memory_max, "memory is bounded");
    }
  }

  std::string said() {
    std::string all;
    while (true) {
      const auto bytes = server->output();
      if (bytes.empty())
        return all;
      all += bytes;
      server->written(bytes.size());
    }
  }

  fake_owner owner;
  std::unique_ptr<stream> server;

private:
  size_t x_piece;
};

void talk_to(input in, size_t piece) {
  peer x{piece};
  x.feed(web_request());
  expect(x.said().starts_with("HTTP/1.1 101 "), "it opens");
  if (in.byte() & 1)
    x.feed(web_frame("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' "
                     "to='example.org' version='1.0'/>"));
  bool is_over = false;
  while (!in.empty()) {
    const auto what = in.byte();
    const auto text = in.text();
    if (what % 4 == 0)
      x.feed(text);
    else
      x.feed(web_frame(text,
        what % 4 == 1     ? 0x81
          : what % 4 == 2 ? 0x89
                          : what));
    // Whole frames, none behind a close: the test ends otherwise.
    for (const auto& m : web_messages(x.said())) {
      expect(!is_over, "nothing follows a close frame");
      is_over = m.opcode == 8;
      if (m.opcode == 1)
        expect(m.payload.starts_with("<"), "a message is an element");
    }
    expect(x.server->is_closed() == x.owner.end.has_value(), "an end is told");
  }
  for (const auto& proof : x.owner.proofs)
    expect(!proof.second, "nobody proves what it does not know");
  x.server->disconnected();
  expect(x.server->is_closed(), "a lost connection is over");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  input in{data, size};
  const auto kind = in.byte();
  const size_t at = in.byte();
  if (kind % 4 == 0) {
    talk_to(in, at + 1);
    return 0;
  }
  const auto bytes = in.rest();
  const auto cut = at * bytes.size() / 256;
  if (kind % 4 == 1)
    shake_hands(bytes, cut);
  else
    read_frames(bytes, cut);
  return 0;
}
