#include <algorithm>
#include <set>

#include "persistence/keys.hpp"
#include "persistence/store.hpp"
#include "persistence/store_impl.hpp"
#include "protocol/defaults.hpp"

namespace parley {

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
  auto head = x_impl->head(user, now.get());
  if (!head)
    return tl::unexpected(std::move(head.error()));
  user_head out;
  out.exists = out.domain_known = account->has_value();
  if (!out.exists) {
    auto domain =
      x_impl->db->get(family::meta, keys::domain(user.domain()), now.get());
    if (!domain && domain.error().code != errc::store_corrupt)
      return tl::unexpected(std::move(domain.error()));
    out.domain_known = domain && domain->has_value();
  }
  out.stored = head->stored;
  out.last = head->last;
  out.roster = head->roster;
  out.contacts = head->contacts;
  out.watchers = head->watchers;
  out.requests = head->requests;
  out.removed_at = head->removed_at;
  if (head->blocks) {
    auto blocks = x_impl->privacy_of(user, now.get());
    if (!blocks)
      return tl::unexpected(std::move(blocks.error()));
    out.blocks = shared<privacy>(std::move(*blocks));
  }
  return out;
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
      return tl::unexpected(undecodable("a broadcast to " + recipient.str()
        + " of order " + std::to_string(order.value)));
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

result<stored_im> store::impl::read_im(
  std::string_view key, std::string_view value, const rocksdb::Snapshot* at) {
  auto place = keys::parse_im(key);
  if (!place)
    return tl::unexpected(undecodable("the place of an IM"));
  auto record = records::decode_im(value);
  if (!record)
    return tl::unexpected(undecodable("an IM to " + place->first.str()
      + " of order " + std::to_string(place->second.value)));
  return complete(place->first, place->second, std::move(*record), at);
}

void store::impl::pass_over(
  family where, std::string_view key, const failure& why) {
  {
    std::lock_guard lock(passing_over);
    if (unreadable.size() >= defaults::unreadable_max
      || !unreadable.emplace(where, key).second)
      return;
  }
  if (how.report)
    how.report(why);
}

uint64_t store::unreadable() const noexcept {
  std::lock_guard lock(x_impl->passing_over);
  return x_impl->unreadable.size();
}

/// RocksDB says that a block is damaged, and not where it ends: that is sought,
/// in steps that double and then halve, with some hundred looks at the most.
std::string store::impl::behind_damage(
  const user_address& user, im_order from, database::range range) {
  auto is_damaged = [&](uint64_t order) {
    range.begin = keys::im(user, im_order{order});
    auto done = db->scan(family::ims, range,
      [](std::string_view, std::string_view) -> result<bool> { return false; });
    return !done && done.error().code == errc::store_corrupt;
  };
  auto damaged = from.value;
  auto behind = damaged;
  while (is_damaged(behind)) {
    damaged = behind;
    if (damaged == UINT64_MAX)
      return range.end;
    behind += std::min(damaged - from.value + 1, UINT64_MAX - damaged);
  }
  while (behind - damaged > 1) {
    auto middle = damaged + (behind - damaged) / 2;
    (is_damaged(middle) ? damaged : behind) = middle;
  }
  return keys::im(user, im_order{behind});
}

database::range store::impl::without_damaged(database::range range) {
  rocksdb::Range place(slice(range.begin), slice(range.end));
  rocksdb::TablePropertiesCollection tables;
  auto status = db->rocks().GetPropertiesOfTablesInRange(
    db->handle(family::ims), &place, 1, &tables);
  std::set<uint64_t> damaged;
  for (const auto& [file, table] : tables) {
    if (!status.ok())
      break; // all are looked into
    auto number = table->orig_file_number;
    range.tables = [number](const rocksdb::TableProperties& x) {
      return x.orig_file_number == number;
    };
    if (!db->scan(family::ims, range,
          [](std::string_view, std::string_view) -> result<bool> {
            return true;
          }))
      damaged.insert(number);
  }
  range.tables = [damaged = std::move(damaged)](
                   const rocksdb::TableProperties& x) {
    return !damaged.contains(x.orig_file_number);
  };
  return range;
}

result<void> store::impl::scan_ims(const user_address& user,
  database::range range, const database::visitor& each) {
  bool goes_on = true;
  std::string last;
  auto visit = [&](
                 std::string_view key, std::string_view value) -> result<bool> {
    last = key;
    auto more = each(key, value);
    goes_on = more && *more;
    return more;
  };
  while (goes_on) {
    last.clear();
    auto done = db->scan(family::ims, range, visit);
    if (done || done.error().code != errc::store_corrupt)
      return done;
    auto place = keys::parse_im(last.empty() ? range.begin : last);
    if (!place)
      return done;
    auto from = place->second;
    from.value += !last.empty();
    auto hidden = range;
    hidden.begin = keys::im(user, from);
    range.begin = hidden.end = behind_damage(user, from, range);
    // Known again by its end: where a reading meets it first differs.
    pass_over(family::ims, range.begin,
      failure{errc::store_corrupt,
        "IMs to " + user.str() + " from order " + std::to_string(from.value)
          + " on: " + done.error().text});
    auto others = db->scan(family::ims, without_damaged(hidden), visit);
    if (!others && others.error().code != errc::store_corrupt)
      return others;
    goes_on &= range.begin != range.end;
  }
  return {};
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
  auto done = x_impl->scan_ims(user, range,
    [&](std::string_view key, std::string_view value) -> result<bool> {
      auto im = x_impl->read_im(key, value, now.get());
      if (im)
        out.push_back(std::move(*im));
      else if (im.error().code == errc::store_corrupt)
        x_impl->pass_over(family::ims, key, im.error());
      else
        return tl::unexpected(std::move(im.error()));
      return out.size() < max;
    });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return out;
}

// -- retry ids ----------------------------------------------------------------

result<std::optional<stored_id>> store::find_id(const retry_key& key) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  read_point now(*x_impl->db);
  auto value = x_impl->db->get(family::ids, keys::id(key), now.get());
  if (!value)
    return tl::unexpected(std::move(value.error()));
  if (!*value)
    return std::optional<stored_id>();
  auto record = records::decode_id(**value);
  if (!record)
    return tl::unexpected(undecodable("a remembered id"));
  auto goes = x_impl->is_left(key.recipient, record->order, now.get());
  if (!goes)
    return tl::unexpected(std::move(goes.error()));
  if (*goes)
    return std::optional<stored_id>();
  return std::optional(stored_id{record->content_hash, record->stored_at});
}

