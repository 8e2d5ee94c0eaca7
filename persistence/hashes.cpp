#define XXH_INLINE_ALL
#include <xxhash.h>

#include "persistence/store.hpp"

namespace parley {

namespace {

/// What a hash is of, so that no two kinds are ever alike. Never to be changed.
constexpr uint64_t of_retry_key = 1;
constexpr uint64_t of_content = 2;

/// Each piece is hashed with what came before it as seed; XXH3 takes the
/// length in, so that it matters where pieces meet.
uint64_t add(uint64_t hash, std::string_view text) noexcept {
  return XXH3_64bits_withSeed(text.data(), text.size(), hash);
}

uint64_t add(uint64_t hash, uint64_t x) noexcept {
  unsigned char octets[sizeof(x)];
  for (auto& c : octets) {
    c = static_cast<unsigned char>(x);
    x >>= 8;
  }
  return XXH3_64bits_withSeed(octets, sizeof(octets), hash);
}

} // namespace

uint64_t retry_hash(const retry_key& key) noexcept {
  return retry_hash(key.sender, key.id, key.recipient);
}

uint64_t retry_hash(const user_address& sender, const message_id& id,
  const user_address& recipient) noexcept {
  auto hash = add(of_retry_key, sender.str());
  hash = add(hash, id.value);
  return add(hash, recipient.str());
}

uint64_t content_hash(const im& message) noexcept {
  auto hash = add(of_content, message.body);
  for (auto& x : message.payloads) {
    hash = add(hash, x.type);
    hash = add(hash, x.data);
  }
  return add(hash, message.payloads.size() * 2 + uint64_t{message.receipts});
}

} // namespace parley
