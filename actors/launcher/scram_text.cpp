#include "actors/launcher/scram_text.hpp"

#include <charconv>

#include <openssl/evp.h>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

constexpr std::string_view sha1 = "SCRAM-SHA-1$";
constexpr std::string_view sha256 = "SCRAM-SHA-256$";
constexpr size_t sha1_bytes = 20;
constexpr size_t sha256_bytes = 32;

/// RFC 4648, 4.
constexpr std::string_view letters =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Empty if it is no base64.
std::string from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0)
    return {};
  // OpenSSL also takes blanks around the text, and padding anywhere in it.
  size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  if (text.find_first_not_of(letters) < text.size() - padding)
    return {};
  std::string x(text.size() / 4 * 3, '\0');
  auto n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(x.data()),
    reinterpret_cast<const unsigned char*>(text.data()),
    static_cast<int>(text.size()));
  if (n < 0)
    return {};
  x.resize(static_cast<size_t>(n) - padding);
  return x;
}

result<scram_keys::per_hash> parse_one(
  std::string_view text, size_t key_bytes) {
  auto refuse = [] {
    return fail(errc::bad_request,
      "not a SCRAM secret as in RFC 5803: SCRAM-SHA-256$4096:salt$stored:server"
      ", salt and keys in base64");
  };
  scram_keys::per_hash x;
  auto colon = text.find(':');
  auto dollar = text.find('$', colon == text.npos ? 0 : colon);
  auto last = text.find(':', dollar == text.npos ? 0 : dollar);
  if (colon == text.npos || dollar == text.npos || last == text.npos)
    return refuse();
  auto [end, ec] =
    std::from_chars(text.data(), text.data() + colon, x.iterations);
  x.salt = from_base64(text.substr(colon + 1, dollar - colon - 1));
  x.stored_key = from_base64(text.substr(dollar + 1, last - dollar - 1));
  x.server_key = from_base64(text.substr(last + 1));
  if (x.iterations > defaults::scram_iterations_max
    || x.salt.size() > defaults::scram_salt_max)
    return fail(errc::bad_request,
      "at most " + std::to_string(defaults::scram_iterations_max)
        + " iterations and " + std::to_string(defaults::scram_salt_max)
        + " bytes of salt");
  if (ec != std::errc{} || end != text.data() + colon || x.iterations == 0
    || x.salt.empty() || x.stored_key.size() != key_bytes
    || x.server_key.size() != key_bytes)
    return refuse();
  return x;
}

} // namespace

bool is_scram_text(std::string_view text) noexcept {
  return text.starts_with(sha1) || text.starts_with(sha256);
}

result<scram_keys> parse_scram_text(const std::vector<std::string>& texts) {
  scram_keys x;
  for (std::string_view text : texts) {
    bool is_sha1 = text.starts_with(sha1);
    if (!is_scram_text(text))
      return fail(errc::bad_request, "only SCRAM-SHA-1 and SCRAM-SHA-256");
    text.remove_prefix(is_sha1 ? sha1.size() : sha256.size());
    auto one = parse_one(text, is_sha1 ? sha1_bytes : sha256_bytes);
    if (!one)
      return tl::unexpected(one.error());
    (is_sha1 ? x.sha1 : x.sha256) = std::move(*one);
  }
  return x;
}

} // namespace parley
