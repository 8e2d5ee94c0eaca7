#include "protocol/codec_contacts.hpp"

#include "protocol/defaults.hpp"
#include "protocol/unicode.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace parley::native {

namespace {

using client_type = wire::ClientFrame;
using server_type = wire::ServerFrame;
using namespace wire_format;

result<void> finish(std::string& out, const client_type& frame) {
  append_frame(out, frame);
  return {};
}

void put(const std::vector<user_address>& x, wire::AddressList& y) {
  for (auto& one : x)
    y.add_addresses(one.str());
}

void put(const contact& x, wire::Contact& y) {
  y.set_address(x.address.str());
  y.set_name(x.name);
  for (auto& group : x.groups)
    y.add_groups(group);
  y.set_to(static_cast<wire::Half>(x.subscription.to));
  y.set_from(static_cast<wire::Half>(x.subscription.from));
  y.set_unlisted(!x.listed);
  y.set_preapproved(x.preapproved);
}

void put(const refused_contact& x, wire::RefusedContact& y) {
  y.set_address(x.address);
  to_wire(error_scope::request, x.why, *y.mutable_error());
  y.set_whose(x.whose.str());
}

} // namespace

// -- requests -----------------------------------------------------------------

result<void> put_request(
  std::string& out, client_type& frame, const add_contacts& x, cutting how) {
  auto& body = *frame.mutable_add_contacts();
  part_writer parts{out, frame, body, how};
  for (auto& one : x.contacts) {
    wire::WantedContact y;
    auto address = bounded_address(one.address);
    y.set_address(address.data(), address.size());
    // Which of them the server refuses it says itself; no more than it takes to
    // see that is sent.
    const auto name = bounded_name(one.name);
    y.set_name(name.data(), name.size());
    for (auto& group : distinct_groups(one.groups))
      y.add_groups(std::move(group));
    parts.make_room(wire::AddContacts::kContactsFieldNumber, y.ByteSizeLong());
    body.add_contacts()->Swap(&y);
  }
  parts.finish();
  return {};
}

result<void> put_request(
  std::string& out, client_type& frame, const remove_contacts& x, cutting how) {
  auto& body = *frame.mutable_remove_contacts();
  part_writer parts{out, frame, body, how};
  for (auto& one : x.addresses) {
    auto text = bounded_address(one);
    parts.make_room(wire::RemoveContacts::kAddressesFieldNumber, text.size());
    body.add_addresses(text.data(), text.size());
  }
  parts.finish();
  return {};
}

result<void> put_request(
  std::string& out, client_type& frame, const list_contacts& x, cutting) {
  frame.mutable_list_contacts()->set_known(x.known.value);
  return finish(out, frame);
}

result<void> put_request(
  std::string& out, client_type& frame, const subscribe& x, cutting) {
  frame.mutable_subscribe()->set_to(x.to.str());
  return finish(out, frame);
}

result<void> put_request(
  std::string& out, client_type& frame, const unsubscribe& x, cutting) {
  frame.mutable_unsubscribe()->set_to(x.to.str());
  return finish(out, frame);
}

result<void> put_request(
  std::string& out, client_type& frame, const approve& x, cutting) {
  frame.mutable_approve()->set_from(x.from.str());
  return finish(out, frame);
}

result<void> put_request(
  std::string& out, client_type& frame, const deny& x, cutting) {
  frame.mutable_deny()->set_from(x.from.str());
  return finish(out, frame);
}

result<void> put_request(
  std::string& out, client_type& frame, const watch& x, cutting) {
  auto& y = *frame.mutable_watch();
  y.set_address(x.whom.str());
  y.set_seconds(x.seconds);
  return finish(out, frame);
}

result<void> put_request(
  std::string& out, client_type& frame, const set_privacy& x, cutting) {
  auto& y = *frame.mutable_set_privacy();
  if (x.approve)
    y.set_approve(static_cast<wire::Approval>(*x.approve));
  if (x.sharing)
    y.set_sharing(static_cast<wire::Sharing>(*x.sharing));
  if (x.allow)
    put(*x.allow, *y.mutable_allow());
  if (x.block)
    put(*x.block, *y.mutable_block());
  if (x.domains) {
    auto& rules = *y.mutable_domains();
    for (auto& [domain, rule] : *x.domains) {
      auto& one = *rules.add_rules();
      one.set_domain(domain);
      one.set_rule(static_cast<wire::Approval>(rule));
    }
  }
  if (auto n = frame.ByteSizeLong(); n > defaults::frame_max)
    return tl::unexpected{
      over_limit(errc::too_large, "bytes of a frame", defaults::frame_max, n)};
  return finish(out, frame);
}

// -- events -------------------------------------------------------------------

void put_event(std::string& out, server_type& frame, const contacts_changed& x,
  cutting how) {
  auto& body = *frame.mutable_contacts_changed();
  body.set_version(x.version.value);
  part_writer parts{out, frame, body, how};
  for (auto& one : x.refused) {
    wire::RefusedContact line;
    put(one, line);
    parts.make_room(
      wire::ContactsChanged::kRefusedFieldNumber, line.ByteSizeLong());
    body.add_refused()->Swap(&line);
  }
  parts.finish();
}

