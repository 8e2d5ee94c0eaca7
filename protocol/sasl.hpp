#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/address.hpp"
#include "protocol/errors.hpp"
#include "protocol/scram_keys.hpp"

/// Sign-in by SASL (RFC 4422): SCRAM-SHA-256 and SCRAM-SHA-1 (RFC 5802, 7677),
/// each with and without channel binding, and PLAIN (RFC 4616). Works by steps
/// and never waits: where another's answer is needed, the exchange rests.
namespace parley {

class decoys;

/// What the transport gives to SASL.
struct sasl_channel {
  /// Nobody on the way can read: PLAIN is allowed. For a client that means TLS
  /// with a server whose certificate it checked.
  bool confidential = false;
  /// Channel binding data, octets; empty where there is none. tls-exporter
  /// (RFC 9266) with TLS 1.3, tls-unique (RFC 5929) with TLS 1.2.
  std::string tls_exporter;
  std::string tls_unique;

  bool can_bind() const noexcept {
    return !tls_exporter.empty() || !tls_unique.empty();
  }
};

/// The mechanisms that are offered on such a channel, best first.
std::vector<std::string> sasl_mechanisms(const sasl_channel& channel);

/// The server's side of one exchange. Must be used and destroyed on the thread
/// that made it. An unknown user, a wrong password and a broken message end
/// alike.
class sasl_server {
public:
  /// What has to happen next.
  enum class step : uint8_t {
    /// Send `data()`, give the client's next message to `respond`.
    challenge,
    /// Look for the keys of `user()`, give them to `keys_found`.
    find_keys,
    /// Check `take_password()`, say the result to `password_checked`.
    check_password,
    /// `user()` is who it says; `data()` is the last message for the client,
    /// empty if there is none.
    succeeded,
    /// Over, for whatever reason.
    failed,
  };

  /// `domain` belongs to user names without one. `for_unknown` is not null.
  /// `mechanism_unavailable` if it is not offered on `channel`.
  static result<sasl_server> make(std::string_view mechanism,
    const sasl_channel& channel, std::string domain,
    std::shared_ptr<const decoys> for_unknown);

  sasl_server(sasl_server&&) noexcept;
  sasl_server& operator=(sasl_server&&) noexcept;
  ~sasl_server();

  /// A message of the client, the first one included; at most
  /// `sasl_message_max` bytes, or it fails.
  step respond(std::string_view message);

  /// The keys of `user()`; null if there is no such user: the exchange goes on
  /// with a decoy and fails at its end.
  step keys_found(const scram_keys* keys);

  step password_checked(bool fits);

  /// Who wants to sign in; empty before it is known, and where the name is no
  /// address.
  const user_address& user() const noexcept;
  const std::string& data() const noexcept;
  /// Of PLAIN; once.
  std::string take_password();

private:
  class impl;
  std::unique_ptr<impl> x_impl;
  explicit sasl_server(std::unique_ptr<impl> x);
};

/// The client's side. Must be used and destroyed on the thread that made it.
class sasl_client {
public:
  /// Chooses the best mechanism out of `offered` that `channel` allows. On a
  /// channel that can bind and is not confidential (TLS with an unchecked
  /// certificate) only those that bind: a server that offers none there has
  /// somebody between. `mechanism_unavailable` if there is none,
  /// `authentication_failed` if user or password cannot be prepared (SASLprep).
  static result<sasl_client> make(std::span<const std::string> offered,
    const sasl_channel& channel, std::string_view user,
    std::string_view password);

  sasl_client(sasl_client&&) noexcept;
  sasl_client& operator=(sasl_client&&) noexcept;
  ~sasl_client();

  std::string_view mechanism() const noexcept;
  /// The client's first message.
  const std::string& initial() const noexcept;
  /// The response to a challenge; `authentication_failed` if it is not what a
  /// server that knows the rules would send.
  result<std::string> respond(std::string_view challenge);
  /// Checks the server's last message. Only then is it known that the server
  /// knows the user's keys: `authentication_failed` if it does not prove it.
  result<void> finish(std::string_view last);

private:
  class impl;
  std::unique_ptr<impl> x_impl;
  explicit sasl_client(std::unique_ptr<impl> x);
};

} // namespace parley
