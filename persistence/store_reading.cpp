#include <algorithm>

#include "persistence/keys.hpp"
#include "persistence/store.hpp"
#include "persistence/store_impl.hpp"

namespace parley {

namespace {

/// `im_order` counts microseconds.
im_order order_of(wall_time t) {
  auto micros = std::chrono::microseconds(t.time_since_epoch()).count();
  return im_order{micros < 0 ? 0 : static_cast<uint64_t>(micros)};
}

} // namespace

// -- users and IMs ------------------------------------------------------------

result<records::head_record> store::impl::head(
  const user_address& user, const rocksdb::Snapshot* at) {
  auto value = db->get(family::heads, keys::user(user), at);
  if (!value)
    return tl::unexpected(std::move(value.error()));
  if (!*value)
    return records::head_record{};
  if (auto head = records::decode_head(**value))
    return *head;
  return tl::unexpected(undecodable("the head of " + user.str()));
}

result<user_head> store::head(const user_address& user) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  read_point now(*x_impl->db);
  auto account = x_impl->db->get(family::accounts, keys::user(user), now.get());
  if (!account)
    return tl::unexpected(std::move(account.error()));
  return x_impl->head(user, now.get()).map([&](const auto& head) {
    user_head out;
    out.exists = account->has_value();
    out.stored = head.stored;
    out.last = head.last;
    return out;
  });
}

result<stored_im> store::impl::complete(const user_address& recipient,
  im_order order, records::im_record record, const rocksdb::Snapshot* at) {
  im message;
  if (record.body_hash) {
    keys::body_key key{record.from.user, record.id, *record.body_hash};
    auto value = db->get(family::bodies, keys::body(key), at);
    if (!value)
      return tl::unexpected(std::move(value.error()));
    auto body = *value ? records::decode_body(**value) : std::nullopt;
    if (!body)
      return tl::unexpected(undecodable("a broadcast to " + recipient.str()));
    message.body = std::move(body->body);
    message.payloads = std::move(body->payloads);
  } else {
    message.body = std::move(record.body);
    message.payloads = std::move(record.payloads);
  }
  message.id = std::move(record.id);
  message.from = std::move(record.from);
  message.sent_at = record.sent_at;
  message.receipts = record.receipts;
  stored_im out;
  out.recipient = recipient;
  out.order = order;
  out.to = address{recipient, std::move(record.to)};
  out.message = shared<im>(std::move(message));
  return out;
}

result<std::vector<stored_im>> store::ims(
  const user_address& user, im_order from, size_t max) {
  std::vector<stored_im> out;
  if (max == 0)
    return out;
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  read_point now(*x_impl->db);
  auto head = x_impl->head(user, now.get());
  if (!head)
    return tl::unexpected(std::move(head.error()));
  if (head->stored == 0)
    return out;
  database::range range;
  range.begin = keys::im(user, std::max(from, head->floor));
  range.end = keys::im_end(user);
  range.snapshot = now.get();
  auto done = x_impl->db->scan(family::ims, range,
    [&](std::string_view key, std::string_view value) -> result<bool> {
      auto place = keys::parse_im(key);
      auto record = records::decode_im(value);
      if (!place || !record)
        return tl::unexpected(undecodable("an IM to " + user.str()));
      auto im = x_impl->complete(
        user, place->second, std::move(*record), now.get());
      if (!im)
        return tl::unexpected(std::move(im.error()));
      out.push_back(std::move(*im));
      return out.size() < max;
    });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return out;
}

/// Adds to `out` what `user` has from `floor` on before `end`. Lowers `oldest`
/// to the first IM found, expired or not.
result<void> store::impl::find_expired(const user_address& user, im_order floor,
  im_order end, sweep& look) {
  database::range range;
  range.begin = keys::im(user, floor);
  range.end = keys::im_end(user);
  range.snapshot = look.at;
  range.keep_in_cache = false;
  return db->scan(family::ims, range,
    [&](std::string_view key, std::string_view) -> result<bool> {
      auto place = keys::parse_im(key);
      if (!place)
        return tl::unexpected(undecodable("the place of an IM"));
      look.oldest = std::min(look.oldest, place->second);
      if (place->second >= end)
        return false;
      look.found.push_back(std::move(*place));
      return look.found.size() < look.max;
    });
}