void put_event(
  std::string& out, server_type& frame, const contact_list& x, cutting how) {
  auto& body = *frame.mutable_contacts();
  body.set_since(x.since.value);
  body.set_version(x.version.value);
  part_writer parts{out, frame, body, how};
  for (auto& one : x.contacts) {
    wire::Contact line;
    put(one, line);
    parts.make_room(wire::Contacts::kContactsFieldNumber, line.ByteSizeLong());
    body.add_contacts()->Swap(&line);
  }
  for (auto& one : x.removed) {
    parts.make_room(wire::Contacts::kRemovedFieldNumber, one.str().size());
    body.add_removed(one.str());
  }
  parts.finish();
}

void put_event(
  std::string& out, server_type& frame, const watching& x, cutting) {
  frame.mutable_watching()->set_seconds(x.seconds);
  append_frame(out, frame);
}

void put_event(
  std::string& out, server_type& frame, const privacy& x, cutting how) {
  auto& body = *frame.mutable_privacy();
  body.set_approve(static_cast<wire::Approval>(x.approve));
  body.set_sharing(static_cast<wire::Sharing>(x.sharing));
  part_writer parts{out, frame, body, how};
  for (auto& one : x.allow) {
    parts.make_room(wire::Privacy::kAllowFieldNumber, one.str().size());
    body.add_allow(one.str());
  }
  for (auto& one : x.block) {
    parts.make_room(wire::Privacy::kBlockFieldNumber, one.str().size());
    body.add_block(one.str());
  }
  for (auto& [domain, rule] : x.domains) {
    wire::DomainRule line;
    line.set_domain(domain);
    line.set_rule(static_cast<wire::Approval>(rule));
    parts.make_room(wire::Privacy::kDomainsFieldNumber, line.ByteSizeLong());
    body.add_domains()->Swap(&line);
  }
  parts.finish();
}

void put_event(
  std::string& out, server_type& frame, const presence_reset&, cutting) {
  frame.mutable_presence_reset();
  append_frame(out, frame);
}

void put_event(
  std::string& out, server_type& frame, const watch_ended& x, cutting) {
  frame.mutable_watch_ended()->set_address(x.whom.str());
  append_frame(out, frame);
}

// -- presence -----------------------------------------------------------------

namespace {

/// As protobuf has it for sint32.
uint64_t zigzag(int8_t x) noexcept {
  return x < 0 ? static_cast<uint64_t>(-x) * 2 - 1
               : static_cast<uint64_t>(x) * 2;
}

void encode_presence(std::string& out, const presence_notice& x) {
  using fields = wire::Presence;
  address_text from{x.from};
  auto shown = static_cast<uint64_t>(x.what.show);
  auto priority = zigzag(x.what.priority);
  auto composed = static_cast<uint64_t>(x.composed);
  auto size = text_size(fields::kFromFieldNumber, from.size())
    + number_size(fields::kShowFieldNumber, shown)
    + text_size(fields::kStatusFieldNumber, x.what.status.size())
    + number_size(fields::kPriorityFieldNumber, priority)
    + number_size(fields::kComposedFieldNumber, composed)
    + text_size(fields::kComposedStatusFieldNumber, x.composed_status.size());
  auto whole = block_size(server_type::kPresenceFieldNumber, size);
  append_length(out, whole);
  auto to = grow(out, whole);
  to.block(server_type::kPresenceFieldNumber, size);
  from.write(fields::kFromFieldNumber, to);
  to.number(fields::kShowFieldNumber, shown);
  to.text(fields::kStatusFieldNumber, x.what.status);
  to.number(fields::kPriorityFieldNumber, priority);
  to.number(fields::kComposedFieldNumber, composed);
  to.text(fields::kComposedStatusFieldNumber, x.composed_status);
}

/// A notice that is held, so that no other one can have its address.
struct kept_frame {
  shared<presence_notice> what;
  std::string bytes;
};

kept_frame& place_of(const presence_notice* x) {
  thread_local std::array<kept_frame, defaults::presence_frames_kept> kept;
  // Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4).
  auto hash = std::bit_cast<uintptr_t>(x) * 0x9e37'79b9'7f4a'7c15;
  return kept[(hash >> 32) % kept.size()];
}

} // namespace

void put_presence(std::string& out, const presence_event& x) {
  auto& place = place_of(x.what.get());
  if (!(place.what == x.what)) {
    place.bytes.clear();
    encode_presence(place.bytes, *x.what);
    place.what = x.what;
  }
  out.append(place.bytes);
}

std::string_view bounded_address(std::string_view text) noexcept {
  return text.size() > defaults::address_text_max
    ? first_bytes(text, defaults::address_text_max + 1)
    : text;
}

} // namespace parley::native
