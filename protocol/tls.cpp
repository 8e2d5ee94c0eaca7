#include "protocol/tls.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "protocol/framing.hpp"
#include "protocol/tls_errors.hpp"

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

} // namespace

// -- the server's certificates ------------------------------------------------

struct tls_context::impl {
  std::string certificate_file;
  std::string key_file;
  mutable std::mutex mutex;
  context_ptr context;
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
  if (!fresh)
    return tl::unexpected{std::move(fresh.error())};
  // Sessions hold a reference to the context they were made of.
  const std::lock_guard guard{x_impl->mutex};
  x_impl->context = std::move(*fresh);
  return {};
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

// -- the stage ----------------------------------------------------------------

/// What one call works on. The BIO points to it for the length of the call, so
/// that cipher text is never copied into buffers that would stay.
struct tls_stage::io {
  std::string_view in;
  std::string* out;

  static int read(BIO* bio, char* data, size_t size, size_t* done) {
    BIO_clear_retry_flags(bio);
    auto* x = static_cast<io*>(BIO_get_data(bio));
    if (!x || x->in.empty()) {
      BIO_set_retry_read(bio);
      *done = 0;
      return 0;
    }
    *done = x->in.copy(data, size);
    x->in.remove_prefix(*done);
    return 1;
  }

  static int write(BIO* bio, const char* data, size_t size, size_t* done) {
    BIO_clear_retry_flags(bio);
    auto* x = static_cast<io*>(BIO_get_data(bio));
    if (!x) {
      *done = 0;
      return 0;
    }
    x->out->append(data, size);
    *done = size;
    return 1;
  }

