#include "protocol/parts.hpp"

#include "protocol/codec_fields.hpp"
#include "protocol/defaults.hpp"

namespace parley::native {

namespace {

// Bytes that are held, about.

size_t bytes_of(const std::string& x) {
  return sizeof(std::string) + x.size();
}

size_t bytes_of(const user_address& x) {
  return sizeof(x) + x.str().size();
}

size_t bytes_of(const std::vector<std::string>& x) {
  size_t n = 0;
  for (auto& one : x)
    n += bytes_of(one);
  return n;
}

size_t bytes_of(const wanted_contact& x) {
  return sizeof(x) + x.address.size() + x.name.size() + bytes_of(x.groups);
}

size_t bytes_of(const recipient_outcome& x) {
  return sizeof(x) + x.to.size() + x.what.why.text.size();
}

size_t bytes_of(const refused_contact& x) {
  return sizeof(x) + x.address.size() + x.why.text.size();
}

size_t bytes_of(const contact& x) {
  return sizeof(x) + x.address.str().size() + x.name.size()
    + bytes_of(x.groups);
}

size_t bytes_of(const std::pair<std::string, approval>& x) {
  return sizeof(x) + x.first.size();
}

template <class T>
size_t sum(const std::vector<T>& x) {
  size_t n = 0;
  for (auto& one : x)
    n += bytes_of(one);
  return n;
}

size_t bytes_of(const broadcast& x) {
  return sum(x.to) + (x.message ? content_size(*x.message) : 0);
}

size_t bytes_of(const add_contacts& x) {
  return sum(x.contacts);
}

size_t bytes_of(const remove_contacts& x) {
  return sum(x.addresses);
}

size_t bytes_of(const broadcast_outcomes& x) {
  return sum(x.outcomes);
}

size_t bytes_of(const contacts_changed& x) {
  return sum(x.refused);
}

size_t bytes_of(const contact_list& x) {
  return sum(x.contacts) + sum(x.removed);
}

size_t bytes_of(const privacy& x) {
  return sum(x.allow) + sum(x.block) + sum(x.domains);
}

// What comes in a further part goes behind what is there.

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()),
    std::make_move_iterator(from.end()));
}

void append(broadcast& to, broadcast& from) {
  append(to.to, from.to);
}

void append(add_contacts& to, add_contacts& from) {
  append(to.contacts, from.contacts);
}

void append(remove_contacts& to, remove_contacts& from) {
  append(to.addresses, from.addresses);
}

void append(broadcast_outcomes& to, broadcast_outcomes& from) {
  append(to.outcomes, from.outcomes);
}

void append(contacts_changed& to, contacts_changed& from) {
  append(to.refused, from.refused);
}

void append(contact_list& to, contact_list& from) {
  append(to.contacts, from.contacts);
  append(to.removed, from.removed);
}

void append(privacy& to, privacy& from) {
  append(to.allow, from.allow);
  append(to.block, from.block);
  append(to.domains, from.domains);
}

/// Both are of one kind.
template <class Variant>
void append_same(Variant& to, Variant& from) {
  std::visit(
    [&from](auto& x) { append(x, std::get<std::decay_t<decltype(x)>>(from)); },
    to);
}

template <class Variant>
size_t bytes_of_any(const Variant& what) {
  return std::visit([](auto& x) { return bytes_of(x); }, what);
}

size_t entries(const broadcast& x) {
  return x.to.size();
}
size_t entries(const add_contacts& x) {
  return x.contacts.size();
}
size_t entries(const remove_contacts& x) {
  return x.addresses.size();
}

/// What is wrong with a request of so many entries.
std::optional<failure> too_many(const broadcast&, size_t n) {
  if (n <= defaults::broadcast_recipients_max)
    return std::nullopt;
  return over_limit(errc::too_many_recipients, "recipients of a broadcast",
    defaults::broadcast_recipients_max, n);
}

