#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "protocol/errors.hpp"

namespace parley {

/// What a server keeps of a password (RFC 5802, 3): enough to check a proof,
/// not enough to sign in elsewhere. Octets, not text.
struct scram_keys {
  struct per_hash {
    std::string salt;
    uint32_t iterations = 0;
    /// 20 bytes for SHA-1, 32 for SHA-256.
    std::string stored_key;
    std::string server_key;
    bool operator==(const per_hash&) const = default;
    auto fields() { return std::tie(salt, iterations, stored_key, server_key); }
  };

  per_hash sha1;
  per_hash sha256;

  bool operator==(const scram_keys&) const = default;
  auto fields() { return std::tie(sha1, sha256); }
};

/// Derives keys with fresh salts; milliseconds of CPU. `bad_request` if the
/// password is empty, over `password_max` bytes, or SASLprep (RFC 4013)
/// forbids it. `iterations` from 1 to `scram_iterations_max`.
result<scram_keys> derive_keys(std::string_view password, uint32_t iterations);

/// Whether `password` is the one behind `keys`, compared in constant time;
/// milliseconds of CPU. Keys of one hash alone suffice. For an unknown user
/// ask with its decoy (`decoys`): the answer is no, after the same work.
bool password_matches(std::string_view password, const scram_keys& keys);

} // namespace parley
