#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/errors.hpp"
#include "protocol/vocabulary.hpp"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

namespace parley {

/// When a certificate is valid, and which one it is.
struct certificate_state {
  wall_time begins{};
  wall_time ends{};
  /// It names itself as its issuer.
  bool self_signed = false;
  /// SHA-256 of the whole.
  std::array<unsigned char, 32> digest{};
};

/// The first one of a PEM file; `store_unavailable` with the file and what is
/// wrong with it.
result<certificate_state> read_certificate(const std::string& file);

/// Certificates and settings of one listener, TLS 1.2 and 1.3; reloaded as a
/// whole, connections made before keep what they have. Thread-safe.
class tls_context {
public:
  /// Both PEM, the certificate followed by the chain up to the root.
  /// `store_unavailable` with OpenSSL's words if they cannot be read or do not
  /// belong together.
  static result<std::shared_ptr<tls_context>> load(
    std::string certificate_file, std::string key_file);

  ~tls_context();

  /// Reads the files anew; on an error the old ones stay in use.
  result<void> reload();

  /// The certificate that new connections get.
  struct use {
    result<certificate_state> certificate;
    /// Why the last `reload` changed nothing; none if it did not fail.
    failure not_reloaded;
  };
  use in_use() const;

  /// A server-side session object, without BIOs.
  SSL* make_session() const;

private:
  struct impl;
  std::unique_ptr<impl> x_impl;
  explicit tls_context(std::unique_ptr<impl> x);
};

/// Whom a client trusts; shared by its connections. Thread-safe.
class tls_client_context {
public:
  /// Certificates that sign servers': those in a PEM file, or the server's own.
  /// `store_unavailable` if it cannot be read.
  static result<std::shared_ptr<tls_client_context>> trust_file(
    const std::string& file);
  /// The certificates that the system trusts.
  static result<std::shared_ptr<tls_client_context>> trust_system();
  /// Anybody: for experiments. Whoever is on the way can read along; SCRAM with
  /// channel binding is then the only thing that notices.
  static result<std::shared_ptr<tls_client_context>> trust_anybody();

  ~tls_client_context();

  /// Whether a server's certificate is checked.
  bool verifies() const noexcept;

  /// A client-side session object, without BIOs. `host` is the name or IP
  /// address (RFC 6125, RFC 2818) that the server's certificate must carry.
  SSL* make_session(const std::string& host) const;

private:
  struct impl;
  std::unique_ptr<impl> x_impl;
  explicit tls_client_context(std::unique_ptr<impl> x);
};

/// Makes a self-signed certificate (P-256, ten years, subjectAltName `domain`,
/// localhost and the loopback addresses) and its key, mode 600. The certificate
/// appears last: if it is there, both are whole. `store_unavailable` if they
/// cannot be written, `bad_request` if `domain` is no host name.
result<void> make_self_signed(const std::string& certificate_file,
  const std::string& key_file, std::string_view domain);

/// TLS in memory: cipher text in, plain text out, and the other way round.
/// Holds nothing of what passes through but an incomplete record; costs about
/// 15 KB once the handshake is done. Total on any input.
class tls_stage {
public:
  /// The server's side.
  explicit tls_stage(const tls_context& context);
  /// The client's side; `receive` with nothing begins the handshake.
  tls_stage(const tls_client_context& context, const std::string& host);
  ~tls_stage();
  tls_stage(tls_stage&&) noexcept;
  tls_stage& operator=(tls_stage&&) noexcept;

  /// Takes cipher text, appends what it decrypts to to `plain`, and to
  /// `cipher` what has to be sent. `tls_failed` ends the connection; an alert
  /// may then be in `cipher`. A client's handshake fails as well where it takes
  /// more than `tls_handshake_max` bytes. `closed_by_peer` becomes true at the
  /// peer's close_notify; what comes after it is not looked at.
  result<void> receive(
    std::string_view bytes, std::string& plain, std::string& cipher);
  /// Encrypts, in as few records as possible; only once the handshake is done,
  /// else `tls_failed`.
  result<void> send(std::string_view plain, std::string& cipher);
  /// Appends the close_notify.
  void close(std::string& cipher);

  bool handshake_done() const noexcept;
  /// Bytes that it holds, about.
  size_t memory() const noexcept;
  bool closed_by_peer() const noexcept;
  /// "TLSv1.3".
  std::string version() const;
  /// Channel binding data (octets): tls-exporter (RFC 9266) with TLS 1.3;
  /// tls-unique (RFC 5929) with 1.2 and extended master secret (RFC 7627),
  /// without which it binds nothing. Empty where there is none.
  std::string tls_exporter() const;
  std::string tls_unique() const;
  /// With TLS 1.3 what RFC 5929 calls tls-unique, though nothing defines it
  /// there; empty with any other version.
  std::string first_finished() const;

private:
  struct io;
  /// Bytes that the handshake may still take.
  size_t handshake_room() const noexcept;
  std::string first_finished_of(int version) const;
  failure explain(int ssl_error) const;
  void remember_start(std::string_view bytes) noexcept;

  SSL* x_ssl = nullptr;
  /// The first bytes of the peer, to tell it what it seems to speak.
  std::array<char, 8> x_start{};
  unsigned char x_start_size = 0;
  bool x_failed = false;
};

} // namespace parley
