#include "persistence/sip_hash.hpp"
#include "persistence/store.hpp"

namespace parley {

namespace {

/// What a hash is of, so that no two kinds are ever alike. Never to be changed.
constexpr uint64_t of_retry_key = 1;
constexpr uint64_t of_content = 2;
constexpr uint64_t hash_key = 0x7061726c65790000;

void add_text(sip_hash& hash, std::string_view text) {
  hash.add(text.size());
  hash.add(text);
}

} // namespace

uint64_t retry_hash(const retry_key& key) noexcept {
  return retry_hash(key.sender, key.id, key.recipient);
}

uint64_t retry_hash(const user_address& sender, const message_id& id,
  const user_address& recipient) noexcept {
  sip_hash hash(hash_key, of_retry_key);
  add_text(hash, sender.str());
  add_text(hash, id.value);
  add_text(hash, recipient.str());
  return hash.finish();
}

uint64_t content_hash(const im& message) noexcept {
  sip_hash hash(hash_key, of_content);
  add_text(hash, message.body);
  hash.add(message.payloads.size());
  for (auto& x : message.payloads) {
    add_text(hash, x.type);
    add_text(hash, x.data);
  }
  hash.add(uint64_t{message.receipts});
  return hash.finish();
}

} // namespace parley
