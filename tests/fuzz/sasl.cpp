#include "protocol/sasl.hpp"

#include "protocol/decoys.hpp"
#include "tests/fuzz/input.hpp"

#include <optional>
#include <utility>

// One exchange at the server. The first byte chooses mechanism and channel, the
// second whose keys are found and who speaks: whatever the input says, or a
// client that knows the rules and not the password, a byte of whose messages is
// changed.

using namespace parley;
using namespace parley::fuzz;
using step = sasl_server::step;

namespace {

constexpr std::string_view user = "alice@example.org";
constexpr std::string_view password = "correct horse";
constexpr std::string_view mechanisms[] = {"PLAIN", "SCRAM-SHA-1",
  "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"};

/// With one iteration, so that a client costs nothing.
const scram_keys& account() {
  static const auto keys = derive_keys(password, 1).value();
  return keys;
}

scram_keys of_one_hash() {
  auto x = account();
  x.sha256 = {};
  return x;
}

sasl_channel channel_of(uint8_t choice) {
  if (choice % 3 == 0)
    return {};
  if (choice % 3 == 1)
    return {true, std::string(32, '\x13'), {}};
  return {true, {}, std::string(12, '\x12')};
}

/// Who speaks to the server.
class speaker {
public:
  virtual ~speaker() = default;
  virtual std::string say(const std::string& challenge) = 0;
  /// The password itself was among what was said.
  bool knows = false;
};

/// Says what the input says. `%` stands for the nonce of the challenge, so that
/// a proof can get as far as being looked at.
class anybody : public speaker {
public:
  explicit anybody(input& in) : x_in(in) {}

  std::string say(const std::string& challenge) override {
    std::string x{x_in.text()};
    auto nonce = nonce_of(challenge);
    for (auto at = x.find('%'); at != x.npos && !nonce.empty();
         at = x.find('%', at + nonce.size()))
      x.replace(at, 1, nonce);
    knows = knows || x.find(password) != x.npos;
    return x;
  }

private:
  static std::string nonce_of(const std::string& challenge) {
    if (!challenge.starts_with("r="))
      return {};
    return challenge.substr(2, challenge.find(',') - 2);
  }

  input& x_in;
};

/// Keeps the rules, but for the bytes that the input changes.
class impostor : public speaker {
public:
  impostor(std::string_view mechanism, const sasl_channel& channel, input& in)
    : x_in(in) {
    const std::vector<std::string> offered{std::string{mechanism}};
    auto name = in.byte() % 4 == 0 ? in.text() : user;
    auto secret = in.text();
    if (auto x = sasl_client::make(offered, channel, name, secret))
      x_client.emplace(std::move(*x));
    // A client prepares it, so others may lead to the same keys.
    knows = password_matches(secret, account());
  }

  std::string say(const std::string& challenge) override {
    if (!x_client)
      return {};
    if (!std::exchange(x_began, true))
      return changed(x_client->initial());
    auto x = x_client->respond(challenge);
    return x ? changed(*x) : std::string{};
  }

private:
  std::string changed(std::string x) {
    size_t at = x_in.byte();
    if (!x.empty())
      x[at % x.size()] =
        static_cast<char>(static_cast<uint8_t>(x[at % x.size()]) ^ x_in.byte());
    return x;
  }

  input& x_in;
  std::optional<sasl_client> x_client;
  bool x_began = false;
};

void play(sasl_server& server, speaker& who, const scram_keys* keys) {
  // Three messages of a client are the most that an exchange has.
  int messages = 0;
  auto at = server.respond(who.say({}));
  while (true) {
    switch (at) {
    case step::challenge:
      expect(++messages <= 3, "an exchange ends");
      at = server.respond(who.say(server.data()));
      break;
    case step::find_keys:
      expect(!server.user().empty(), "keys are looked for of somebody");
      at = server.keys_found(server.user().str() == user ? keys : nullptr);
      break;
    case step::check_password: {
      auto given = server.take_password();
      bool fits = keys && server.user().str() == user && given == password;
      expect(!fits || who.knows, "nobody says a password without knowing it");
      at = server.password_checked(fits);
      break;
    }
    case step::succeeded:
      expect(who.knows && keys, "nobody signs in without the password");
      expect(server.user().str() == user, "who signs in is who it says");
      return;
    case step::failed:
      // Whatever comes now is too late.
      expect(server.respond("n,,n=a,r=b") == step::failed, "an end is an end");
      expect(server.keys_found(keys) == step::failed, "an end is an end");
      expect(server.password_checked(true) == step::failed, "an end is an end");
      return;
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto unknown = std::make_shared<decoys>("secret");
  static const auto half_of_keys = of_one_hash();
  input in{data, size};
  auto first = in.byte();
  auto second = in.byte();
  auto mechanism = mechanisms[first % 5];
  auto channel = channel_of(first / 5);
  auto server = sasl_server::make(mechanism, channel, "example.org", unknown);
  if (!server)
    return 0;
  const scram_keys* choices[] = {&account(), &half_of_keys, nullptr};
  auto keys = choices[second % 3];
  if (second < 128) {
    anybody who{in};
    // Without the password there is no way to a proof, whatever is said.
    play(*server, who, keys);
  } else {
    impostor who{mechanism, channel, in};
    play(*server, who, keys);
  }
  return 0;
}
