#include <algorithm>

#include "protocol/codec.hpp"
#include "protocol/defaults.hpp"
#include "protocol/xmpp/dialogue.hpp"

/// Messages, both ways (RFC 6121, 5 and 8).
namespace parley::xmpp {

namespace {

constexpr std::string_view addresses = "http://jabber.org/protocol/address";
constexpr std::string_view hints = "urn:xmpp:hints";

/// XEP-0280, 6 and XEP-0334: its sender wants no copies of it made.
bool allows_copies(const element& x) {
  return !x.find("private", ns::carbons) && !x.find("no-copy", hints);
}

/// What has to fit into a frame of the native protocol.
size_t content_size(const im& x) {
  size_t n = x.id.value.size() + x.body.size();
  for (const auto& p : x.payloads)
    n += p.type.size() + p.data.size();
  return n;
}

} // namespace

shared<im> dialogue::im_from(const element& x) {
  return native::counted(im_of(x, x_self, x_now, next_id()), x_held_ims);
}

void dialogue::take_message(const element& x) {
  const auto to = x["to"];
  address whom{x_self.user, {}};
  if (!to.empty()) {
    if (to.find('@') == to.npos) {
      const auto* many = x.find("addresses", addresses);
      if (!is_own_domain(to))
        return refuse(x, no_remote_server);
      return many ? take_multicast(x, *many) : refuse(x, service_unavailable);
    }
    auto a = address::parse(to);
    if (!a)
      return refuse(x, jid_malformed, a.error().text);
    whom = std::move(*a);
  }
  if (refuse_blocked(x, whom.user))
    return;
  const auto kind = classify(x, whom);
  switch (kind) {
  case message_class::im:
  case message_class::strict_im: {
    send_im s;
    s.message = im_from(x);
    if (content_size(*s.message) > defaults::im_content_max)
      return refuse(x, stanza_error_of(errc::too_large),
        "this does not fit into a message");
    s.to = whom;
    s.strict = kind == message_class::strict_im;
    s.copies = allows_copies(x);
    x_counts.open(ask(std::move(s),
      {purpose::message, std::string{x["id"]},
        to.empty() ? whom.str() : std::string{to}}));
    return;
  }
  case message_class::fleeting:
    return pass(x, whom, reach::targets, false, is_composing(x));
  case message_class::headline:
    return pass(x, whom, reach::available, false);
  case message_class::endpoint_only:
    return pass(x, whom, reach::endpoint, x["type"] != "error");
  case message_class::impossible:
    return refuse(x, service_unavailable);
  case message_class::ignored:
    return;
  }
}

void dialogue::take_multicast(const element& x, const element& list) {
  broadcast b;
  auto stanza = x;
  auto& kept = *std::find_if(stanza.children.begin(), stanza.children.end(),
    [](const element& c) { return c.is("addresses", addresses); });
  kept.children.clear();
  for (const auto& c : list.children) {
    if (!c.is("address", addresses))
      continue;
    const auto type = c["type"];
    const bool is_hidden = type == "bcc";
    if (is_hidden || type == "to" || type == "cc")
      b.to.emplace_back(c["jid"]);
    if (is_hidden)
      continue;
    kept.children.push_back(c);
    kept.children.back().attributes.push_back({{}, "delivered", "true"});
  }
  b.message = im_from(stanza);
  b.copies = allows_copies(x);
  if (content_size(*b.message) > defaults::im_content_max)
    return refuse(x, stanza_error_of(errc::too_large));
  if (b.to.empty() || x["type"] == "error")
    return refuse(x, bad_request, "there are no addresses");
  refuse_blocked(x, b.to);
  if (b.to.empty())
    return;
  x_counts.open(ask(std::move(b),
    {purpose::broadcast, std::string{x["id"]}, std::string{x["to"]}}));
}

void dialogue::put_refusals(const asked& about, const broadcast_outcomes& x) {
  element back;
  back.name = "message";
  for (const auto& o : x.outcomes) {
    if (o.what.what != outcome::kind::rejected)
      continue;
    back.attributes = {
      {{}, "id", about.id}, {{}, "to", o.to}, {{}, "from", x_self.str()}};
    const auto start = out().size();
    append_error_answer(out(), back, o.what.why);
    sent_reply(start);
  }
}

void dialogue::put_message(sequence number, const incoming_im& x) {
  delivery_marks marks;
  if (x.offline)
    marks.delayed_by = x_domain;
  if (x_policies) {
    const auto history = x_policies->find(keeps_history);
    marks.no_history = history != x_policies->end() && history->second == "off";
  }
  if (x.copied == incoming_im::copy::none)
    append_message(out(), *x.message, x.to, marks);
  else
    append_copy(out(), x, x_self, marks);
  sent(number);
}

/// XEP-0280, 4 and 5.
void dialogue::take_copies(const element& iq, bool wanted) {
  ask(set_copies{wanted},
    {purpose::iq, std::string{iq["id"]}, x_self.user.str()});
}

void dialogue::want_copies(std::string& to, requests& wanted) {
  x_out = &to;
  x_requests = &wanted;
  ask(set_copies{true}, {});
}

void dialogue::put_passed(const passed_on& x) {
  if (!x.returned) {
    // Of messages, what is to be read comes as an IM.
    if (x_inactive && x.message->body.empty() && x.is_typing)
      return;
    const auto start = out().size();
    append_passed(out(), *x.message, x.to);
    return x.is_typing ? sent() : sent_reply(start);
  }
  auto stanza = stanza_of(*x.message);
  if (!stanza)
    return;
  stanza->attributes.push_back({{}, "to", x.to.str()});
  stanza->attributes.push_back({{}, "from", x_self.str()});
  const bool is_elsewhere = x.to.user.domain() != x_domain;
  refuse(*stanza, is_elsewhere ? no_remote_server : service_unavailable);
}

} // namespace parley::xmpp
