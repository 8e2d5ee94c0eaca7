#include <ctime>
#include <mutex>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "protocol/tls.hpp"
#include "protocol/tls_errors.hpp"

/// Whose certificates a server shows and a client trusts.
namespace parley {

namespace {

struct free_context {
  void operator()(SSL_CTX* x) const noexcept { SSL_CTX_free(x); }
};
using context_ptr = std::unique_ptr<SSL_CTX, free_context>;

/// Forward secrecy and authenticated encryption alone; the suites of TLS 1.3
/// are all such.
constexpr const char* tls12_ciphers =
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// What both sides have in common.
context_ptr make_context(const SSL_METHOD* method) {
  context_ptr context{SSL_CTX_new(method)};
  if (!context)
    return nullptr;
  auto* x = context.get();
  SSL_CTX_set_min_proto_version(x, TLS1_2_VERSION);
  SSL_CTX_set_options(x,
    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET
      | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // An idle connection holds no record buffers, and no session is kept to
  // resume: Parley's own resume saves more than TLS's would.
  SSL_CTX_set_mode(x, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(x, 0);
  if (SSL_CTX_set_cipher_list(x, tls12_ciphers) != 1
    || SSL_CTX_set1_groups_list(x, "X25519:P-256:P-384") != 1)
    return nullptr;
  return context;
}

/// A key with a passphrase is an error, not a question at the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

result<context_ptr> load_server(
  const std::string& certificate_file, const std::string& key_file) {
  ERR_clear_error();
  auto context = make_context(TLS_server_method());
  if (!context)
    return fail(errc::store_unavailable, openssl_words("TLS cannot be set up"));
  auto* x = context.get();
  SSL_CTX_set_default_passwd_cb(x, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(x, certificate_file.c_str()) != 1)
    return fail(errc::store_unavailable,
      openssl_words("the certificate " + certificate_file));
  if (SSL_CTX_use_PrivateKey_file(x, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return fail(errc::store_unavailable, openssl_words("the key " + key_file));
  if (SSL_CTX_check_private_key(x) != 1)
    return fail(errc::store_unavailable,
      openssl_words(
        "the key " + key_file + " and the certificate " + certificate_file));
  return context;
}

result<certificate_state> state_of(
  const X509* certificate, const std::string& file) {
  auto read = [](const ASN1_TIME* from, wall_time& to) {
    std::tm t{};
    if (ASN1_TIME_to_tm(from, &t) != 1)
      return false;
    to = std::chrono::time_point_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::from_time_t(::timegm(&t)));
    return true;
  };
  certificate_state x;
  if (!read(X509_get0_notBefore(certificate), x.begins)
    || !read(X509_get0_notAfter(certificate), x.ends))
    return fail(
      errc::store_unavailable, file + " says not when it begins and ends");
  x.self_signed = X509_NAME_cmp(X509_get_subject_name(certificate),
                    X509_get_issuer_name(certificate))
    == 0;
  if (X509_digest(certificate, EVP_sha256(), x.digest.data(), nullptr) != 1)
    return fail(errc::store_unavailable, file + " cannot be digested");
  return x;
}

} // namespace

result<certificate_state> read_certificate(const std::string& file) {
  auto refuse = [&file](const char* what) {
    ERR_clear_error();
    return fail(errc::store_unavailable, file + " " + what);
  };
  std::unique_ptr<BIO, decltype(&::BIO_free_all)> in{
    BIO_new_file(file.c_str(), "r"), &::BIO_free_all};
  if (!in)
    return refuse("cannot be read");
  std::unique_ptr<X509, decltype(&::X509_free)> x{
    PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), &::X509_free};
  if (!x)
    return refuse("holds no certificate");
  return state_of(x.get(), file);
}

// -- the server's certificates ------------------------------------------------

struct tls_context::impl {
  std::string certificate_file;
  std::string key_file;
  mutable std::mutex mutex;
  context_ptr context;
  failure not_reloaded;
};

tls_context::tls_context(std::unique_ptr<impl> x) : x_impl(std::move(x)) {}
tls_context::~tls_context() = default;

result<std::shared_ptr<tls_context>> tls_context::load(
  std::string certificate_file, std::string key_file) {
  auto x = std::make_unique<impl>();
  x->certificate_file = std::move(certificate_file);
  x->key_file = std::move(key_file);
  std::shared_ptr<tls_context> context{new tls_context{std::move(x)}};
  if (auto loaded = context->reload(); !loaded)
    return tl::unexpected{std::move(loaded.error())};
  return context;
}

result<void> tls_context::reload() {
  auto fresh = load_server(x_impl->certificate_file, x_impl->key_file);
  const std::lock_guard guard{x_impl->mutex};
  x_impl->not_reloaded = fresh ? failure{} : fresh.error();
  if (!fresh)
    return tl::unexpected{std::move(fresh.error())};
  // Sessions hold a reference to the context they were made of.
  x_impl->context = std::move(*fresh);
  return {};
}

tls_context::use tls_context::in_use() const {
  const std::lock_guard guard{x_impl->mutex};
  return {state_of(SSL_CTX_get0_certificate(x_impl->context.get()),
            x_impl->certificate_file),
    x_impl->not_reloaded};
}

SSL* tls_context::make_session() const {
  const std::lock_guard guard{x_impl->mutex};
  auto* session = SSL_new(x_impl->context.get());
  if (session)
    SSL_set_accept_state(session);
  return session;
}

// -- whom a client trusts -----------------------------------------------------

struct tls_client_context::impl {
  context_ptr context;
  bool verifies = true;
};

tls_client_context::tls_client_context(std::unique_ptr<impl> x)
  : x_impl(std::move(x)) {}
tls_client_context::~tls_client_context() = default;

result<std::shared_ptr<tls_client_context>> tls_client_context::trust_file(
  const std::string& file) {
  auto x = std::make_unique<impl>();
  ERR_clear_error();
  x->context = make_context(TLS_client_method());
  if (!x->context
    || SSL_CTX_load_verify_file(x->context.get(), file.c_str()) != 1)
    return fail(
      errc::store_unavailable, openssl_words("the certificates " + file));
  // A server's own certificate in the file is enough, whoever signed it.
  X509_VERIFY_PARAM_set_flags(
    SSL_CTX_get0_param(x->context.get()), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(x->context.get(), SSL_VERIFY_PEER, nullptr);
  return std::shared_ptr<tls_client_context>{
    new tls_client_context{std::move(x)}};
}

result<std::shared_ptr<tls_client_context>> tls_client_context::trust_system() {
  auto x = std::make_unique<impl>();
  ERR_clear_error();
  x->context = make_context(TLS_client_method());
  if (!x->context || SSL_CTX_set_default_verify_paths(x->context.get()) != 1)
    return fail(
      errc::store_unavailable, openssl_words("the system's certificates"));
  SSL_CTX_set_verify(x->context.get(), SSL_VERIFY_PEER, nullptr);
  return std::shared_ptr<tls_client_context>{
    new tls_client_context{std::move(x)}};
}

result<std::shared_ptr<tls_client_context>>
tls_client_context::trust_anybody() {
  auto x = std::make_unique<impl>();
  ERR_clear_error();
  x->context = make_context(TLS_client_method());
  x->verifies = false;
  if (!x->context)
    return fail(errc::store_unavailable, openssl_words("TLS cannot be set up"));
  return std::shared_ptr<tls_client_context>{
    new tls_client_context{std::move(x)}};
}

bool tls_client_context::verifies() const noexcept {
  return x_impl->verifies;
}

SSL* tls_client_context::make_session(const std::string& host) const {
  auto* session = SSL_new(x_impl->context.get());
  if (!session)
    return nullptr;
  SSL_set_connect_state(session);
  // An address is compared with the certificate's addresses and never sent as
  // a name (RFC 6066, 3).
  auto* checks = SSL_get0_param(session);
  if (X509_VERIFY_PARAM_set1_ip_asc(checks, host.c_str()) != 1) {
    ERR_clear_error();
    SSL_set_tlsext_host_name(session, host.c_str());
    if (x_impl->verifies) {
      SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      if (host.empty() || SSL_set1_host(session, host.c_str()) != 1) {
        SSL_free(session);
        return nullptr;
      }
    }
  }
  return session;
}

} // namespace parley
