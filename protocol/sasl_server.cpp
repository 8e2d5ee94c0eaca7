#include "protocol/sasl.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "protocol/decoys.hpp"
#include "protocol/defaults.hpp"
#include "protocol/gsasl_session.hpp"

namespace parley {

namespace {

/// What both sides have said up to the client's last message, as the proof
/// covers it (RFC 5802, 3, AuthMessage): without the first message's header.
std::string said_so_far(std::string_view first, std::string_view challenge) {
  auto bare = first.find(',');
  bare = bare == first.npos ? bare : first.find(',', bare + 1);
  std::string x;
  if (bare != first.npos)
    x = first.substr(bare + 1);
  return x.append(",").append(challenge).append(",");
}

/// Whether the proof in a client's last message is made with the key whose
/// hash is `stored_key` (RFC 5802, 3). It takes the same time however close a
/// wrong one comes.
bool proves(const EVP_MD* hash, std::string_view stored_key,
  std::string_view so_far, std::string_view message) {
  constexpr std::string_view attribute = ",p=";
  const auto at = message.rfind(attribute);
  const auto size = static_cast<size_t>(EVP_MD_get_size(hash));
  if (at == message.npos || stored_key.size() != size)
    return false;
  const auto text = message.substr(at + attribute.size());
  char* decoded = nullptr;
  size_t proof_size = 0;
  if (gsasl_base64_from(text.data(), text.size(), &decoded, &proof_size)
    != GSASL_OK)
    return false;
  const std::unique_ptr<char, decltype(&gsasl_free)> proof{decoded, gsasl_free};
  if (proof_size != size)
    return false;
  const auto signed_text = std::string{so_far}.append(message.substr(0, at));
  std::array<unsigned char, EVP_MAX_MD_SIZE> key{};
  HMAC(hash, stored_key.data(), static_cast<int>(stored_key.size()),
    reinterpret_cast<const unsigned char*>(signed_text.data()),
    signed_text.size(), key.data(), nullptr);
  for (size_t i = 0; i < size; ++i)
    key[i] ^= static_cast<unsigned char>(decoded[i]);
  std::array<unsigned char, EVP_MAX_MD_SIZE> found{};
  EVP_Digest(key.data(), size, found.data(), nullptr, hash, nullptr);
  OPENSSL_cleanse(key.data(), key.size());
  return CRYPTO_memcmp(found.data(), stored_key.data(), size) == 0;
}

} // namespace

class sasl_server::impl {
public:
  impl(const sasl_mechanism& mechanism, const sasl_channel& channel,
    std::string domain, std::shared_ptr<const decoys> for_unknown)
    : x_mechanism(mechanism),
      x_channel(channel),
      x_domain(std::move(domain)),
      x_decoys(std::move(for_unknown)) {}

  ~impl() { OPENSSL_cleanse(x_password.data(), x_password.size()); }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  step respond(std::string_view message) {
    if (message.size() > defaults::sasl_message_max)
      return fail_now();
    switch (x_waits_for) {
    case waits::first:
      // A client may begin without a message; the empty challenge asks for it
      // (RFC 4422, 3).
      if (message.empty())
        return std::exchange(x_prompted, true) ? fail_now() : step::challenge;
      if (!open())
        return fail_now();
      return x_mechanism.hash ? scram_first(message) : plain(message);
    case waits::proof:
      return scram_proof(message);
    default:
      return fail_now();
    }
  }

  /// libgsasl asks for the salt while it reads the first message, and cannot
  /// wait. So a session of its own reads who it is, and the real one is given
  /// the same message once the keys are there.
  step scram_first(std::string_view message) {
    if (x_session.step(message).code != GSASL_NEEDS_MORE || !identify())
      return fail_now();
    x_first = message;
    x_session.reset();
    x_waits_for = waits::keys;
    if (x_user.empty())
      return keys_found(nullptr);
    return step::find_keys;
  }

  step keys_found(const scram_keys* keys) {
    if (x_waits_for != waits::keys)
      return fail_now();
    // Made for every user, so that known and unknown ones take the same time.
    const auto& name = x_user.empty() ? x_name : x_user.str();
    const auto decoy = x_decoys->keys_of(name);
    const auto own = x_decoys->own_keys_of(name);
    x_decoyed = !keys;
    const auto* used = &((keys ? *keys : decoy).*x_mechanism.keys);
    if (used->iterations == 0 || used->stored_key.empty()) {
      used = &(own.*x_mechanism.keys);
      x_decoyed = true;
    }
    if (!open())
      return fail_now();
    x_session.set(GSASL_SCRAM_ITER, std::to_string(used->iterations));
    x_session.set_octets(GSASL_SCRAM_SALT, used->salt);
    x_session.set_octets(GSASL_SCRAM_STOREDKEY, used->stored_key);
    x_session.set_octets(GSASL_SCRAM_SERVERKEY, used->server_key);
    auto first = x_session.step(x_first);
    if (first.code != GSASL_NEEDS_MORE)
      return fail_now();
    x_said = said_so_far(std::exchange(x_first, {}), first.output);
    x_stored_key = used->stored_key;
    x_data = std::move(first.output);
    x_waits_for = waits::proof;
    return step::challenge;
  }

