#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/ssl.h>

#include "protocol/tls.hpp"

/// What the tests of TLS need: certificates in a folder that goes away, and an
/// OpenSSL peer on memory BIOs that shares nothing with parley::tls_stage.
namespace parley::test {

/// A folder of its own, removed at the end.
class temporary_folder {
public:
  temporary_folder();
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  std::string file(std::string_view name) const {
    return (x_path / name).string();
  }

private:
  std::filesystem::path x_path;
};

/// Certificate and key of `domain`, made once in each process.
struct certificate {
  std::string certificate_file;
  std::string key_file;
};
const certificate& example_certificate();

/// A client or server of one TLS version.
class tls_peer {
public:
  /// `version` is TLS1_2_VERSION or such, the only one spoken.
  static tls_peer client(int version);
  static tls_peer server(int version, const certificate& files);

  /// Takes cipher text, returns what is to be sent.
  std::string receive(std::string_view cipher);
  /// Encrypts.
  std::string send(std::string_view plain);
  /// A close_notify.
  std::string close();

  /// All that was decrypted.
  std::string plain;
  bool done() const { return SSL_is_init_finished(x_ssl.get()) == 1; }
  SSL* ssl() const { return x_ssl.get(); }

private:
  explicit tls_peer(SSL_CTX* context);
  std::string take();

  struct free_ssl {
    void operator()(SSL* x) const { SSL_free(x); }
  };
  std::unique_ptr<SSL, free_ssl> x_ssl;
};

/// The server's context and a client's that trusts it, with the example's
/// certificate.
std::shared_ptr<tls_context> server_context();
std::shared_ptr<tls_client_context> trusting_context();

/// A stage, and what came out of it.
struct side {
  tls_stage stage;
  std::string plain;
  std::string cipher;
  result<void> last{};

  void receive(std::string_view bytes) {
    if (last)
      last = stage.receive(bytes, plain, cipher);
  }
  std::string take() { return std::exchange(cipher, {}); }
};

side server_side();

/// Hands bytes to and fro until both are silent; the client's in pieces.
void talk(side& server, tls_peer& client, size_t piece = SIZE_MAX);
void talk(side& server, side& client);

} // namespace parley::test
