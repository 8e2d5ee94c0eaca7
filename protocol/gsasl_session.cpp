#include "protocol/gsasl_session.hpp"

#include <charconv>
#include <new>

#include <openssl/crypto.h>

#include "protocol/defaults.hpp"

namespace parley {

// The strength of the binding counts more than that of the hash.
const std::array<sasl_mechanism, 5> sasl_mechanism_table{{
  {"SCRAM-SHA-256-PLUS", true, false, EVP_sha256, &scram_keys::sha256},
  {"SCRAM-SHA-1-PLUS", true, false, EVP_sha1, &scram_keys::sha1},
  {"SCRAM-SHA-256", false, false, EVP_sha256, &scram_keys::sha256},
  {"SCRAM-SHA-1", false, false, EVP_sha1, &scram_keys::sha1},
  {"PLAIN", false, true, nullptr, nullptr},
}};

bool usable(const sasl_mechanism& x, const sasl_channel& channel) {
  if (x.binds_channel && !channel.can_bind())
    return false;
  return !x.needs_confidentiality || channel.confidential;
}

std::vector<std::string> sasl_mechanisms(const sasl_channel& channel) {
  std::vector<std::string> names;
  for (const auto& x : sasl_mechanism_table)
    if (usable(x, channel))
      names.emplace_back(x.name);
  return names;
}

password_salter::~password_salter() {
  OPENSSL_cleanse(password.data(), password.size());
}

namespace {

void cleanse(std::string& x) {
  OPENSSL_cleanse(x.data(), x.size());
}

std::string property(Gsasl_session* session, Gsasl_property what) {
  const char* x = gsasl_property_fast(session, what);
  return x ? x : "";
}

/// RFC 5802, 3: SaltedPassword, by OpenSSL; libgsasl's own takes several times
/// as long, and does as many iterations as a server asks for.
int salt_password(Gsasl_session* session, const password_salter& salter) {
  const auto wish = property(session, GSASL_SCRAM_ITER);
  uint32_t iterations = 0;
  const auto read =
    std::from_chars(wish.data(), wish.data() + wish.size(), iterations);
  if (read.ec != std::errc{} || iterations == 0
    || iterations > defaults::scram_iterations_max)
    return GSASL_NO_CALLBACK;
  const auto salt_text = property(session, GSASL_SCRAM_SALT);
  char* salt = nullptr;
  size_t salt_size = 0;
  if (gsasl_base64_from(salt_text.data(), salt_text.size(), &salt, &salt_size)
    != GSASL_OK)
    return GSASL_NO_CALLBACK;
  const std::unique_ptr<char, decltype(&gsasl_free)> salt_owner{
    salt, gsasl_free};
  char* text = nullptr;
  if (gsasl_saslprep(
        salter.password.c_str(), Gsasl_saslprep_flags{}, &text, nullptr)
    != GSASL_OK)
    return GSASL_NO_CALLBACK;
  std::string prepared{text};
  gsasl_free(text);
  const auto* hash = salter.hash();
  std::string salted(static_cast<size_t>(EVP_MD_get_size(hash)), '\0');
  PKCS5_PBKDF2_HMAC(prepared.data(), static_cast<int>(prepared.size()),
    reinterpret_cast<const unsigned char*>(salt), static_cast<int>(salt_size),
    static_cast<int>(iterations), hash, static_cast<int>(salted.size()),
    reinterpret_cast<unsigned char*>(salted.data()));
  std::string hex;
  for (const unsigned char c : salted) {
    constexpr std::string_view digits = "0123456789abcdef";
    hex += digits[c >> 4];
    hex += digits[c & 15];
  }
  const int set =
    gsasl_property_set(session, GSASL_SCRAM_SALTED_PASSWORD, hex.c_str());
  cleanse(prepared);
  cleanse(salted);
  cleanse(hex);
  return set;
}

int callback(Gsasl*, Gsasl_session* session, Gsasl_property what) {
  switch (what) {
  case GSASL_VALIDATE_SIMPLE:
    // PLAIN's password is checked once libgsasl has taken the message apart.
    return GSASL_OK;
  case GSASL_SCRAM_SALTED_PASSWORD:
    if (const void* hook = gsasl_session_hook_get(session))
      return salt_password(session, *static_cast<const password_salter*>(hook));
    return GSASL_NO_CALLBACK;
  default:
    return GSASL_NO_CALLBACK;
  }
}

/// libgsasl's handle: one a thread, for it promises safety to threads that
/// share none.
Gsasl* context() {
  struct owned {
    Gsasl* handle = nullptr;
    owned() {
      if (gsasl_init(&handle) != GSASL_OK)
        throw std::bad_alloc{};
      gsasl_callback_set(handle, callback);
    }
    ~owned() { gsasl_done(handle); }
  };
  thread_local owned x;
  return x.handle;
}

} // namespace

gsasl_session gsasl_session::server(const sasl_mechanism& mechanism) {
  gsasl_session x;
  Gsasl_session* handle = nullptr;
  const std::string name{mechanism.name};
  if (gsasl_server_start(context(), name.c_str(), &handle) == GSASL_OK)
    x.x_handle.reset(handle);
  return x;
}

gsasl_session gsasl_session::client(const sasl_mechanism& mechanism) {
  gsasl_session x;
  Gsasl_session* handle = nullptr;
  const std::string name{mechanism.name};
  if (gsasl_client_start(context(), name.c_str(), &handle) == GSASL_OK)
    x.x_handle.reset(handle);
  return x;
}

void gsasl_session::set(Gsasl_property what, const std::string& to) {
  if (gsasl_property_set(x_handle.get(), what, to.c_str()) != GSASL_OK)
    throw std::bad_alloc{};
}

void gsasl_session::set_octets(Gsasl_property what, std::string_view to) {
  char* out = nullptr;
  size_t size = 0;
  if (gsasl_base64_to(to.data(), to.size(), &out, &size) != GSASL_OK)
    throw std::bad_alloc{};
  const std::unique_ptr<char, decltype(&gsasl_free)> owner{out, gsasl_free};
  set(what, std::string{out, size});
}

void gsasl_session::set_channel(const sasl_channel& channel) {
  if (!channel.tls_exporter.empty())
    set_octets(GSASL_CB_TLS_EXPORTER, channel.tls_exporter);
  if (!channel.tls_unique.empty())
    set_octets(GSASL_CB_TLS_UNIQUE, channel.tls_unique);
}

void gsasl_session::set_salter(password_salter& x) {
  gsasl_session_hook_set(x_handle.get(), &x);
}

std::string_view gsasl_session::known(Gsasl_property what) const {
  const char* x = gsasl_property_fast(x_handle.get(), what);
  return x ? std::string_view{x} : std::string_view{};
}

gsasl_session::stepped gsasl_session::step(std::string_view input) {
  char* out = nullptr;
  size_t size = 0;
  stepped x{
    gsasl_step(x_handle.get(), input.data(), input.size(), &out, &size), {}};
  if (out && (x.code == GSASL_OK || x.code == GSASL_NEEDS_MORE))
    x.output.assign(out, size);
  gsasl_free(out);
  return x;
}

} // namespace parley