  static long control(BIO*, int what, long, void*) {
    return what == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static BIO* make_bio() {
    static BIO_METHOD* const method = [] {
      auto* x = BIO_meth_new(
        BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bytes of one call");
      BIO_meth_set_read_ex(x, read);
      BIO_meth_set_write_ex(x, write);
      BIO_meth_set_ctrl(x, control);
      return x;
    }();
    auto* bio = BIO_new(method);
    if (bio)
      BIO_set_init(bio, 1);
    return bio;
  }

  io(SSL* ssl, std::string_view bytes, std::string& cipher)
    : in(bytes), out(&cipher), x_bio(SSL_get_rbio(ssl)) {
    BIO_set_data(x_bio, this);
    ERR_clear_error();
  }
  ~io() { BIO_set_data(x_bio, nullptr); }
  io(const io&) = delete;
  io& operator=(const io&) = delete;

private:
  BIO* x_bio;
};

namespace {

SSL* with_bio(SSL* ssl, BIO* bio) {
  if (!ssl || !bio) {
    SSL_free(ssl);
    BIO_free(bio);
    return nullptr;
  }
  SSL_set_bio(ssl, bio, bio);
  return ssl;
}

} // namespace

tls_stage::tls_stage(const tls_context& context)
  : x_ssl(with_bio(context.make_session(), io::make_bio())) {}

tls_stage::tls_stage(const tls_client_context& context, const std::string& host)
  : x_ssl(with_bio(context.make_session(host), io::make_bio())) {}

tls_stage::~tls_stage() {
  SSL_free(x_ssl);
}

tls_stage::tls_stage(tls_stage&& x) noexcept
  : x_ssl(std::exchange(x.x_ssl, nullptr)),
    x_start(x.x_start),
    x_start_size(x.x_start_size),
    x_failed(x.x_failed) {}

tls_stage& tls_stage::operator=(tls_stage&& x) noexcept {
  std::swap(x_ssl, x.x_ssl);
  x_start = x.x_start;
  x_start_size = x.x_start_size;
  x_failed = x.x_failed;
  return *this;
}

void tls_stage::remember_start(std::string_view bytes) noexcept {
  x_start_size += static_cast<unsigned char>(
    bytes.copy(x_start.data() + x_start_size, x_start.size() - x_start_size));
}

failure tls_stage::explain(int ssl_error) const {
  const std::string_view start{x_start.data(), x_start_size};
  constexpr char handshake_record = 0x16;
  if (!handshake_done() && !start.empty()
    && start.front() != handshake_record) {
    std::string text = "TLS was expected";
    if (start == native::magic.substr(0, start.size()) && start.size() > 1)
      text += ", the peer speaks Parley without it";
    else if (std::ranges::all_of(
               start, [](char c) { return c >= ' ' && c <= '~'; }))
      text += ", the peer sends plain text";
    return failure{errc::tls_failed, std::move(text)};
  }
  if (const auto verdict = SSL_get_verify_result(x_ssl);
      verdict != X509_V_OK && SSL_get_verify_mode(x_ssl) != SSL_VERIFY_NONE)
    return failure{errc::tls_failed,
      std::string{"the server's certificate: "}
        + X509_verify_cert_error_string(verdict)};
  if (ssl_error == SSL_ERROR_SSL)
    return failure{errc::tls_failed, openssl_words("TLS")};
  return failure{errc::tls_failed, "TLS: the exchange broke off"};
}

result<void> tls_stage::receive(
  std::string_view bytes, std::string& plain, std::string& cipher) {
  if (!x_ssl || x_failed)
    return fail(errc::tls_failed, "TLS could not be set up");
  if (!handshake_done())
    remember_start(bytes);
  const io scope{x_ssl, bytes, cipher};
  const auto give_up = [this](int code) -> result<void> {
    const int error = SSL_get_error(x_ssl, code);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_ZERO_RETURN)
      return {};
    x_failed = true;
    return tl::unexpected{explain(error)};
  };
  if (!handshake_done()) {
    if (const int code = SSL_do_handshake(x_ssl); code != 1)
      return give_up(code);
  }
  thread_local std::array<char, SSL3_RT_MAX_PLAIN_LENGTH> record;
  while (true) {
    size_t size = 0;
    const int code = SSL_read_ex(x_ssl, record.data(), record.size(), &size);
    if (code != 1)
      return give_up(code);
    plain.append(record.data(), size);
  }
}

result<void> tls_stage::send(std::string_view plain, std::string& cipher) {
  if (plain.empty())
    return {};
  if (!x_ssl || x_failed || !handshake_done())
    return fail(errc::tls_failed, "TLS is not ready to send");
  const io scope{x_ssl, {}, cipher};
  size_t size = 0;
  const int code = SSL_write_ex(x_ssl, plain.data(), plain.size(), &size);
  if (code == 1 && size == plain.size())
    return {};
  x_failed = true;
  return tl::unexpected{explain(SSL_get_error(x_ssl, code))};
}

void tls_stage::close(std::string& cipher) {
  if (!x_ssl || x_failed || !handshake_done())
    return;
  const io scope{x_ssl, {}, cipher};
  SSL_shutdown(x_ssl);
  ERR_clear_error();
}

bool tls_stage::handshake_done() const noexcept {
  return x_ssl && SSL_is_init_finished(x_ssl) == 1;
}

bool tls_stage::closed_by_peer() const noexcept {
  return x_ssl && (SSL_get_shutdown(x_ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

std::string tls_stage::version() const {
  return x_ssl ? SSL_get_version(x_ssl) : "";
}

std::string tls_stage::tls_exporter() const {
  if (!handshake_done() || SSL_version(x_ssl) < TLS1_3_VERSION)
    return {};
  constexpr std::string_view label = "EXPORTER-Channel-Binding";
  constexpr size_t bytes = 32;
  std::string data(bytes, '\0');
  if (SSL_export_keying_material(x_ssl,
        reinterpret_cast<unsigned char*>(data.data()), data.size(),
        label.data(), label.size(), nullptr, 0, 0)
    != 1)
    return {};
  return data;
}

std::string tls_stage::tls_unique() const {
  if (!handshake_done() || SSL_version(x_ssl) != TLS1_2_VERSION
    || SSL_get_extms_support(x_ssl) != 1)
    return {};
  // The first Finished of the handshake: the client's, unless an earlier
  // session was resumed (RFC 5929, 3.1).
  const bool mine =
    (SSL_is_server(x_ssl) == 1) == (SSL_session_reused(x_ssl) == 1);
  std::array<char, EVP_MAX_MD_SIZE> data{};
  const size_t size = mine
    ? SSL_get_finished(x_ssl, data.data(), data.size())
    : SSL_get_peer_finished(x_ssl, data.data(), data.size());
  return {data.data(), std::min(size, data.size())};
}

} // namespace parley
