#include "persistence/bytes.hpp"
#include "persistence/records.hpp"

// Contacts, and what subscriptions owe. Either may have a time, which most do
// not: a form of its own, written only then.
namespace parley::records {

namespace {

using bytes::put_fixed;
using bytes::put_text;
using bytes::put_varint;

constexpr uint8_t plain = 1;
constexpr uint8_t timed = 2;

constexpr uint8_t flag_listed = 1;
constexpr uint8_t flag_preapproved = 2;
constexpr uint8_t flag_pretended = 4;
/// From here on two bits for the half `to`, then two for `from`.
constexpr int shift_to = 3;
constexpr int shift_from = 5;

/// Which of the two it is; any other is none.
uint8_t take_form(bytes::reader& in) {
  auto form = in.fixed<uint8_t>();
  if (form != plain && form != timed)
    in.take(UINT64_MAX);
  return form;
}

/// Of the form that has one: 0 has the other.
uint64_t take_time(bytes::reader& in, uint8_t form) {
  if (form != timed)
    return 0;
  auto x = in.varint();
  if (x == 0)
    in.take(UINT64_MAX);
  return x;
}

std::string begun(uint8_t form) {
  std::string out;
  put_fixed(out, form);
  return out;
}

std::optional<half> half_of(int bits) {
  if (bits > static_cast<int>(half::active))
    return std::nullopt;
  return static_cast<half>(bits);
}

} // namespace

std::string encode_contact(const roster_item& x) {
  bool is_timed = x.what.preapproved && x.approved_at != 0;
  auto out = begun(is_timed ? timed : plain);
  auto& state = x.what.subscription;
  put_fixed(out,
    static_cast<uint8_t>((x.what.listed ? flag_listed : 0)
      | (x.what.preapproved ? flag_preapproved : 0)
      | (x.pretended ? flag_pretended : 0)
      | static_cast<int>(state.to) << shift_to
      | static_cast<int>(state.from) << shift_from));
  for (auto n : {x.version.value, x.asked, x.heard})
    put_varint(out, n);
  if (is_timed)
    put_varint(out, x.approved_at);
  put_text(out, x.what.name);
  put_varint(out, x.what.groups.size());
  for (auto& group : x.what.groups)
    put_text(out, group);
  return out;
}

namespace {

/// What stands before the name of a contact.
std::optional<contact_brief> take_contact_start(bytes::reader& in) {
  contact_brief x;
  auto form = take_form(in);
  auto flags = in.fixed<uint8_t>();
  x.listed = flags & flag_listed;
  x.preapproved = flags & flag_preapproved;
  x.pretended = flags & flag_pretended;
  auto to = half_of(flags >> shift_to & 3);
  auto from = half_of(flags >> shift_from);
  if (!to || !from || (form == timed && !x.preapproved))
    return std::nullopt;
  x.subscription = {*to, *from};
  for (auto* n : {&x.version.value, &x.asked, &x.heard})
    *n = in.varint();
  x.approved_at = take_time(in, form);
  return x;
}

} // namespace

std::optional<contact_brief> decode_contact_brief(std::string_view value) {
  bytes::reader in(value);
  auto start = take_contact_start(in);
  return in.ok() ? start : std::nullopt;
}

std::optional<contact_brief> check_contact(std::string_view value) {
  bytes::reader in(value);
  auto start = take_contact_start(in);
  if (!start)
    return std::nullopt;
  in.text();
  for (auto n = in.varint(); n > 0 && in.ok(); --n)
    in.text();
  return in.complete() ? start : std::nullopt;
}

std::optional<roster_item> decode_contact(std::string_view value) {
  bytes::reader in(value);
  auto start = take_contact_start(in);
  if (!start)
    return std::nullopt;
  roster_item x;
  x.what.listed = start->listed;
  x.what.preapproved = start->preapproved;
  x.what.subscription = start->subscription;
  x.pretended = start->pretended;
  x.version = start->version;
  x.asked = start->asked;
  x.heard = start->heard;
  x.approved_at = start->approved_at;
  x.what.name = in.text();
  for (auto n = in.varint(); n > 0 && in.ok(); --n)
    x.what.groups.emplace_back(in.text());
  return in.complete() ? std::optional(std::move(x)) : std::nullopt;
}

std::string encode_note(const note_record& x) {
  auto out = begun(x.since == 0 ? plain : timed);
  put_fixed(out, static_cast<uint8_t>(x.what));
  put_varint(out, x.number);
  if (x.since != 0)
    put_varint(out, x.since);
  return out;
}

std::optional<note_record> decode_note(std::string_view value) {
  using kind = subscription_note::kind;
  bytes::reader in(value);
  auto form = take_form(in);
  note_record x;
  auto what = in.fixed<uint8_t>();
  x.what = static_cast<kind>(what);
  x.number = in.varint();
  x.since = take_time(in, form);
  bool is_known = what <= static_cast<uint8_t>(kind::subscribe_ahead);
  return is_known && in.complete() ? std::optional(x) : std::nullopt;
}

} // namespace parley::records
