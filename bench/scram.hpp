#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace parley::bench {

/// Octets that follow from a password, a salt and a number of iterations
/// (RFC 5802, 3), with SHA-256.
struct scram_secret {
  std::string client_key;
  std::string stored_key;
  std::string server_key;
};

/// Milliseconds of CPU. The password is taken as it is, ASCII as a rule.
scram_secret derive_secret(
  std::string_view password, std::string_view salt, uint32_t iterations);

/// Secrets already derived. All users that parley-bench imports share one
/// password and one salt, so that a sign-in costs the load generator
/// microseconds.
class secret_cache {
public:
  const scram_secret& find(
    const std::string& password, const std::string& salt, uint32_t iterations);

private:
  std::map<std::pair<std::string, uint32_t>, scram_secret> x_secrets;
  std::string x_password;
};

/// The client's side of one SCRAM-SHA-256 exchange (RFC 5802, 7677), without
/// channel binding.
class scram_exchange {
public:
  /// `user` as it goes into the message: without `,` and `=`.
  scram_exchange(std::string_view user, std::string_view nonce);

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
};

/// A value of RFC 5803 for SCRAM-SHA-256:
/// `SCRAM-SHA-256$iterations:salt$stored:server`, parts in base64.
std::string rfc5803(
  const scram_secret& secret, std::string_view salt, uint32_t iterations);

} // namespace parley::bench
