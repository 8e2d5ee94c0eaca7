#include "persistence/keys.hpp"

#include "persistence/bytes.hpp"

namespace parley::keys {

namespace {

constexpr char kind_id = 1;
constexpr char kind_forgettable = 2;
constexpr char part_body = 0;
constexpr char part_references = 1;
constexpr char part_roster = 0;
constexpr char part_contacts = 1;
constexpr char part_roster_end = 2;
constexpr char part_totals = 0;
constexpr char part_collections = 1;
constexpr char part_documents_end = 2;
constexpr char part_rules = 0;
constexpr char part_document = 1;
constexpr char part_collection_end = 2;
constexpr char slot_wish = 0;
constexpr char slot_verdict = 1;

/// Length first: no part is another's beginning, whatever bytes it has.
void put_part(std::string& out, std::string_view part) {
  bytes::put_fixed(out, static_cast<uint16_t>(part.size()));
  out.append(part);
}

std::string take_part(bytes::reader& in) {
  return std::string(in.take(in.fixed<uint16_t>()));
}

/// Two's complement with its sign turned round sorts as the numbers do.
uint64_t sortable(wall_time t) {
  return static_cast<uint64_t>(t.time_since_epoch().count()) ^ 1ull << 63;
}

wall_time unsortable(uint64_t x) {
  return wall_time(wall_time::duration(static_cast<int64_t>(x ^ 1ull << 63)));
}

void put_retry_key(std::string& out, const retry_key& key) {
  put_part(out, key.sender.str());
  put_part(out, key.id.value);
  out.append(key.recipient.str());
}

retry_key take_retry_key(bytes::reader& in) {
  retry_key key;
  key.sender = user_address::from_prepared(take_part(in));
  key.id.value = take_part(in);
  key.recipient =
    user_address::from_prepared(std::string(in.take(in.rest().size())));
  return key;
}

std::string body_part(const body_key& key, char part) {
  std::string out;
  put_part(out, key.sender.str());
  put_part(out, key.id.value);
  bytes::put_fixed(out, key.content_hash);
  out.push_back(part);
  return out;
}

/// What concerns one user and, maybe, another, in one of the parts of a family.
std::string pair_part(
  const user_address& one, char part, std::string_view other = {}) {
  std::string out;
  out.reserve(2 + one.str().size() + 1 + other.size());
  put_part(out, one.str());
  out.push_back(part);
  out.append(other);
  return out;
}

} // namespace

std::string user(const user_address& user) {
  return user.str();
}

std::string im(const user_address& recipient, im_order order) {
  std::string out;
  out.reserve(2 + recipient.str().size() + 8);
  put_part(out, recipient.str());
  bytes::put_fixed(out, order.value);
  return out;
}

std::string im_end(const user_address& recipient) {
  auto out = im(recipient, im_order{UINT64_MAX});
  out.push_back(0);
  return out;
}

std::optional<std::pair<user_address, im_order>> parse_im(
  std::string_view key) {
  bytes::reader in(key);
  auto recipient = user_address::from_prepared(take_part(in));
  im_order order{in.fixed<uint64_t>()};
  if (!in.complete())
    return std::nullopt;
  return std::pair(std::move(recipient), order);
}

std::string id(const retry_key& key) {
  std::string out;
  out.reserve(1 + 2 + key.sender.str().size() + 2 + key.id.value.size()
    + key.recipient.str().size());
  out.push_back(kind_id);
  put_retry_key(out, key);
  return out;
}

std::string id_begin(const user_address& sender) {
  std::string out(1, kind_id);
  put_part(out, sender.str());
  return out;
}

std::string id_end(const user_address& sender) {
  // No id has 65 535 bytes.
  return id_begin(sender) + "\xff\xff";
}

std::optional<retry_key> parse_id(std::string_view key) {
  bytes::reader in(key);
  if (in.fixed<uint8_t>() != kind_id)
    return std::nullopt;
  auto result = take_retry_key(in);
  if (!in.complete())
    return std::nullopt;
  return result;
}

std::string id_kind() {
  return std::string(1, kind_id);
}

std::string id_kind_end() {
  return std::string(1, kind_forgettable);
}

std::string forgettable(const forgettable_key& key) {
  auto out = forgettable_begin(key.stored_at);
  bytes::put_fixed(out, key.order.value);
  put_retry_key(out, key.key);
  return out;
}

std::string forgettable_begin(wall_time stored_at) {
  std::string out(1, kind_forgettable);
  bytes::put_fixed(out, sortable(stored_at));
  return out;
}

std::optional<forgettable_key> parse_forgettable(std::string_view key) {
  bytes::reader in(key);
  if (in.fixed<uint8_t>() != kind_forgettable)
    return std::nullopt;
  forgettable_key result;
  result.stored_at = unsortable(in.fixed<uint64_t>());
  result.order.value = in.fixed<uint64_t>();
  result.key = take_retry_key(in);
  if (!in.complete())
    return std::nullopt;
  return result;
}

std::string body(const body_key& key) {
  return body_part(key, part_body);
}

std::string body_references(const body_key& key) {
  return body_part(key, part_references);
}

std::string roster(const user_address& user) {
  return pair_part(user, part_roster);
}

std::string contacts(const user_address& user) {
  return pair_part(user, part_contacts);
}

std::string contact(const user_address& user, const user_address& contact) {
  return contacts(user).append(contact.str());
}

std::string roster_end(const user_address& user) {
  return pair_part(user, part_roster_end);
}

std::optional<roster_place> parse_roster(std::string_view key) noexcept {
  bytes::reader in(key);
  roster_place result;
  result.user = in.take(in.fixed<uint16_t>());
  auto part = in.fixed<uint8_t>();
  result.contact = in.take(in.rest().size());
  if (part == part_contacts)
    result.what = result.contact.empty() ? roster_place::part::contacts
                                         : roster_place::part::contact;
  else if (part != part_roster || !result.contact.empty())
    return std::nullopt;
  return in.ok() ? std::optional(result) : std::nullopt;
}

std::string note(
  const user_address& from, bool is_wish, const user_address& to) {
  return pair_part(from, is_wish ? slot_wish : slot_verdict, to.str());
}

std::optional<note_place> parse_note(std::string_view key) {
  bytes::reader in(key);
  note_place result;
  result.from = user_address::from_prepared(take_part(in));
  auto slot = in.fixed<uint8_t>();
  auto to = in.take(in.rest().size());
  if (!in.ok() || (slot != slot_wish && slot != slot_verdict) || to.empty())
    return std::nullopt;
  result.to = user_address::from_prepared(std::string(to));
  result.is_wish = slot == slot_wish;
  return result;
}

namespace {

std::string collection_part(
  const user_address& owner, std::string_view name, char part) {
  auto out = pair_part(owner, part_collections);
  put_part(out, name);
  out.push_back(part);
  return out;
}

} // namespace

std::string documents(const user_address& owner) {
  return pair_part(owner, part_totals);
}

std::string documents_end(const user_address& owner) {
  return pair_part(owner, part_documents_end);
}

std::string collection(const user_address& owner, std::string_view name) {
  return collection_part(owner, name, part_rules);
}

std::string document(
  const user_address& owner, std::string_view collection, std::string_view id) {
  return collection_part(owner, collection, part_document).append(id);
}

std::string documents_begin(
  const user_address& owner, std::string_view collection) {
  return collection_part(owner, collection, part_document);
}

std::string documents_end(
  const user_address& owner, std::string_view collection) {
  return collection_part(owner, collection, part_collection_end);
}

std::optional<document_place> parse_document(std::string_view key) noexcept {
  bytes::reader in(key);
  document_place x;
  x.owner = in.take(in.fixed<uint16_t>());
  auto part = in.fixed<uint8_t>();
  if (part == part_totals)
    return in.complete() ? std::optional(x) : std::nullopt;
  x.collection = in.take(in.fixed<uint16_t>());
  auto within = in.fixed<uint8_t>();
  x.id = in.take(in.rest().size());
  bool is_document = within == part_document;
  if (!in.ok() || part != part_collections || x.collection.empty()
    || (!is_document && within != part_rules) || is_document == x.id.empty())
    return std::nullopt;
  return x;
}

std::string left(const user_address& user) {
  return std::string{left_begin} + user.str();
}

user_address parse_left(std::string_view key) {
  return user_address::from_prepared(
    std::string{key.substr(left_begin.size())});
}

std::string domain(std::string_view name) {
  return "domain/" + std::string{name};
}

std::string audit(uint64_t number) {
  std::string out;
  bytes::put_fixed(out, number);
  return out;
}

std::optional<uint64_t> parse_audit(std::string_view key) {
  bytes::reader in(key);
  auto number = in.fixed<uint64_t>();
  if (!in.complete())
    return std::nullopt;
  return number;
}

} // namespace parley::keys
