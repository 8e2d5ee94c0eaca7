#include "bench/scram.hpp"

#include <array>
#include <charconv>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace parley::bench {

namespace {

size_t size_of(scram_hash hash) noexcept {
  constexpr size_t sha1_size = 20;
  constexpr size_t sha256_size = 32;
  return hash == scram_hash::sha1 ? sha1_size : sha256_size;
}

const EVP_MD* digest_of(scram_hash hash) noexcept {
  return hash == scram_hash::sha1 ? EVP_sha1() : EVP_sha256();
}

const unsigned char* octets(std::string_view x) noexcept {
  return reinterpret_cast<const unsigned char*>(x.data());
}

std::string hmac(scram_hash hash, std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned int size = 0;
  HMAC(digest_of(hash), key.data(), static_cast<int>(key.size()), octets(text),
    text.size(), out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string digest(scram_hash hash, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned int size = 0;
  EVP_Digest(
    text.data(), text.size(), out.data(), &size, digest_of(hash), nullptr);
  return {reinterpret_cast<const char*>(out.data()), size};
}

/// The value of attribute `name` in `r=…,s=…,i=…`.
std::string_view attribute(std::string_view message, char name) noexcept {
  while (!message.empty()) {
    const size_t end = std::min(message.find(','), message.size());
    const auto part = message.substr(0, end);
    if (part.size() >= 2 && part[0] == name && part[1] == '=')
      return part.substr(2);
    message.remove_prefix(std::min(end + 1, message.size()));
  }
  return {};
}

constexpr std::string_view gs2_header = "n,,";

} // namespace

std::string to_base64(std::string_view text) {
  std::string out((text.size() + 2) / 3 * 4, '\0');
  // Writes a terminating zero, for which a string has room.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), octets(text),
    static_cast<int>(text.size()));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out(text.size() / 4 * 3 + 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
    octets(text), static_cast<int>(text.size()));
  if (size < 0 || text.empty())
    return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<size_t>(size) - padding);
  return out;
}

std::string_view mechanism_of(scram_hash hash) noexcept {
  return hash == scram_hash::sha1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256";
}

scram_secret derive_secret(std::string_view password, std::string_view salt,
  uint32_t iterations, scram_hash hash) {
  std::string salted(size_of(hash), '\0');
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
        octets(salt), static_cast<int>(salt.size()),
        static_cast<int>(iterations), digest_of(hash),
        static_cast<int>(salted.size()),
        reinterpret_cast<unsigned char*>(salted.data()))
    != 1)
    throw std::runtime_error{"PBKDF2 failed"};
  scram_secret out;
  out.client_key = hmac(hash, salted, "Client Key");
  out.stored_key = digest(hash, out.client_key);
  out.server_key = hmac(hash, salted, "Server Key");
  return out;
}

const scram_secret& secret_cache::find(const std::string& password,
  const std::string& salt, uint32_t iterations, scram_hash hash) {
  if (password != x_password) {
    x_secrets.clear();
    x_password = password;
  }
  const auto [entry, fresh] =
    x_secrets.try_emplace({salt, iterations, hash}, scram_secret{});
  if (fresh)
    entry->second = derive_secret(password, salt, iterations, hash);
  return entry->second;
}

scram_exchange::scram_exchange(
  std::string_view user, std::string_view nonce, scram_hash hash)
  : x_nonce(nonce), x_hash(hash) {
  x_first = gs2_header;
  x_first += "n=";
  x_first += user;
  x_first += ",r=";
  x_first += nonce;
}

std::optional<std::string> scram_exchange::answer(std::string_view server_first,
  const std::string& password, secret_cache& cache) {
  const auto nonce = attribute(server_first, 'r');
  const auto salt = from_base64(attribute(server_first, 's'));
  const auto digits = attribute(server_first, 'i');
  uint32_t iterations = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), iterations);
  constexpr uint32_t iterations_max = 1'000'000;
  if (!nonce.starts_with(x_nonce) || !salt || iterations == 0
    || iterations > iterations_max)
    return std::nullopt;
  const auto& secret = cache.find(password, *salt, iterations, x_hash);
  std::string last = "c=" + to_base64(gs2_header) + ",r=";
  last += nonce;
  std::string message = x_first.substr(gs2_header.size()) + ",";
  message += server_first;
  message += "," + last;
  std::string proof = hmac(x_hash, secret.stored_key, message);
  for (size_t i = 0; i < proof.size(); ++i)
    proof[i] = static_cast<char>(proof[i] ^ secret.client_key[i]);
  x_server_signature =
    "v=" + to_base64(hmac(x_hash, secret.server_key, message));
  return last + ",p=" + to_base64(proof);
}

bool scram_exchange::verify(std::string_view server_final) const {
  return !x_server_signature.empty() && server_final == x_server_signature;
}

std::string rfc5803(const scram_secret& secret, std::string_view salt,
  uint32_t iterations, scram_hash hash) {
  return std::string{mechanism_of(hash)} + "$" + std::to_string(iterations)
    + ":" + to_base64(salt) + "$" + to_base64(secret.stored_key) + ":"
    + to_base64(secret.server_key);
}

} // namespace parley::bench
