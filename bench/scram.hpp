#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace parley::bench {

enum class scram_hash : uint8_t { sha1, sha256 };

/// `SCRAM-SHA-1` or `SCRAM-SHA-256`.
std::string_view mechanism_of(scram_hash hash) noexcept;

/// Octets that follow from a password, a salt and a number of iterations
/// (RFC 5802, 3).
struct scram_secret {
  std::string client_key;
  std::string stored_key;
  std::string server_key;
};

/// Milliseconds of CPU. The password is taken as it is, ASCII as a rule.
scram_secret derive_secret(std::string_view password, std::string_view salt,
  uint32_t iterations, scram_hash hash = scram_hash::sha256);

/// Secrets already derived. All users that parley-bench imports share one
/// password and one salt, so that a sign-in costs the load generator
/// microseconds.
class secret_cache {
public:
  const scram_secret& find(const std::string& password, const std::string& salt,
    uint32_t iterations, scram_hash hash);

private:
  std::map<std::tuple<std::string, uint32_t, scram_hash>, scram_secret>
    x_secrets;
  std::string x_password;
};

/// The client's side of one SCRAM exchange (RFC 5802, 7677), without channel
/// binding.
class scram_exchange {
public:
  /// `user` as it goes into the message: without `,` and `=`.
  scram_exchange(std::string_view user, std::string_view nonce,
    scram_hash hash = scram_hash::sha256);

  const std::string& first() const noexcept { return x_first; }
  /// Answers the server's first message; nothing if that makes no sense.
  std::optional<std::string> answer(std::string_view server_first,
    const std::string& password, secret_cache& cache);
  /// Whether the server's last message proves that it knows the user.
  bool verify(std::string_view server_final) const;

private:
  std::string x_first;
  std::string x_nonce;
  std::string x_server_signature;
  scram_hash x_hash;
};

/// A value of RFC 5803: `SCRAM-SHA-256$iterations:salt$stored:server`, parts in
/// base64.
std::string rfc5803(const scram_secret& secret, std::string_view salt,
  uint32_t iterations, scram_hash hash = scram_hash::sha256);

/// As SASL has it in XMPP (RFC 4648, 4). `from_base64` takes what is not empty.
std::string to_base64(std::string_view octets);
std::optional<std::string> from_base64(std::string_view text);

} // namespace parley::bench
