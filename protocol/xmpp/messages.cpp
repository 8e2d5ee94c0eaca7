#include "protocol/xmpp/messages.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "protocol/defaults.hpp"
#include "protocol/unicode.hpp"
#include "protocol/xmpp/stanza_reader.hpp"

namespace parley::xmpp {

namespace {

constexpr std::string_view chat_states =
  "http://jabber.org/protocol/chatstates";
constexpr std::string_view hints = "urn:xmpp:hints";
constexpr std::string_view stanza_ids = "urn:xmpp:sid:0";
constexpr std::string_view markers = "urn:xmpp:chat-markers:0";
constexpr std::string_view delays = "urn:xmpp:delay";

/// Parley's own payload that tells what was read.
constexpr std::string_view read_payload = "read";

const element* body_of(const element& x) noexcept {
  const element* any = nullptr;
  for (const auto& c : x.children)
    if (c.is("body", ns::client)) {
      if (c.attributes.empty())
        return &c;
      any = any ? any : &c;
    }
  return any;
}

/// Nothing in it is worth keeping.
bool is_fleeting(const element& x) {
  bool says_anything = false;
  for (const auto& c : x.children) {
    if (c.is_text())
      continue;
    if (c.is("no-store", hints))
      return true;
    says_anything |= c.xmlns != chat_states && c.xmlns != hints
      && c.xmlns != stanza_ids && !c.is("thread", ns::client);
  }
  return !says_anything;
}

/// Nothing that a client hands to another one.
bool ends_here(const element& x) noexcept {
  return x.is("delay", delays)
    || x.is("stanza-id", stanza_ids)
    // Heeded, and nobody else's matter (XEP-0280, 6.1).
    || x.is("private", ns::carbons);
}

void append_stanza(std::string& out, const element& x, const element* without) {
  out += '<';
  out += x.name;
  for (const auto& a : x.attributes) {
    if (a.xmlns == ns::xml)
      append_attribute(out, "xml:" + a.name, a.value);
    else if (a.xmlns.empty() && a.name != "from" && a.name != "to")
      append_attribute(out, a.name, a.value);
  }
  out += '>';
  for (const auto& c : x.children)
    if (&c != without && !ends_here(c))
      append_element(out, c, ns::client);
  out += "</";
  out += x.name;
  out += '>';
}

std::string origin_id_of(const element& x) {
  const auto* origin = x.find("origin-id", stanza_ids);
  std::string id{origin ? (*origin)["id"] : std::string_view{}};
  return id.size() <= defaults::message_id_max ? id : std::string{};
}

const payload* stanza_in(const im& x) noexcept {
  for (const auto& p : x.payloads)
    if (p.type == stanza_payload || p.type == whole_stanza_payload)
      return &p;
  return nullptr;
}

void append_addresses(
  std::string& out, const address& from, const address& to) {
  append_attribute(out, "from", from);
  append_attribute(out, "to", to);
}

void append_marks(
  std::string& out, const im& message, const delivery_marks& marks) {
  if (!marks.delayed_by.empty()) {
    out += "<delay";
    append_attribute(out, "xmlns", delays);
    append_attribute(out, "from", marks.delayed_by);
    append_attribute(out, "stamp", timestamp(message.sent_at));
    out += "/>";
  }
  if (marks.no_history)
    out += "<no-permanent-store xmlns='urn:xmpp:hints'/>";
}

void append_body(std::string& out, const im& message) {
  if (message.body.empty())
    return;
  out += "<body>";
  append_escaped(out, message.body);
  out += "</body>";
}

/// Of a client that knows nothing of XMPP.
void append_foreign(std::string& out, const im& message, const address& to,
  const delivery_marks& marks) {
  out += "<message";
  if (marks.is_within)
    append_attribute(out, "xmlns", ns::client);
  out += " type='chat'";
  append_attribute(out, "id", message.id.value);
  append_addresses(out, message.from, to);
  out += '>';
  append_body(out, message);
  out += "<origin-id";
  append_attribute(out, "xmlns", stanza_ids);
  append_attribute(out, "id", message.id.value);
  out += "/>";
  for (const auto& p : message.payloads)
    // Of stores that are older than the rule: what is no text breaks a stream.
    if (p.type == read_payload && is_utf8(p.data)) {
      out += "<displayed";
      append_attribute(out, "xmlns", markers);
      append_attribute(out, "id", p.data);
      out += "/>";
    }
  append_marks(out, message, marks);
  out += "</message>";
}

/// Where its start tag's attributes begin, and where it ends. Values have no
/// `>` in them: it is escaped.
struct start_tag {
  size_t attributes = 0;
  size_t end = 0;
};
start_tag start_tag_of(std::string_view data) noexcept {
  return {std::min(data.find_first_of(" >"), data.size()),
    std::min(data.find('>'), data.size())};
}

} // namespace

void append_attribute(
  std::string& out, std::string_view name, const address& value) {
  out += ' ';
  out += name;
  out += "='";
  append_escaped(out, value.user.str());
  if (!value.endpoint.empty()) {
    out += '/';
    append_escaped(out, value.endpoint.str());
  }
  out += '\'';
}

message_class classify(const element& message, const address& to) {
  const auto type = message["type"];
  if (type == "error")
    return to.is_full() ? message_class::endpoint_only : message_class::ignored;
  if (type == "groupchat")
    return to.is_full() ? message_class::endpoint_only
                        : message_class::impossible;
  if (type == "headline")
    return message_class::headline;
  if (!body_of(message) && is_fleeting(message))
    return message_class::fleeting;
  if (message.find("no-store", hints))
    return message_class::fleeting;
  // RFC 6121, 8.5.3.2.1; a type that is not known counts as normal.
  return type == "chat" || !to.is_full() ? message_class::im
                                         : message_class::strict_im;
}

bool is_composing(const element& message) {
  return message.find("composing", chat_states) != nullptr;
}

im im_of(const element& stanza, const address& from, wall_time sent_at,
  std::string made_up) {
  im x;
  auto origin = origin_id_of(stanza);
  x.id.value = origin.empty() ? std::move(made_up) : std::move(origin);
  x.from = from;
  x.sent_at = sent_at;
  const auto* body = stanza.name == "message" ? body_of(stanza) : nullptr;
  if (body)
    x.body = body->inner_text();
  // A body in a named language, or an empty one, stays where it is.
  const bool is_whole = body && (!body->attributes.empty() || x.body.empty());
  payload rest{
    std::string{is_whole ? whole_stanza_payload : stanza_payload}, {}};
  append_stanza(rest.data, stanza, is_whole ? nullptr : body);
  x.payloads.push_back(std::move(rest));
  const auto* seen = stanza.find("displayed", markers);
  if (seen && (*seen)["id"].size() <= defaults::message_id_max)
    x.payloads.push_back(
      {std::string{read_payload}, std::string{(*seen)["id"]}});
  return x;
}

void append_message(std::string& out, const im& message, const address& to,
  const delivery_marks& marks) {
  const auto* p = stanza_in(message);
  if (!p)
    return append_foreign(out, message, to, marks);
  const std::string_view data = p->data;
  const auto tag = start_tag_of(data);
  out += data.substr(0, tag.attributes);
  if (marks.is_within)
    append_attribute(out, "xmlns", ns::client);
  append_addresses(out, message.from, to);
  out += data.substr(tag.attributes, tag.end + 1 - tag.attributes);
  if (p->type == stanza_payload)
    append_body(out, message);
  constexpr std::string_view closing = "</message>";
  auto rest = data.substr(std::min(tag.end + 1, data.size()));
  rest.remove_suffix(std::min(rest.size(), closing.size()));
  out += rest;
  append_marks(out, message, marks);
  out += closing;
}

void append_copy(std::string& out, const incoming_im& what, const address& to,
  const delivery_marks& marks) {
  const std::string name =
    what.copied == incoming_im::copy::sent ? "sent" : "received";
  out += "<message type='chat'";
  append_attribute(out, "from", to.user.str());
  append_attribute(out, "to", to.str());
  out += "><" + name;
  append_attribute(out, "xmlns", ns::carbons);
  out += "><forwarded xmlns='urn:xmpp:forward:0'><delay";
  append_attribute(out, "xmlns", delays);
  append_attribute(out, "stamp", timestamp(what.message->sent_at));
  out += "/>";
  auto within = marks;
  within.is_within = true;
  append_message(out, *what.message, what.to, within);
  out += "</forwarded></" + name + "></message>";
}

void append_passed(std::string& out, const im& stanza, const address& to) {
  const auto* p = stanza_in(stanza);
  if (!p)
    return;
  const std::string_view data = p->data;
  if (data.starts_with("<message"))
    return append_message(out, stanza, to, {});
  const auto tag = start_tag_of(data);
  out += data.substr(0, tag.attributes);
  append_addresses(out, stanza.from, to);
  out += data.substr(tag.attributes);
}

void append_typing(std::string& out, const address& from, const address& to) {
  out += "<message type='chat'";
  append_addresses(out, from, to);
  out += "><composing";
  append_attribute(out, "xmlns", chat_states);
  out += "/></message>";
}

std::string timestamp(wall_time x) {
  const auto since = x.time_since_epoch().count();
  const auto seconds = static_cast<std::time_t>(since / 1000);
  std::tm t{};
  ::gmtime_r(&seconds, &t);
  std::array<char, 40> text{};
  const auto n = std::strftime(text.data(), text.size(), "%FT%T", &t);
  std::snprintf(
    text.data() + n, text.size() - n, ".%03dZ", static_cast<int>(since % 1000));
  return text.data();
}

std::optional<element> stanza_of(const im& x) {
  const auto* p = stanza_in(x);
  return p ? parse_element(p->data) : std::nullopt;
}

} // namespace parley::xmpp
