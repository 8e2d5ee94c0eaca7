#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

struct evp_mac_ctx_st;

namespace parley {

/// SipHash-2-4 under a random key of its own: nobody outside can find two texts
/// of one hash, which for a hash without secret takes no time. Not thread-safe.
class secret_hash {
public:
  /// Throws std::runtime_error if OpenSSL has no randomness or no SipHash.
  secret_hash();

  uint64_t operator()(std::string_view text) const noexcept;

private:
  struct freed {
    void operator()(evp_mac_ctx_st* x) const noexcept;
  };

  std::array<unsigned char, 16> x_key{};
  std::unique_ptr<evp_mac_ctx_st, freed> x_context;
};

} // namespace parley
