#include "protocol/codec.hpp"

#include "protocol/client/hot_frames.hpp"
#include "protocol/parts.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/protocol/values.hpp"

// Bytes of either side, in pieces as the input has it: the frame reader, all
// decoders, and what puts parts together. The first byte says which side, and
// whether whole frames follow, each behind a length of two bytes that cannot be
// wrong; otherwise the second says how great the pieces are.

using namespace parley;
using namespace parley::fuzz;
using namespace parley::native;
using parley::test::same;

namespace {

const im_origin& origin() {
  static const im_origin x{{user_address::from_prepared("alice@example.org"),
                             endpoint_name::from_prepared("desk")},
    wall_time{std::chrono::milliseconds{1'700'000'000'000}}};
  return x;
}

/// The frames in `bytes`.
std::vector<std::string> frames_in(const std::string& bytes) {
  std::vector<std::string> all;
  frame_reader in;
  in.feed(bytes);
  while (auto frame = in.next().value())
    all.emplace_back(*frame);
  expect(in.memory() == 0, "what is encoded ends with a frame");
  return all;
}

/// Of an invalid request only the number can be written, and a part's fault is
/// found anew where it is read.
bool can_be_said(const client_frame& x) {
  if (auto request = std::get_if<numbered_request>(&x))
    return !std::holds_alternative<invalid_request>(request->what);
  if (auto part = std::get_if<request_part>(&x))
    return part->why.code == errc::none;
  return true;
}

void check_request(const numbered_request& x) {
  bool has_number = x.number.value != 0;
  expect(has_number || std::holds_alternative<typing>(x.what)
      || std::holds_alternative<invalid_request>(x.what),
    "a request has a number");
  if (auto why = std::get_if<invalid_request>(&x.what))
    expect(why->why.code != errc::none, "what is invalid has a reason");
}

class client_side {
public:
  void operator()(std::string_view frame) {
    auto x = decode_client(frame, origin());
    if (!x) {
      expect(x.error().code == errc::bad_frame, "only a bad frame ends it");
      return;
    }
    if (can_be_said(*x)) {
      std::string bytes;
      expect(encode_client(bytes, *x).has_value(), "a request can be encoded");
      auto again = frames_in(bytes);
      if (again.size() == 1) {
        auto y = decode_client(again.front(), origin());
        expect(y && same(*x, *y), "a client's frame comes back the same");
      }
    }
    std::vector<numbered_request> whole;
    if (auto request = std::get_if<numbered_request>(&*x))
      x_parts.add(std::move(*request), whole);
    else if (auto part = std::get_if<request_part>(&*x))
      x_parts.add(std::move(*part), whole);
    for (auto& request : whole)
      check_request(request);
    expect(x_parts.memory() <= 2 * defaults::broadcast_bytes_max,
      "parts are held within their bound");
  }

private:
  request_assembler x_parts;
};

class server_side {
public:
  void operator()(std::string_view frame) {
    peel_as_client(frame);
    auto x = decode_server(frame);
    if (!x) {
      expect(x.error().code == errc::bad_frame, "only a bad frame ends it");
      return;
    }
    // Presence is never numbered: the encoder has no place for it.
    auto event = std::get_if<numbered_event>(&*x);
    if (event && std::holds_alternative<presence_event>(event->what))
      event->number = {};
    std::string bytes;
    encode_server(bytes, *x);
    auto again = frames_in(bytes);
    if (again.size() == 1) {
      auto y = decode_server(again.front());
      expect(y && same(*x, *y), "a server's frame comes back the same");
    }
    if (auto part = std::get_if<answer_part>(&*x))
      static_cast<void>(x_parts.add(std::move(*part)));
  }

private:
  /// The client library reads the hot frames by itself.
  void peel_as_client(std::string_view frame) {
    auto hot = peel(frame);
    if (!hot || hot->what != hot_frame::kind::im)
      return;
    received_im message;
    std::vector<payload_view> payloads;
    if (!parley::decode_im(hot->content, message, payloads))
      return;
    auto x = decode_server(frame);
    auto event = x ? std::get_if<numbered_event>(&*x) : nullptr;
    auto im = event ? std::get_if<incoming_im>(&event->what) : nullptr;
    if (im)
      expect(im->message->body == message.body
          && im->message->id.value == message.id && event->number == hot->event,
        "both readers of an IM read the same");
  }

  answer_assembler x_parts;
};

template <class Side>
void read_whole(input in) {
  Side side;
  while (!in.empty()) {
    auto frame = in.text();
    // Bytes that are gone afterwards: ASan sees a view that stays.
    std::vector<char> copy(frame.begin(), frame.end());
    side({copy.data(), copy.size()});
  }
}

/// The frames of a stream by their lengths alone, up to one that is too large
/// or not whole.
std::vector<std::string_view> cut(std::string_view bytes) {
  std::vector<std::string_view> all;
  while (bytes.size() >= length_bytes) {
    size_t n = 0;
    for (auto c : bytes.substr(0, length_bytes))
      n = n << 8 | static_cast<uint8_t>(c);
    bytes.remove_prefix(length_bytes);
    if (n > defaults::frame_max || n > bytes.size())
      break;
    all.push_back(bytes.substr(0, n));
    bytes.remove_prefix(n);
  }
  return all;
}

template <class Side>
void read(input in) {
  Side side;
  size_t piece = in.byte() + 1u;
  auto whole = in.rest();
  auto expected = cut(whole);
  size_t came = 0;
  frame_reader reader;
  for (auto rest = whole; !rest.empty();
       rest.remove_prefix(std::min(rest.size(), piece))) {
    auto part = rest.substr(0, piece);
    // Bytes that are gone when the next come: ASan sees a view that stays.
    std::vector<char> copy(part.begin(), part.end());
    reader.feed({copy.data(), copy.size()});
    while (true) {
      auto frame = reader.next();
      if (!frame) {
        expect(frame.error().code == errc::frame_too_large,
          "only a length can be wrong");
        expect(!reader.next(), "no frame follows one that is too large");
        expect(came == expected.size(), "what came before is handed out");
        return;
      }
      if (!*frame)
        break;
      expect(came < expected.size() && **frame == expected[came],
        "frames are what their lengths say, however they come");
      ++came;
      side(**frame);
    }
  }
  expect(came == expected.size(), "every whole frame is handed out");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  input in{data, size};
  switch (in.byte() % 4) {
  case 0:
    read<client_side>(in);
    break;
  case 1:
    read<server_side>(in);
    break;
  case 2:
    read_whole<client_side>(in);
    break;
  default:
    read_whole<server_side>(in);
  }
  return 0;
}
