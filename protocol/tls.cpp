#include "protocol/tls.hpp"

#include <algorithm>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "protocol/defaults.hpp"
#include "protocol/defaults_tls.hpp"
#include "protocol/framing.hpp"
#include "protocol/tls_errors.hpp"

namespace parley {

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
  io scope{x_ssl, bytes, cipher};
  const auto give_up = [this](int code) -> result<void> {
    const int error = SSL_get_error(x_ssl, code);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_ZERO_RETURN)
      return {};
    x_failed = true;
    return tl::unexpected{explain(error)};
  };
  if (!handshake_done()) {
    // What comes behind the handshake is not for it.
    scope.in = bytes.substr(0, handshake_room());
    const auto given = scope.in.size();
    const int code = SSL_do_handshake(x_ssl);
    if (code != 1 && given < bytes.size()
      && SSL_get_error(x_ssl, code) == SSL_ERROR_WANT_READ) {
      x_failed = true;
      return fail(errc::tls_failed, "TLS: the handshake is too long");
    }
    if (code != 1)
      return give_up(code);
    scope.in = bytes.substr(given - scope.in.size());
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

size_t tls_stage::handshake_room() const noexcept {
  if (SSL_is_server(x_ssl) == 0)
    return std::string_view::npos;
  const auto taken = BIO_number_read(SSL_get_rbio(x_ssl));
  return defaults::tls_handshake_max
    - std::min<uint64_t>(taken, defaults::tls_handshake_max);
}

size_t tls_stage::memory() const noexcept {
  if (!handshake_done())
    return x_start_size > 0 ? defaults::tls_handshake_bytes
                            : defaults::tls_connection_bytes;
  // The second: of its header is nothing left to read, of its body all.
  const bool is_within_record =
    SSL_has_pending(x_ssl) == 1 || SSL_rstate_string(x_ssl)[1] == 'B';
  return defaults::tls_connection_bytes
    + (is_within_record ? defaults::tls_record_bytes : 0);
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
  if (SSL_get_extms_support(x_ssl) != 1)
    return {};
  return first_finished_of(TLS1_2_VERSION);
}

std::string tls_stage::first_finished() const {
  return first_finished_of(TLS1_3_VERSION);
}

std::string tls_stage::first_finished_of(int version) const {
  if (!handshake_done() || SSL_version(x_ssl) != version)
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
