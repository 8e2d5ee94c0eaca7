#include "protocol/decoys.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

constexpr size_t sha1_bytes = 20;
constexpr size_t sha256_bytes = 32;

std::string hmac(std::string_view key, std::string_view text) {
  std::string mac(sha256_bytes, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
    reinterpret_cast<const unsigned char*>(text.data()), text.size(),
    reinterpret_cast<unsigned char*>(mac.data()), nullptr);
  return mac;
}

/// `size` octets that only who has the secret can tell.
std::string secret_of(std::string_view secret, std::string_view what,
  std::string_view user, size_t size) {
  std::string label{what};
  label += '\0';
  label += user;
  auto x = hmac(secret, label);
  while (x.size() < size)
    x += hmac(secret, x.substr(x.size() - sha256_bytes));
  x.resize(size);
  return x;
}

scram_shape::per_hash shape_of(const scram_keys::per_hash& x) noexcept {
  if (x.iterations == 0 || x.stored_key.empty())
    return {};
  return {x.iterations, static_cast<uint32_t>(x.salt.size())};
}

/// Evenly in (0, 1), drawn for this user and shape.
double even(
  std::string_view secret, std::string_view user, const scram_shape& shape) {
  std::string what{"shape"};
  for (const auto& x : {shape.sha1, shape.sha256})
    what +=
      ' ' + std::to_string(x.iterations) + '/' + std::to_string(x.salt_bytes);
  const auto octets = secret_of(secret, what, user, sizeof(uint64_t));
  uint64_t x = 0;
  std::memcpy(&x, octets.data(), sizeof(x));
  constexpr unsigned bits = std::numeric_limits<double>::digits;
  return (static_cast<double>(x >> (64 - bits)) + 0.5) / std::ldexp(1.0, bits);
}

} // namespace

scram_shape scram_shape::of(const scram_keys& keys) noexcept {
  return {shape_of(keys.sha1), shape_of(keys.sha256)};
}

scram_shape scram_shape::own() noexcept {
  constexpr per_hash x{defaults::scram_iterations, defaults::scram_salt_bytes};
  return {x, x};
}

scram_keys decoy_keys(
  std::string_view user, std::string_view secret, const scram_shape& shape) {
  scram_keys keys;
  if (const auto& x = shape.sha1; x.iterations > 0)
    keys.sha1 = {secret_of(secret, "sha1 salt", user, x.salt_bytes),
      x.iterations, secret_of(secret, "sha1 stored", user, sha1_bytes),
      secret_of(secret, "sha1 server", user, sha1_bytes)};
  if (const auto& x = shape.sha256; x.iterations > 0)
    keys.sha256 = {secret_of(secret, "sha256 salt", user, x.salt_bytes),
      x.iterations, secret_of(secret, "sha256 stored", user, sha256_bytes),
      secret_of(secret, "sha256 server", user, sha256_bytes)};
  return keys;
}

decoys::decoys(std::string secret) : x_secret(std::move(secret)) {}

void decoys::add(const scram_keys& keys) {
  const auto shape = scram_shape::of(keys);
  const std::lock_guard guard{x_mutex};
  if (auto i = x_shapes.find(shape); i != x_shapes.end())
    ++i->second;
  else if (x_shapes.size() < defaults::scram_shapes_max)
    x_shapes.emplace(shape, 1);
}

void decoys::remove(const scram_keys& keys) {
  const std::lock_guard guard{x_mutex};
  auto i = x_shapes.find(scram_shape::of(keys));
  if (i != x_shapes.end() && --i->second == 0)
    x_shapes.erase(i);
}

/// Rendezvous hashing by weight (Schindelhauer and Schomaker, 2005): another
/// account changes the shape of few names, and of none at all where all
/// accounts are alike.
scram_shape decoys::draw(std::string_view user) const {
  const std::lock_guard guard{x_mutex};
  auto best = scram_shape::own();
  auto least = std::numeric_limits<double>::infinity();
  for (const auto& [shape, accounts] : x_shapes) {
    const auto score =
      -std::log(even(x_secret, user, shape)) / static_cast<double>(accounts);
    if (score < least) {
      least = score;
      best = shape;
    }
  }
  return best;
}

scram_keys decoys::keys_of(std::string_view user) const {
  return decoy_keys(user, x_secret, draw(user));
}

scram_keys decoys::own_keys_of(std::string_view user) const {
  return decoy_keys(user, x_secret, scram_shape::own());
}

} // namespace parley