  /// libgsasl, which judges all the rest, compares with memcmp; so it is only
  /// shown proofs that are right.
  step scram_proof(std::string_view message) {
    if (!proves(x_mechanism.hash(), x_stored_key, x_said, message))
      return fail_now();
    auto last = x_session.step(message);
    if (last.code != GSASL_OK || x_decoyed)
      return fail_now();
    return succeed(std::move(last.output));
  }

  step plain(std::string_view message) {
    // The callback lets any password pass here: the check follows.
    if (x_session.step(message).code != GSASL_OK || !identify()
      || x_user.empty())
      return fail_now();
    x_password = x_session.known(GSASL_PASSWORD);
    x_session.reset();
    x_waits_for = waits::password;
    return step::check_password;
  }

  step password_checked(bool fits) {
    if (x_waits_for != waits::password || !fits)
      return fail_now();
    return succeed({});
  }

  const user_address& user() const noexcept { return x_user; }
  const std::string& data() const noexcept { return x_data; }
  std::string take_password() { return std::exchange(x_password, {}); }

private:
  enum class waits : uint8_t { first, keys, proof, password, nothing };

  bool open() {
    x_session = gsasl_session::server(x_mechanism);
    if (x_session && x_mechanism.hash)
      x_session.set_channel(x_channel);
    return static_cast<bool>(x_session);
  }

  /// Takes over who signs in; false if it wants to act as someone else.
  bool identify() {
    const auto name_of = [this](Gsasl_property what) {
      std::string x{x_session.known(what)};
      if (!x.empty() && x.find('@') == x.npos)
        x += '@' + x_domain;
      return x;
    };
    x_name = name_of(GSASL_AUTHID);
    if (auto parsed = user_address::parse(x_name))
      x_user = std::move(*parsed);
    const auto other = name_of(GSASL_AUTHZID);
    if (other.empty() || other == x_name)
      return true;
    const auto parsed = user_address::parse(other);
    return parsed && *parsed == x_user;
  }

  step succeed(std::string last) {
    x_data = std::move(last);
    x_session.reset();
    x_waits_for = waits::nothing;
    return step::succeeded;
  }

  step fail_now() {
    x_data.clear();
    x_session.reset();
    x_waits_for = waits::nothing;
    return step::failed;
  }

  const sasl_mechanism& x_mechanism;
  sasl_channel x_channel;
  std::string x_domain;
  std::shared_ptr<const decoys> x_decoys;
  gsasl_session x_session;
  waits x_waits_for = waits::first;
  bool x_prompted = false;
  bool x_decoyed = false;
  std::string x_first;
  /// What the proof covers, up to the client's last message.
  std::string x_said;
  std::string x_stored_key;
  /// As the client wrote it, with a domain.
  std::string x_name;
  user_address x_user;
  std::string x_password;
  std::string x_data;
};

sasl_server::sasl_server(std::unique_ptr<impl> x) : x_impl(std::move(x)) {}
sasl_server::sasl_server(sasl_server&&) noexcept = default;
sasl_server& sasl_server::operator=(sasl_server&&) noexcept = default;
sasl_server::~sasl_server() = default;

result<sasl_server> sasl_server::make(std::string_view mechanism,
  const sasl_channel& channel, std::string domain,
  std::shared_ptr<const decoys> for_unknown) {
  const auto entry =
    std::ranges::find(sasl_mechanism_table, mechanism, &sasl_mechanism::name);
  if (entry == sasl_mechanism_table.end() || !usable(*entry, channel))
    return fail(errc::mechanism_unavailable,
      "this mechanism is not offered on this connection");
  return sasl_server{std::make_unique<impl>(
    *entry, channel, std::move(domain), std::move(for_unknown))};
}

sasl_server::step sasl_server::respond(std::string_view message) {
  return x_impl->respond(message);
}

sasl_server::step sasl_server::keys_found(const scram_keys* keys) {
  return x_impl->keys_found(keys);
}

sasl_server::step sasl_server::password_checked(bool fits) {
  return x_impl->password_checked(fits);
}

const user_address& sasl_server::user() const noexcept {
  return x_impl->user();
}

const std::string& sasl_server::data() const noexcept {
  return x_impl->data();
}

std::string sasl_server::take_password() {
  return x_impl->take_password();
}

} // namespace parley
