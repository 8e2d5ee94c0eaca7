#include "protocol/xmpp/octets.hpp"

#include <new>

#include <openssl/evp.h>
#include <openssl/rand.h>

namespace parley::xmpp {

namespace {

constexpr std::string_view letters =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

auto bytes_of(std::string& x) {
  return reinterpret_cast<unsigned char*>(x.data());
}
auto bytes_of(std::string_view x) {
  return reinterpret_cast<const unsigned char*>(x.data());
}

} // namespace

std::string to_base64(std::string_view octets) {
  // OpenSSL writes a zero behind it.
  std::string x((octets.size() + 2) / 3 * 4 + 1, '\0');
  const auto n = EVP_EncodeBlock(
    bytes_of(x), bytes_of(octets), static_cast<int>(octets.size()));
  x.resize(static_cast<size_t>(n));
  return x;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0)
    return std::nullopt;
  // OpenSSL also takes blanks around it, and padding anywhere in it.
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  if (text.find_first_not_of(letters) < text.size() - padding)
    return std::nullopt;
  std::string x(text.size() / 4 * 3, '\0');
  const auto n =
    EVP_DecodeBlock(bytes_of(x), bytes_of(text), static_cast<int>(text.size()));
  if (n < 0)
    return std::nullopt;
  x.resize(static_cast<size_t>(n) - padding);
  return x;
}

std::string sha1(std::string_view octets) {
  std::string x(EVP_MAX_MD_SIZE, '\0');
  unsigned n = 0;
  if (EVP_Digest(
        octets.data(), octets.size(), bytes_of(x), &n, EVP_sha1(), nullptr)
    != 1)
    throw std::bad_alloc{};
  x.resize(n);
  return x;
}

std::string random_name(size_t octets) {
  constexpr char digits[] = "0123456789abcdef";
  std::string raw(octets, '\0');
  if (RAND_bytes(bytes_of(raw), static_cast<int>(octets)) != 1)
    throw std::bad_alloc{};
  std::string x;
  for (const unsigned char c : raw) {
    x += digits[c >> 4];
    x += digits[c & 15];
  }
  return x;
}

} // namespace parley::xmpp
