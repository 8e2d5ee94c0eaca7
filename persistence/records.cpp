#include "persistence/records.hpp"

#include "persistence/bytes.hpp"

namespace parley::records {

namespace {

using bytes::put_fixed;
using bytes::put_text;
using bytes::put_varint;

/// Of every form but those below. A form that changes gets the next number, and
/// its decoder goes on taking both.
constexpr uint8_t version = 1;
constexpr uint8_t head_version = 3;
constexpr uint8_t head_without_sharing = 2;
/// Of a name whose account was removed, which most were not: only then is it
/// written.
constexpr uint8_t head_of_removed = 4;

constexpr uint8_t flag_receipts = 1;
constexpr uint8_t flag_apart = 2;

constexpr uint8_t flag_roster = 1;
constexpr uint8_t flag_blocks = 2;
/// Of the user's own switch; neither: by default.
constexpr uint8_t flag_shares = 4;
constexpr uint8_t flag_hides = 8;
/// The switch is in the roster alone.
constexpr uint8_t flag_either = flag_shares | flag_hides;

std::string begin(uint8_t form = version) {
  std::string out;
  put_fixed(out, form);
  return out;
}

/// A reader that is past the version, or one that is not ok.
bytes::reader begin(std::string_view value) {
  bytes::reader in(value);
  if (in.fixed<uint8_t>() != version)
    in.take(UINT64_MAX);
  return in;
}

/// A byte of flags, of which only these are known.
uint8_t take_flags(bytes::reader& in, int known) {
  auto x = in.fixed<uint8_t>();
  if (x & ~known)
    in.take(UINT64_MAX);
  return x;
}

template <class T>
std::optional<T> complete(const bytes::reader& in, T x) {
  if (!in.complete())
    return std::nullopt;
  return x;
}

void put_time(std::string& out, wall_time t) {
  put_fixed(out, static_cast<uint64_t>(t.time_since_epoch().count()));
}

wall_time take_time(bytes::reader& in) {
  return wall_time(
    wall_time::duration(static_cast<int64_t>(in.fixed<uint64_t>())));
}

std::string take_text(bytes::reader& in) {
  return std::string(in.text());
}

void put_content(std::string& out, const im& message) {
  put_text(out, message.body);
  put_varint(out, message.payloads.size());
  for (auto& x : message.payloads) {
    put_text(out, x.type);
    put_text(out, x.data);
  }
}

template <class Record>
void take_content(bytes::reader& in, Record& x) {
  x.body = take_text(in);
  // Not reserved: the number may be wrong, the bytes have to be there.
  for (auto n = in.varint(); n > 0 && in.ok(); --n) {
    payload p;
    p.type = take_text(in);
    p.data = take_text(in);
    x.payloads.push_back(std::move(p));
  }
}

void put_hash_keys(std::string& out, const scram_keys::per_hash& x) {
  put_text(out, x.salt);
  put_fixed(out, x.iterations);
  put_text(out, x.stored_key);
  put_text(out, x.server_key);
}

scram_keys::per_hash take_hash_keys(bytes::reader& in) {
  scram_keys::per_hash x;
  x.salt = take_text(in);
  x.iterations = in.fixed<uint32_t>();
  x.stored_key = take_text(in);
  x.server_key = take_text(in);
  return x;
}

/// A byte up to that of `last`, the greatest of its kind.
template <class Enum>
Enum take_enum(bytes::reader& in, Enum last) {
  auto x = in.fixed<uint8_t>();
  if (x > static_cast<uint8_t>(last)) {
    in.take(UINT64_MAX);
    return {};
  }
  return static_cast<Enum>(x);
}

user_address take_user(bytes::reader& in) {
  return user_address::from_prepared(take_text(in));
}

void put_users(std::string& out, const std::vector<user_address>& users) {
  put_varint(out, users.size());
  for (auto& x : users)
    put_text(out, x.str());
}

std::vector<user_address> take_users(bytes::reader& in) {
  std::vector<user_address> out;
  for (auto n = in.varint(); n > 0 && in.ok(); --n)
    out.push_back(take_user(in));
  return out;
}

} // namespace

std::string encode_im(const im& message, const endpoint_name& to,
  std::optional<uint64_t> body_hash) {
  // Beside the texts: version, flags, time, lengths.
  constexpr size_t other_bytes = 32;
  std::string out;
  out.reserve(other_bytes + message.id.value.size()
    + message.from.user.str().size() + message.from.endpoint.str().size()
    + to.str().size() + (body_hash ? 0 : message.body.size()));
  put_fixed(out, version);
  put_fixed(out,
    static_cast<uint8_t>(
      (message.receipts ? flag_receipts : 0) | (body_hash ? flag_apart : 0)));
  put_time(out, message.sent_at);
  put_text(out, message.id.value);
  put_text(out, message.from.user.str());
  put_text(out, message.from.endpoint.str());
  put_text(out, to.str());
  if (body_hash)
    put_fixed(out, *body_hash);
  else
    put_content(out, message);
  return out;
}

std::optional<im_record> decode_im(std::string_view value) {
  auto in = begin(value);
  im_record x;
  auto flags = take_flags(in, flag_receipts | flag_apart);
  x.receipts = flags & flag_receipts;
  x.sent_at = take_time(in);
  x.id.value = take_text(in);
  x.from.user = user_address::from_prepared(take_text(in));
  x.from.endpoint = endpoint_name::from_prepared(take_text(in));
  x.to = endpoint_name::from_prepared(take_text(in));
  if (flags & flag_apart)
    x.body_hash = in.fixed<uint64_t>();
  else
    take_content(in, x);
  return complete(in, std::move(x));
}

std::string encode_body(const im& message) {
  auto out = begin();
  put_content(out, message);
  return out;
}

std::optional<body_record> decode_body(std::string_view value) {
  auto in = begin(value);
  body_record x;
  take_content(in, x);
  return complete(in, std::move(x));
}

uint8_t sharing_flags(const std::optional<sharing>& x) {
  if (!x)
    return flag_either;
  switch (*x) {
  case sharing::on:
    return flag_shares;
  case sharing::off:
    return flag_hides;
  case sharing::by_default:
    break;
  }
  return 0;
}

std::optional<sharing> sharing_of(uint8_t flags) {
  switch (flags & flag_either) {
  case flag_either:
    return std::nullopt;
  case flag_shares:
    return sharing::on;
  case flag_hides:
    return sharing::off;
  default:
    return sharing::by_default;
  }
}

std::string encode_head(const head_record& x) {
  auto out = begin(x.removed_at == 0 ? head_version : head_of_removed);
  put_fixed(out, x.floor.value);
  put_fixed(out, x.last.value);
  put_varint(out, x.stored);
  put_fixed(out,
    static_cast<uint8_t>((x.roster ? flag_roster : 0)
      | (x.blocks ? flag_blocks : 0) | sharing_flags(x.sharing)));
  if (x.roster)
    for (auto n : {x.contacts, x.watchers, x.requests})
      put_varint(out, n);
  if (x.removed_at != 0)
    put_varint(out, x.removed_at);
  return out;
}

std::optional<head_record> decode_head(std::string_view value) {
  bytes::reader in(value);
  auto form = in.fixed<uint8_t>();
  if (form < version || form > head_of_removed)
    return std::nullopt;
  head_record x;
  x.floor.value = in.fixed<uint64_t>();
  x.last.value = in.fixed<uint64_t>();
  x.stored = in.varint();
  if (form == version)
    return complete(in, x);
  auto known = flag_roster | flag_blocks;
  auto flags =
    take_flags(in, form == head_without_sharing ? known : known | flag_either);
  x.roster = flags & flag_roster;
  x.blocks = flags & flag_blocks;
  if (form != head_without_sharing)
    x.sharing = sharing_of(flags);
  else if (x.roster)
    x.sharing = std::nullopt;
  if (x.roster)
    for (auto* n : {&x.contacts, &x.watchers, &x.requests})
      *n = in.varint();
  if (form == head_of_removed) {
    x.removed_at = in.varint();
    if (x.removed_at == 0)
      return std::nullopt; // which has another form
  }
  return complete(in, x);
}

std::string encode_id(const id_record& x) {
  auto out = begin();
  put_fixed(out, x.content_hash);
  put_time(out, x.stored_at);
  put_fixed(out, x.order.value);
  return out;
}

std::optional<id_record> decode_id(std::string_view value) {
  auto in = begin(value);
  id_record x;
  x.content_hash = in.fixed<uint64_t>();
  x.stored_at = take_time(in);
  x.order.value = in.fixed<uint64_t>();
  return complete(in, x);
}

std::string encode_account(const scram_keys& x) {
  auto out = begin();
  put_hash_keys(out, x.sha1);
  put_hash_keys(out, x.sha256);
  return out;
}

std::optional<scram_keys> decode_account(std::string_view value) {
  auto in = begin(value);
  scram_keys x;
  x.sha1 = take_hash_keys(in);
  x.sha256 = take_hash_keys(in);
  return complete(in, std::move(x));
}

std::string encode_setting(std::string_view value) {
  auto out = begin();
  put_text(out, value);
  return out;
}

std::optional<std::string> decode_setting(std::string_view value) {
  auto in = begin(value);
  auto x = take_text(in);
  return complete(in, std::move(x));
}

std::string encode_audit(const audit_entry& x) {
  auto out = begin();
  put_time(out, x.when);
  for (auto* text : {&x.who, &x.what, &x.from, &x.to})
    put_text(out, *text);
  return out;
}

std::optional<audit_entry> decode_audit(std::string_view value) {
  auto in = begin(value);
  audit_entry x;
  x.when = take_time(in);
  for (auto* text : {&x.who, &x.what, &x.from, &x.to})
    *text = take_text(in);
  return complete(in, std::move(x));
}

std::string encode_roster(const roster_head& x) {
  auto out = begin();
  for (auto n :
    {x.version.value, x.since.value, x.contacts, x.watchers, x.requests})
    put_varint(out, n);
  put_varint(out, x.removals.size());
  for (auto& [at, user] : x.removals) {
    put_varint(out, at.value);
    put_text(out, user.str());
  }
  put_fixed(out, static_cast<uint8_t>(x.privacy.approve));
  put_fixed(out, static_cast<uint8_t>(x.privacy.sharing));
  put_users(out, x.privacy.allow);
  put_users(out, x.privacy.block);
  put_varint(out, x.privacy.domains.size());
  for (auto& [domain, rule] : x.privacy.domains) {
    put_text(out, domain);
    put_fixed(out, static_cast<uint8_t>(rule));
  }
  return out;
}

std::optional<roster_head> decode_roster(std::string_view value) {
  auto in = begin(value);
  roster_head x;
  for (auto* n :
    {&x.version.value, &x.since.value, &x.contacts, &x.watchers, &x.requests})
    *n = in.varint();
  for (auto n = in.varint(); n > 0 && in.ok(); --n) {
    roster_version at{in.varint()};
    x.removals.emplace_back(at, take_user(in));
  }
  x.privacy.approve = take_enum(in, approval::block);
  x.privacy.sharing = take_enum(in, sharing::off);
  x.privacy.allow = take_users(in);
  x.privacy.block = take_users(in);
  for (auto n = in.varint(); n > 0 && in.ok(); --n) {
    auto domain = take_text(in);
    x.privacy.domains.emplace_back(
      std::move(domain), take_enum(in, approval::block));
  }
  return complete(in, std::move(x));
}

std::string encode_number(uint64_t x) {
  auto out = begin();
  put_fixed(out, x);
  return out;
}

std::optional<uint64_t> decode_number(std::string_view value) {
  auto in = begin(value);
  auto x = in.fixed<uint64_t>();
  return complete(in, x);
}

} // namespace parley::records
