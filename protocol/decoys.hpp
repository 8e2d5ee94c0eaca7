#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "protocol/scram_keys.hpp"

namespace parley {

/// What a user's keys tell before any proof: iterations and bytes of the salt
/// for each hash. Both 0: there are no keys of that hash.
struct scram_shape {
  struct per_hash {
    uint32_t iterations = 0;
    uint32_t salt_bytes = 0;
    auto operator<=>(const per_hash&) const = default;
  };

  per_hash sha1;
  per_hash sha256;
  auto operator<=>(const scram_shape&) const = default;

  static scram_shape of(const scram_keys& keys) noexcept;
  /// That of keys which this server derives.
  static scram_shape own() noexcept;
};

/// Keys that no password fits: what a sign-in under an unknown name is answered
/// with, so that nobody learns who has an account. The same for the same user
/// as long as `secret` is.
scram_keys decoy_keys(
  std::string_view user, std::string_view secret, const scram_shape& shape);

/// Decoys that look like this server's accounts. Imported keys may have other
/// parameters than its own; a decoy takes those of one account or another,
/// drawn by its name, each as often as accounts have them. Thread-safe.
class decoys {
public:
  /// `secret` must stay the same as long as the accounts do.
  explicit decoys(std::string secret);

  /// An account has such keys. Of `scram_shapes_max` shapes at most.
  void add(const scram_keys& keys);
  /// It was not made after all.
  void remove(const scram_keys& keys);

  /// For a user who is unknown. A hash may be without keys.
  scram_keys keys_of(std::string_view user) const;

  /// With this server's own parameters, for a hash that the keys of a user, or
  /// of a decoy, do not have.
  scram_keys own_keys_of(std::string_view user) const;

private:
  scram_shape draw(std::string_view user) const;

  std::string x_secret;
  mutable std::mutex x_mutex;
  /// How many accounts have which.
  std::map<scram_shape, uint64_t> x_shapes;
};

} // namespace parley