template <class Contacts>
std::optional<failure> too_many(const Contacts&, size_t n) {
  if (n <= defaults::contacts_at_once)
    return std::nullopt;
  return over_limit(errc::bad_request, "contacts in one request",
    defaults::contacts_at_once, n);
}

failure interrupted() {
  return failure{
    errc::bad_request, "another request came between the parts of this one"};
}

} // namespace

// -- a client's request -------------------------------------------------------

void request_assembler::add(
  numbered_request x, std::vector<numbered_request>& out) {
  if (x.number.value != 0) {
    if (x_number.value != 0 && x_number != x.number)
      refuse(x_number, interrupted(), out);
    drop();
    // Of a list's part, perhaps: more of it may come.
    if (std::holds_alternative<invalid_request>(x.what))
      x_refused = x.number;
  }
  out.push_back(std::move(x));
}

void request_assembler::add(
  request_part x, std::vector<numbered_request>& out) {
  if (x_number.value != 0 && x_number != x.number)
    refuse(x_number, interrupted(), out);
  if (x_number.value == 0 && x_refused == x.number && x.part != 0)
    return;
  if (x.why.code != errc::none)
    return refuse(x.number, std::move(x.why), out);
  auto fits =
    x.part == x_next_part && (x.part == 0 || x.what.index() == x_whole.index());
  if (!fits)
    return refuse(x.number,
      failure{errc::bad_request, "the request's parts are out of order"}, out);
  auto count = [](const content& y) {
    return std::visit([](auto& z) { return entries(z); }, y);
  };
  auto n = count(x.what) + (x.part == 0 ? 0 : count(x_whole));
  if (auto fault = std::visit([n](auto& y) { return too_many(y, n); }, x.what))
    return refuse(x.number, std::move(*fault), out);
  auto bytes = bytes_of_any(x.what);
  if (x_bytes + bytes > defaults::broadcast_bytes_max)
    return refuse(x.number,
      over_limit(errc::too_large, "bytes of a request in parts",
        defaults::broadcast_bytes_max, x_bytes + bytes),
      out);
  x_bytes += bytes;
  x_number = x.number;
  ++x_next_part;
  if (x.part == 0)
    x_whole = std::move(x.what);
  else
    append_same(x_whole, x.what);
  if (x.more)
    return;
  if (auto y = std::get_if<broadcast>(&x_whole); y && y->to.empty())
    return refuse(x.number,
      failure{errc::bad_request, "a broadcast needs a recipient"}, out);
  std::visit(
    [&](auto& y) {
      out.push_back({x_number, std::move(y)});
    },
    x_whole);
  drop();
}

void request_assembler::refuse(
  request_number number, failure why, std::vector<numbered_request>& out) {
  drop();
  x_refused = number;
  out.push_back({number, invalid_request{std::move(why)}});
}

void request_assembler::drop() noexcept {
  x_number = {};
  x_whole = {};
  x_next_part = 0;
  x_bytes = 0;
  x_refused = {};
}

// -- a server's answer to it --------------------------------------------------

result<std::optional<numbered_event>> answer_assembler::add(answer_part x) {
  auto begins = x_next_part == 0;
  auto in_order = x.part == x_next_part
    && (begins
      || (x.number == x_whole.number && x.to == x_whole.to
        && x.what.index() == x_whole.what.index()));
  x_bytes += bytes_of_any(x.what);
  if (!in_order || x_bytes > defaults::answer_parts_bytes_max) {
    *this = {};
    return fail(errc::bad_frame,
      in_order ? "an answer in parts is too long"
               : "the parts of an answer are out of order");
  }
  ++x_next_part;
  auto more = x.more;
  if (begins)
    x_whole = std::move(x);
  else
    append_same(x_whole.what, x.what);
  if (more)
    return std::nullopt;
  auto number = x_whole.number;
  auto to = x_whole.to;
  auto what = std::visit(
    [to](auto& y) { return event_of(to, std::move(y)); }, x_whole.what);
  *this = {};
  return numbered_event{number, std::move(what)};
}

} // namespace parley::native