/// Whether a removed account has left this IM, which is still to be taken out.
result<bool> store::impl::is_left(
  const user_address& recipient, im_order order, const rocksdb::Snapshot* at) {
  auto upto = db->get(family::meta, keys::left(recipient), at);
  if (!upto)
    return tl::unexpected(std::move(upto.error()));
  auto last = *upto ? records::decode_number(**upto) : std::nullopt;
  if (!last || order.value > *last)
    return false;
  return db->get(family::ims, keys::im(recipient, order), at)
    .map([](const auto& im) { return im.has_value(); });
}

// -- accounts, settings, audit ------------------------------------------------

result<std::optional<account>> store::find_account(const user_address& user) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  // Strangers ask for names, and time the answer. One that has no account costs
  // what another costs: a seek past the filters to where it would be, and the
  // decoding of what is there, its neighbour.
  database::range from;
  from.begin = keys::user(user);
  std::optional<account> found;
  std::optional<failure> broken;
  bool met = false;
  auto look = [&](
                std::string_view key, std::string_view value) -> result<bool> {
    met = true;
    auto keys = records::decode_account(value);
    if (key == from.begin && keys)
      found = account{user, std::move(*keys)};
    else if (key == from.begin)
      broken = undecodable("the account of " + user.str());
    return false;
  };
  auto sought = x_impl->db->scan(family::accounts, from, look);
  if (sought && !met)
    sought = x_impl->db->scan_back(family::accounts, look);
  if (!sought)
    return tl::unexpected(std::move(sought.error()));
  if (broken)
    return tl::unexpected(std::move(*broken));
  return found;
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
      if (auto keys = records::decode_account(value))
        each(account{std::move(user), std::move(*keys)});
      else
        x_impl->pass_over(
          family::accounts, key, undecodable("the account of " + user.str()));
      return true;
    });
}

result<std::vector<user_address>> store::accounts(
  const user_address& last, size_t max) {
  std::vector<user_address> out;
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  database::range range;
  range.begin = last.str();
  range.keep_in_cache = false;
  auto done = x_impl->db->scan(family::accounts, range,
    [&](std::string_view key, std::string_view) -> result<bool> {
      if (out.size() == max)
        return false;
      if (key != last.str())
        out.push_back(user_address::from_prepared(std::string(key)));
      return true;
    });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return out;
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
