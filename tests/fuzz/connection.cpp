#include "protocol/connection.hpp"

#include "protocol/defaults.hpp"
#include "protocol/unicode.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/protocol/connection_fixture.hpp"

// The server's side of a connection, from the first byte. The first byte of the
// input chooses TCP or TLS, how far an honest client has come before, and
// whether the gateway answers at once; the second how great the pieces are.
// Then come texts: raw bytes, frames, answers of the gateway, or time.

using namespace parley;
using namespace parley::fuzz;
using namespace parley::test;

namespace {

/// Far above what an honest connection holds; what grows with each frame gets
/// there.
constexpr size_t memory_max = 8 * defaults::frame_max;

native::resume_session token() {
  return {"token", sequence{0}};
}

class conversation {
public:
  conversation(uint8_t kind, size_t piece)
    : x_dialogue(kind & 1 ? dialogue::kind::tls : dialogue::kind::plain),
      x_piece(piece) {
    x_dialogue.owner.answers_keys = (kind & 8) == 0;
    x_dialogue.owner.answers_session = (kind & 16) == 0;
    auto& client = x_dialogue.client;
    if (kind & 1)
      x_dialogue.pump();
    if (kind & 2) {
      client.magic();
      client.hello();
    }
    // A session without a word of SASL, which costs much.
    if (kind & 4)
      client.say(token());
    x_dialogue.pump();
  }

  void step(uint8_t what, std::string_view text) {
    auto& server = *x_dialogue.server;
    switch (what % 8) {
    case 0:
      x_dialogue.client.raw(text);
      break;
    case 1:
    case 2:
    case 3: {
      std::string frame;
      native::append_length(frame, text.size());
      x_dialogue.client.raw(frame.append(text));
      break;
    }
    case 4:
      // Past what a client keeps: straight to the server.
      feed(text);
      break;
    case 5:
      x_dialogue.wait(
        std::chrono::seconds{text.empty() ? 1 : text.front() & 0x7f});
      break;
    case 6:
      answer(text.empty() ? '\0' : text.front());
      break;
    default:
      // Routers have looked at what they hand on.
      if (is_utf8(text))
        server.send({++x_events}, incoming("m1", std::string{text}));
      server.probe(std::chrono::seconds{5}, x_dialogue.now);
    }
    if (!x_dialogue.server->is_closed())
      x_dialogue.pump(x_piece);
    check();
  }

  void end() {
    x_dialogue.server->disconnected();
    x_dialogue.to_client();
    expect(x_dialogue.server->is_closed(), "a lost connection is over");
    expect(x_dialogue.owner.end.has_value(), "an end is told");
  }

private:
  void feed(std::string_view text) {
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), x_piece))) {
      auto part = text.substr(0, x_piece);
      // Bytes that are gone afterwards: ASan sees a view that stays.
      std::vector<char> copy(part.begin(), part.end());
      x_dialogue.to_server({copy.data(), copy.size()});
    }
  }

  /// Of the gateway, asked for or not.
  void answer(char which) {
    auto& server = *x_dialogue.server;
    switch (which & 7) {
    case 0:
      return server.keys_found(nullptr);
    case 1:
      return server.keys_found(&alices_keys());
    case 2:
      return server.password_checked(false);
    case 3:
      return server.authentication_refused(failure{errc::overloaded});
    case 4:
      if (x_dialogue.owner.wish || x_dialogue.owner.resumption)
        server.accept(x_dialogue.owner.grant);
      return;
    case 5:
      return server.refuse(failure{errc::resume_failed});
    case 6:
      return server.send_going_away(std::chrono::seconds{1});
    default:
      return server.close(failure{errc::kicked}, error_scope::session);
    }
  }

  void check() {
    auto& server = *x_dialogue.server;
    auto& owner = x_dialogue.owner;
    expect(server.memory() <= memory_max, "memory is bounded");
    expect(server.is_closed() == owner.end.has_value(), "an end is told");
    for (auto& proof : owner.proofs)
      expect(!proof.second, "nobody proves what it does not know");
    for (auto& upto : owner.acks)
      expect(
        upto.value <= x_events, "nothing is acknowledged that was not sent");
    for (auto& batch : owner.requests) {
      expect(!batch.empty(), "no request is told for nothing");
      for (auto& request : batch) {
        bool has_number = request.number.value != 0;
        expect(has_number || std::holds_alternative<typing>(request.what)
            || std::holds_alternative<invalid_request>(request.what),
          "a request has a number");
        if (has_number && server.in_session())
          server.send({++x_events}, parley::answer{request.number, done{}});
      }
    }
    owner.requests.clear();
    x_dialogue.to_client();
  }

  dialogue x_dialogue;
  const size_t x_piece;
  uint64_t x_events = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  input in{data, size};
  auto kind = in.byte();
  conversation x{kind, in.byte() + 1u};
  while (!in.empty()) {
    auto what = in.byte();
    x.step(what, in.text());
  }
  x.end();
  return 0;
}
