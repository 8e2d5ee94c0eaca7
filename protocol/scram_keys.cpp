#include "protocol/scram_keys.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>

#include <gsasl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

std::string hmac(
  const EVP_MD* hash, std::string_view key, std::string_view text) {
  std::string mac(static_cast<size_t>(EVP_MD_get_size(hash)), '\0');
  HMAC(hash, key.data(), static_cast<int>(key.size()),
    reinterpret_cast<const unsigned char*>(text.data()), text.size(),
    reinterpret_cast<unsigned char*>(mac.data()), nullptr);
  return mac;
}

std::string digest(const EVP_MD* hash, std::string_view text) {
  std::string sum(static_cast<size_t>(EVP_MD_get_size(hash)), '\0');
  EVP_Digest(text.data(), text.size(),
    reinterpret_cast<unsigned char*>(sum.data()), nullptr, hash, nullptr);
  return sum;
}

/// RFC 5802, 3: the keys of a prepared password.
scram_keys::per_hash derive(const EVP_MD* hash, std::string_view password,
  std::string salt, uint32_t iterations) {
  scram_keys::per_hash x;
  std::string salted(static_cast<size_t>(EVP_MD_get_size(hash)), '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
    reinterpret_cast<const unsigned char*>(salt.data()),
    static_cast<int>(salt.size()), static_cast<int>(iterations), hash,
    static_cast<int>(salted.size()),
    reinterpret_cast<unsigned char*>(salted.data()));
  x.salt = std::move(salt);
  x.iterations = iterations;
  auto client_key = hmac(hash, salted, "Client Key");
  x.stored_key = digest(hash, client_key);
  x.server_key = hmac(hash, salted, "Server Key");
  OPENSSL_cleanse(client_key.data(), client_key.size());
  OPENSSL_cleanse(salted.data(), salted.size());
  return x;
}

/// SASLprep (RFC 4013), stored string: no unassigned code points.
std::optional<std::string> prepare(std::string_view password) {
  if (password.empty() || password.size() > defaults::password_max
    || password.find('\0') != password.npos)
    return std::nullopt;
  const std::string terminated{password};
  char* out = nullptr;
  if (gsasl_saslprep(terminated.c_str(), Gsasl_saslprep_flags{}, &out, nullptr)
    != GSASL_OK)
    return std::nullopt;
  const std::unique_ptr<char, decltype(&gsasl_free)> owned{out, gsasl_free};
  std::string prepared{out};
  if (prepared.empty())
    return std::nullopt;
  return prepared;
}

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size()
    && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace

result<scram_keys> derive_keys(std::string_view password, uint32_t iterations) {
  if (password.size() > defaults::password_max) {
    failure why{errc::bad_request, "the password is too long"};
    why.limit = defaults::password_max;
    why.value = password.size();
    return tl::unexpected{std::move(why)};
  }
  auto prepared = prepare(password);
  if (!prepared)
    return fail(errc::bad_request,
      password.empty() ? "the password is empty"
                       : "the password has characters that SASLprep (RFC 4013) "
                         "forbids, as it does those that control terminals");
  std::string salts(2 * defaults::scram_salt_bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(salts.data()),
        static_cast<int>(salts.size()))
    != 1)
    return fail(errc::overloaded, "the system gives no random numbers");
  scram_keys keys;
  keys.sha1 = derive(EVP_sha1(), *prepared,
    salts.substr(0, defaults::scram_salt_bytes), iterations);
  keys.sha256 = derive(EVP_sha256(), *prepared,
    salts.substr(defaults::scram_salt_bytes), iterations);
  OPENSSL_cleanse(prepared->data(), prepared->size());
  return keys;
}

bool password_matches(std::string_view password, const scram_keys& keys) {
  // Imported accounts may have keys of one hash alone.
  const bool strong = !keys.sha256.stored_key.empty();
  const auto& kept = strong ? keys.sha256 : keys.sha1;
  if (kept.stored_key.empty() || kept.iterations == 0)
    return false;
  auto prepared = prepare(password);
  if (!prepared)
    return false;
  const auto derived = derive(
    strong ? EVP_sha256() : EVP_sha1(), *prepared, kept.salt, kept.iterations);
  OPENSSL_cleanse(prepared->data(), prepared->size());
  return equal(derived.stored_key, kept.stored_key);
}

} // namespace parley