result<void> store::impl::find_expired(im_order end, sweep& look) {
  database::range range;
  range.snapshot = look.at;
  range.keep_in_cache = false;
  return db->scan(family::heads, range,
    [&](std::string_view key, std::string_view value) -> result<bool> {
      auto user = user_address::from_prepared(std::string(key));
      auto head = records::decode_head(value);
      if (!head)
        return tl::unexpected(undecodable("the head of " + user.str()));
      if (head->stored == 0)
        return true;
      if (head->floor >= end) {
        look.oldest = std::min(look.oldest, head->floor);
        return true;
      }
      if (auto done = find_expired(user, head->floor, end, look); !done)
        return tl::unexpected(std::move(done.error()));
      return look.found.size() < look.max;
    });
}

result<std::vector<std::pair<user_address, im_order>>> store::ims_before(
  wall_time before, size_t max) {
  auto end = order_of(before);
  impl::sweep look;
  look.max = max;
  std::lock_guard sweeping(x_impl->sweeping);
  result<void> done;
  {
    std::unique_lock writing(x_impl->writing);
    if (max == 0 || end <= x_impl->oldest)
      return std::move(look.found);
    auto lock = x_impl->reading();
    if (!lock)
      return tl::unexpected(std::move(lock.error()));
    // From here on commits note what this look cannot see.
    x_impl->oldest = impl::none_waits;
    read_point now(*x_impl->db);
    writing.unlock();
    look.at = now.get();
    done = x_impl->find_expired(end, look);
  }
  std::lock_guard writing(x_impl->writing);
  // An unfinished look knows nothing.
  if (!done || look.found.size() >= max)
    look.oldest = im_order{};
  x_impl->oldest = std::min(x_impl->oldest, look.oldest);
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return std::move(look.found);
}

// -- retry ids ----------------------------------------------------------------

result<std::optional<stored_id>> store::find_id(const retry_key& key) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  auto value = x_impl->db->get(family::ids, keys::id(key));
  if (!value)
    return tl::unexpected(std::move(value.error()));
  if (!*value)
    return std::optional<stored_id>();
  auto record = records::decode_id(**value);
  if (!record)
    return tl::unexpected(undecodable("a remembered id"));
  return std::optional(stored_id{record->content_hash, record->stored_at});
}

result<void> store::each_id(
  const std::function<void(uint64_t hash, wall_time stored_at)>& each) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  database::range all;
  all.begin = keys::id_kind();
  all.end = keys::id_kind_end();
  all.keep_in_cache = false;
  return x_impl->db->scan(family::ids, all,
    [&](std::string_view key, std::string_view value) -> result<bool> {
      auto id = keys::parse_id(key);
      auto record = records::decode_id(value);
      if (!id || !record)
        return tl::unexpected(undecodable("a remembered id"));
      each(retry_hash(*id), record->stored_at);
      return true;
    });
}

// -- accounts, settings, audit ------------------------------------------------

result<std::optional<account>> store::find_account(const user_address& user) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  auto value = x_impl->db->get(family::accounts, keys::user(user));
  if (!value)
    return tl::unexpected(std::move(value.error()));
  if (!*value)
    return std::optional<account>();
  auto keys = records::decode_account(**value);
  if (!keys)
    return tl::unexpected(undecodable("the account of " + user.str()));
  return std::optional(account{user, std::move(*keys)});
}

result<void> store::each_account(
  const std::function<void(const account&)>& each) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  database::range all;
  all.keep_in_cache = false;
  return x_impl->db->scan(family::accounts, all,
    [&](std::string_view key, std::string_view value) -> result<bool> {
      auto user = user_address::from_prepared(std::string(key));
      auto keys = records::decode_account(value);
      if (!keys)
        return tl::unexpected(undecodable("the account of " + user.str()));
      each(account{std::move(user), std::move(*keys)});
      return true;
    });
}

result<std::vector<std::pair<std::string, std::string>>> store::settings() {
  std::vector<std::pair<std::string, std::string>> out;
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  auto done = x_impl->db->scan(family::settings, {},
    [&](std::string_view key, std::string_view value) -> result<bool> {
      auto text = records::decode_setting(value);
      if (!text)
        return tl::unexpected(undecodable("the setting " + std::string(key)));
      out.emplace_back(key, std::move(*text));
      return true;
    });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return out;
}

result<std::vector<audit_entry>> store::audit(size_t max) {
  std::vector<audit_entry> out;
  if (max == 0)
    return out;
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  auto done = x_impl->db->scan_back(family::audit,
    [&](std::string_view, std::string_view value) -> result<bool> {
      auto entry = records::decode_audit(value);
      if (!entry)
        return tl::unexpected(undecodable("a line of the audit log"));
      out.push_back(std::move(*entry));
      return out.size() < max;
    });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return out;
}

const std::string& store::secret() const noexcept {
  return x_impl->secret;
}

} // namespace parley
