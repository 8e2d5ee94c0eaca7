#include "tests/protocol/tls_peer.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include <openssl/err.h>

namespace parley::test {

temporary_folder::temporary_folder() {
  auto pattern =
    (std::filesystem::temp_directory_path() / "parley-test-XXXXXX").string();
  if (!::mkdtemp(pattern.data()))
    throw std::runtime_error{"no temporary folder"};
  x_path = pattern;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(x_path, ignored);
}

const certificate& example_certificate() {
  static const temporary_folder folder;
  static const certificate files = [] {
    certificate x{folder.file("certificate.pem"), folder.file("key.pem")};
    if (!make_self_signed(x.certificate_file, x.key_file, "example.org"))
      throw std::runtime_error{"no certificate"};
    return x;
  }();
  return files;
}

tls_peer::tls_peer(SSL_CTX* context) : x_ssl(SSL_new(context)) {
  SSL_set_bio(x_ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

tls_peer tls_peer::client(int version) {
  auto* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  // Old versions need it, even to be refused.
  SSL_CTX_set_security_level(context, 0);
  tls_peer x{context};
  SSL_CTX_free(context);
  SSL_set_connect_state(x.ssl());
  return x;
}

tls_peer tls_peer::server(int version, const certificate& files) {
  auto* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_use_certificate_chain_file(context, files.certificate_file.c_str());
  SSL_CTX_use_PrivateKey_file(
    context, files.key_file.c_str(), SSL_FILETYPE_PEM);
  tls_peer x{context};
  SSL_CTX_free(context);
  SSL_set_accept_state(x.ssl());
  return x;
}

std::string tls_peer::take() {
  auto* bio = SSL_get_wbio(ssl());
  std::string bytes(BIO_pending(bio), '\0');
  if (!bytes.empty())
    BIO_read(bio, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

std::string tls_peer::receive(std::string_view cipher) {
  ERR_clear_error();
  if (!cipher.empty())
    BIO_write(
      SSL_get_rbio(ssl()), cipher.data(), static_cast<int>(cipher.size()));
  SSL_do_handshake(ssl());
  std::vector<char> chunk(SSL3_RT_MAX_PLAIN_LENGTH);
  int size = 0;
  while (
    (size = SSL_read(ssl(), chunk.data(), static_cast<int>(chunk.size()))) > 0)
    plain.append(chunk.data(), static_cast<size_t>(size));
  ERR_clear_error();
  return take();
}

std::string tls_peer::send(std::string_view text) {
  ERR_clear_error();
  size_t size = 0;
  SSL_write_ex(ssl(), text.data(), text.size(), &size);
  return take();
}

std::string tls_peer::close() {
  SSL_shutdown(ssl());
  return take();
}

std::shared_ptr<tls_context> server_context() {
  const auto& files = example_certificate();
  static const auto context =
    tls_context::load(files.certificate_file, files.key_file).value();
  return context;
}

std::shared_ptr<tls_client_context> trusting_context() {
  return tls_client_context::trust_file(example_certificate().certificate_file)
    .value();
}

side server_side() {
  return {tls_stage{*server_context()}, {}, {}};
}

void talk(side& server, tls_peer& client, size_t piece) {
  auto to_server = client.receive({});
  while (!to_server.empty()) {
    for (std::string_view rest = to_server; !rest.empty();) {
      server.receive(rest.substr(0, piece));
      rest.remove_prefix(std::min(piece, rest.size()));
    }
    to_server = client.receive(server.take());
  }
}

void talk(side& server, side& client) {
  client.receive({});
  for (auto bytes = client.take(); !bytes.empty(); bytes = client.take()) {
    server.receive(bytes);
    client.receive(server.take());
  }
}

} // namespace parley::test
