#include "protocol/codec_contacts.hpp"

#include "protocol/defaults.hpp"

#include <algorithm>
#include <map>

namespace parley::native {

namespace {

using client_type = wire::ClientFrame;
using server_type = wire::ServerFrame;

client_frame invalid(request_number number, failure why) {
  return numbered_request{number, invalid_request{std::move(why)}};
}

/// An endpoint in it does not count.
result<user_address> parse_user(const std::string& text) {
  auto x = address::parse(text);
  if (!x)
    return tl::unexpected{std::move(x.error())};
  return std::move(x->user);
}

// -- requests -----------------------------------------------------------------

std::optional<failure> too_many_at_once(int n) {
  if (static_cast<size_t>(n) <= defaults::contacts_at_once)
    return std::nullopt;
  return over_limit(errc::bad_request, "contacts in one request",
    defaults::contacts_at_once, static_cast<uint64_t>(n));
}

/// A whole list, or one part of it.
template <class T>
client_frame list_or_part(request_number number, const wire::Part* part, T what,
  std::optional<failure> fault) {
  if (part)
    return request_part{number, part->number(), part->more(), std::move(what),
      fault.value_or(failure{})};
  if (fault)
    return invalid(number, std::move(*fault));
  return numbered_request{number, std::move(what)};
}

client_frame decode(request_number number, wire::AddContacts& from) {
  add_contacts x;
  auto fault = too_many_at_once(from.contacts_size());
  if (!fault)
    x.contacts.reserve(static_cast<size_t>(from.contacts_size()));
  for (int i = 0; !fault && i < from.contacts_size(); ++i) {
    auto& one = *from.mutable_contacts(i);
    auto& y = x.contacts.emplace_back();
    y.address = bounded_address(one.address());
    y.name = bounded_name(one.name());
    y.groups = distinct_groups(one.groups());
  }
  return list_or_part(number, from.has_part() ? &from.part() : nullptr,
    std::move(x), std::move(fault));
}

client_frame decode(request_number number, wire::RemoveContacts& from) {
  remove_contacts x;
  auto fault = too_many_at_once(from.addresses_size());
  if (!fault)
    for (auto& one : from.addresses())
      x.addresses.emplace_back(bounded_address(one));
  return list_or_part(number, from.has_part() ? &from.part() : nullptr,
    std::move(x), std::move(fault));
}

/// A request about one user; `make` gets it.
template <class F>
client_frame about(
  request_number number, const std::string& whom, const F& make) {
  auto user = parse_user(whom);
  if (!user)
    return invalid(number, std::move(user.error()));
  return numbered_request{number, make(std::move(*user))};
}

result<std::vector<user_address>> take_users(
  const char* what, const wire::AddressList& from) {
  auto n = static_cast<size_t>(from.addresses_size());
  if (n > defaults::privacy_entries_max)
    return tl::unexpected{
      over_limit(errc::bad_request, what, defaults::privacy_entries_max, n)};
  std::vector<user_address> x;
  x.reserve(n);
  for (auto& one : from.addresses()) {
    auto user = parse_user(one);
    if (!user)
      return tl::unexpected{std::move(user.error())};
    x.push_back(std::move(*user));
  }
  std::ranges::sort(x);
  x.erase(std::unique(x.begin(), x.end()), x.end());
  return x;
}

using rules = std::vector<std::pair<std::string, approval>>;

/// Of two rules for one domain the last holds.
result<rules> take_rules(const wire::DomainRules& from) {
  auto n = static_cast<size_t>(from.rules_size());
  if (n > defaults::privacy_entries_max)
    return tl::unexpected{over_limit(errc::bad_request, "domains with a rule",
      defaults::privacy_entries_max, n)};
  std::map<std::string, approval> x;
  for (auto& one : from.rules()) {
    if (!wire::Approval_IsValid(one.rule()))
      return fail(errc::bad_request, "this rule for a domain does not exist");
    // A domain alone is prepared as that of any user.
    auto anybody = user_address::parse("a@" + one.domain());
    if (!anybody)
      return fail(errc::bad_address, "a rule is for a domain");
    x[std::string{anybody->domain()}] = static_cast<approval>(one.rule());
  }
  std::erase_if(
    x, [](auto& rule) { return rule.second == approval::by_default; });
  return rules{x.begin(), x.end()};
}

client_frame decode(request_number number, const wire::SetPrivacy& from) {
  set_privacy x;
  if (from.has_approve()) {
    if (!wire::Approval_IsValid(from.approve())
      || from.approve() == wire::APPROVAL_BLOCK)
      return invalid(
        number, failure{errc::bad_request, "approve is default, auto or ask"});
    x.approve = static_cast<approval>(from.approve());
  }
  if (from.has_sharing()) {
    if (!wire::Sharing_IsValid(from.sharing()))
      return invalid(
        number, failure{errc::bad_request, "sharing is default, on or off"});
    x.sharing = static_cast<sharing>(from.sharing());
  }
  if (from.has_allow()) {
    auto list = take_users("users who are allowed", from.allow());
    if (!list)
      return invalid(number, std::move(list.error()));
    x.allow = std::move(*list);
  }
  if (from.has_block()) {
    auto list = take_users("users who are blocked", from.block());
    if (!list)
      return invalid(number, std::move(list.error()));
    x.block = std::move(*list);
  }
  if (from.has_domains()) {
    auto list = take_rules(from.domains());
    if (!list)
      return invalid(number, std::move(list.error()));
    x.domains = std::move(*list);
  }
  return numbered_request{number, std::move(x)};
}

} // namespace

client_frame decode_contacts_request(request_number number, client_type& from) {
  if (number.value == 0)
    return invalid(
      number, failure{errc::bad_request, "a request needs a number"});
  switch (from.kind_case()) {
  case client_type::kAddContacts:
    return decode(number, *from.mutable_add_contacts());
  case client_type::kRemoveContacts:
    return decode(number, *from.mutable_remove_contacts());
  case client_type::kListContacts:
    return numbered_request{
      number, list_contacts{{from.list_contacts().known()}}};
  case client_type::kSubscribe:
    return about(number, from.subscribe().to(),
      [](user_address x) { return subscribe{std::move(x)}; });
  case client_type::kUnsubscribe:
    return about(number, from.unsubscribe().to(),
      [](user_address x) { return unsubscribe{std::move(x)}; });
  case client_type::kApprove:
    return about(number, from.approve().from(),
      [](user_address x) { return approve{std::move(x)}; });
  case client_type::kDeny:
    return about(number, from.deny().from(),
      [](user_address x) { return deny{std::move(x)}; });
  case client_type::kWatch:
    return about(number, from.watch().address(), [&](user_address x) {
      return watch{std::move(x), from.watch().seconds()};
    });
  case client_type::kSetPrivacy:
    return decode(number, from.set_privacy());
  default:
    return invalid(number,
      failure{errc::unknown_request, "this server does not know this request"});
  }
}

// -- events -------------------------------------------------------------------

namespace {

// What is not known here is taken for the mildest.

half half_of(wire::Half x) {
  return wire::Half_IsValid(x) ? static_cast<half>(x) : half::none;
}

approval approval_of(wire::Approval x) {
  return wire::Approval_IsValid(x) ? static_cast<approval>(x)
                                   : approval::by_default;
}

show show_of(wire::Show x) {
  return wire::Show_IsValid(x) ? static_cast<show>(x) : show::unknown;
}

user_address user_of(const std::string& text) {
  return prepared_address(text).user;
}

contact take(wire::Contact& from) {
  contact x;
  x.address = user_of(from.address());
  x.name = std::move(*from.mutable_name());
  for (auto& group : *from.mutable_groups())
    x.groups.push_back(std::move(group));
  x.listed = !from.unlisted();
  x.subscription = {half_of(from.to()), half_of(from.from())};
  x.preapproved = from.preapproved();
  return x;
}

contact_list take(wire::Contacts& from) {
  contact_list x;
  x.since.value = from.since();
  x.version.value = from.version();
  x.contacts.reserve(static_cast<size_t>(from.contacts_size()));
  for (auto& one : *from.mutable_contacts())
    x.contacts.push_back(take(one));
  for (auto& one : from.removed())
    x.removed.push_back(user_of(one));
  return x;
}

contacts_changed take(wire::ContactsChanged& from) {
  contacts_changed x;
  x.version.value = from.version();
  for (auto& one : *from.mutable_refused())
    x.refused.push_back({std::move(*one.mutable_address()),
      from_wire(one.error()), user_of(one.whose())});
  return x;
}

privacy take(wire::Privacy& from) {
  privacy x;
  x.approve = approval_of(from.approve());
  if (wire::Sharing_IsValid(from.sharing()))
    x.sharing = static_cast<sharing>(from.sharing());
  for (auto& one : from.allow())
    x.allow.push_back(user_of(one));
  for (auto& one : from.block())
    x.block.push_back(user_of(one));
  for (auto& one : *from.mutable_domains())
    x.domains.emplace_back(
      std::move(*one.mutable_domain()), approval_of(one.rule()));
  return x;
}

presence_event take(wire::Presence& from) {
  using limits = std::numeric_limits<int8_t>;
  presence_notice x;
  x.from = prepared_address(from.from());
  x.what.show = show_of(from.show());
  x.what.status = std::move(*from.mutable_status());
  x.what.priority = static_cast<int8_t>(
    std::clamp<int32_t>(from.priority(), limits::min(), limits::max()));
  x.composed = show_of(from.composed());
  x.composed_status = std::move(*from.mutable_composed_status());
  return {shared<presence_notice>{std::move(x)}};
}

/// A whole list, or one part of it.
template <class Body>
server_frame take_list(sequence number, request_number request, Body& from) {
  if (from.has_part())
    return answer_part{
      number, request, from.part().number(), from.part().more(), take(from)};
  return numbered_event{number, event_of(request, take(from))};
}

} // namespace

server_frame decode_contacts_event(server_type& from) {
  sequence number{from.event()};
  request_number request{from.request()};
  switch (from.kind_case()) {
  case server_type::kContacts:
    return take_list(number, request, *from.mutable_contacts());
  case server_type::kContactsChanged:
    return take_list(number, request, *from.mutable_contacts_changed());
  case server_type::kPrivacy:
    return take_list(number, request, *from.mutable_privacy());
  case server_type::kWatching:
    return numbered_event{
      number, answer{request, watching{from.watching().seconds()}}};
  case server_type::kPresence:
    return numbered_event{number, take(*from.mutable_presence())};
  case server_type::kPresenceReset:
    return numbered_event{number, presence_reset{}};
  case server_type::kWatchEnded:
    return numbered_event{
      number, watch_ended{user_of(from.watch_ended().address())}};
  default:
    return unknown_event{number, request};
  }
}

} // namespace parley::native
