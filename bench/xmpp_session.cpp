#include "bench/xmpp_session.hpp"

#include <charconv>

#include "protocol/parley.pb.h"

namespace parley::bench {

namespace {

constexpr std::string_view sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
constexpr std::string_view binding_id = "bind";
constexpr std::string_view roster_id = "roster";

std::string_view show_text(uint32_t show) noexcept {
  switch (show) {
  case wire::CHAT:
    return "chat";
  case wire::AWAY:
    return "away";
  case wire::XA:
    return "xa";
  case wire::DND:
    return "dnd";
  default:
    return {};
  }
}

/// UNKNOWN for what is no show.
uint32_t show_of(std::string_view text) noexcept {
  for (const auto x :
    {wire::AVAILABLE, wire::CHAT, wire::AWAY, wire::XA, wire::DND})
    if (show_text(x) == text)
      return x;
  return wire::UNKNOWN;
}

/// The condition in `<failure>`, `<stream:error>` or `<error>`, and its text.
std::string reason_in(const element_view& x) {
  const auto inner = x.content();
  const auto name = inner.empty() ? inner : element_view{inner}.name();
  return std::string{name} + " " + std::string{x.child_text("text")};
}

std::string_view local_part(std::string_view user) noexcept {
  return user.substr(0, user.find('@'));
}

std::string_view domain(std::string_view user) noexcept {
  return user.substr(user.find('@') + 1);
}

} // namespace

// -- what its owner wants -----------------------------------------------------

uint64_t xmpp_session::send(const outgoing_im& im, int64_t) {
  auto& to = out();
  to += "<message type='chat' to='";
  to += im.to;
  to += "' id='";
  to += im.id;
  to += "'><body>";
  put_escaped(to, im.head);
  put_escaped(to, im.text);
  to += "</body></message>";
  return ++x_last_request;
}

uint64_t xmpp_session::broadcast(
  std::string_view, std::span<const std::string>, std::string_view) {
  fail("a broadcast is not in XMPP");
  return 0;
}

uint64_t xmpp_session::set_presence(uint32_t show, std::string_view status) {
  auto& to = out();
  to += "<presence>";
  if (const auto text = show_text(show); !text.empty()) {
    to += "<show>";
    to += text;
    to += "</show>";
  }
  if (!status.empty()) {
    to += "<status>";
    put_escaped(to, status);
    to += "</status>";
  }
  to += "</presence>";
  return ++x_last_request;
}

void xmpp_session::sign_out() {
  out() += "<presence type='unavailable'/></stream:stream>";
  flush();
}

// -- bytes --------------------------------------------------------------------

void xmpp_session::begin() {
  put_header();
  flush();
}

void xmpp_session::put_header() {
  out() += "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
           "xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='";
  out() += domain(user());
  out() += "'>";
}

size_t xmpp_session::consume(std::string_view bytes) {
  size_t used = 0;
  while (!is_closed()) {
    const auto piece = next_piece(bytes.substr(used));
    used += piece.used;
    switch (piece.what) {
    case stream_piece::kind::more:
      return used;
    case stream_piece::kind::header:
      break;
    case stream_piece::kind::element:
      handle(piece.text);
      break;
    case stream_piece::kind::end:
      fail("the server ended the stream");
      break;
    case stream_piece::kind::broken:
      fail("the server writes XML that parley-bench does not read");
      break;
    }
  }
  return bytes.size();
}

void xmpp_session::acknowledge() {
  if (!x_is_asked)
    return;
  x_is_asked = false;
  out() += "<a xmlns='urn:xmpp:sm:3' h='" + std::to_string(x_handled) + "'/>";
}

void xmpp_session::handle(std::string_view text) {
  const element_view x{text};
  const auto name = x.name();
  const bool is_stanza =
    name == "message" || name == "presence" || name == "iq";
  x_handled += is_stanza && x_counts ? 1 : 0;
  if (name == "message")
    return take_message(x);
  if (name == "presence")
    return take_presence(x);
  if (name == "iq")
    return take_iq(x);
  if (name == "r") {
    x_is_asked = true;
    return;
  }
  if (name == "a")
    return;
  if (name == "stream:features")
    return take_features(x);
  if (name == "challenge")
    return take_challenge(x);
  if (name == "success")
    return take_success(x);
  if (name == "enabled" && x_step == step::managed) {
    x_counts = true;
    return put_present();
  }
  fail("the server says " + std::string{name} + " " + reason_in(x));
}

// -- the sign-in --------------------------------------------------------------

void xmpp_session::take_features(const element_view& x) {
  if (x_step == step::binding) {
    x_step = step::bound;
    auto& to = out();
    to += "<iq type='set' id='";
    to += binding_id;
    to += "'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>";
    to += endpoint();
    to += "</resource></bind></iq>";
    return;
  }
  if (x_step != step::mechanisms)
    return fail("features of a stream out of turn");
  const auto offered = x.child_text("mechanisms");
  const auto has = [&](std::string_view name) {
    return offered.find(">" + std::string{name} + "<") != offered.npos;
  };
  auto& to = out();
  to += "<auth xmlns='";
  to += sasl;
  to += "' mechanism='";
  if (const auto name = mechanism_of(scram_hash::sha1); has(name)) {
    x_scram = std::make_unique<scram_exchange>(
      local_part(user()), fresh_nonce(), scram_hash::sha1);
    x_step = step::challenge;
    to += name;
    to += "'>" + to_base64(x_scram->first());
  } else if (has("PLAIN")) {
    std::string plain(1, '\0');
    plain += local_part(user());
    plain += '\0';
    plain += where().password;
    x_step = step::success;
    to += "PLAIN'>" + to_base64(plain);
  } else {
    return fail("the server offers neither SCRAM-SHA-1 nor PLAIN");
  }
  to += "</auth>";
}

void xmpp_session::take_challenge(const element_view& x) {
  const auto data = from_base64(x.content());
  const auto answer = x_step == step::challenge && data
    ? x_scram->answer(*data, where().password, *where().secrets)
    : std::nullopt;
  if (!answer)
    return fail("a challenge that makes no sense");
  x_step = step::success;
  out() += "<response xmlns='";
  out() += sasl;
  out() += "'>" + to_base64(*answer) + "</response>";
}

void xmpp_session::take_success(const element_view& x) {
  const auto data = from_base64(x.content());
  const bool is_proven = !x_scram || (data && x_scram->verify(*data));
  if (x_step != step::success || !is_proven)
    return fail("the server does not prove that it knows the user");
  x_scram.reset();
  x_step = step::binding;
  put_header();
}

void xmpp_session::put_present() {
  x_step = step::present;
  auto& to = out();
  to += "<iq type='get' id='";
  to += roster_id;
  to += "'><query xmlns='jabber:iq:roster'/></iq><presence/>";
}

void xmpp_session::take_iq(const element_view& x) {
  const auto type = x.attribute("type");
  const auto id = x.attribute("id");
  if (type == "get" || type == "set") {
    // Pings, and pushes of the roster.
    auto& to = out();
    to += "<iq type='result' id='";
    to += id;
    if (const auto from = x.attribute("from"); !from.empty()) {
      to += "' to='";
      to += from;
    }
    to += "'/>";
    return;
  }
  if (type == "error")
    return fail("the server refuses " + std::string{id} + ": "
      + reason_in(x.child("error").value_or(x)));
  if (x_step != step::bound || id != binding_id)
    return;
  const auto bound = x.child("bind");
  x_own_address = bound ? bound->child_text("jid") : std::string_view{};
  if (x_own_address != address())
    return fail("the server has it as '" + x_own_address + "'");
  if (!where().managed)
    return put_present();
  x_step = step::managed;
  out() += "<enable xmlns='urn:xmpp:sm:3'/>";
}

// -- in a session -------------------------------------------------------------

void xmpp_session::take_message(const element_view& x) {
  if (x.attribute("type") == "error") {
    const auto why = reason_in(x.child("error").value_or(x));
    return who_owns().im_refused(*this, x.attribute("id"), why);
  }
  const auto body = x.child("body");
  if (!body)
    return;
  im_view im;
  im.from = x.attribute("from");
  im.to = x.attribute("to");
  im.id = x.attribute("id");
  im.body = body->content();
  if (im.body.find('&') != im.body.npos) {
    if (!unescape(im.body, x_body))
      return fail("an entity that XML does not have");
    im.body = x_body;
  }
  // Servers may name the endpoint that they have chosen.
  if (im.to == address())
    im.to = user();
  who_owns().im_arrived(*this, im);
}

void xmpp_session::take_presence(const element_view& x) {
  const auto type = x.attribute("type");
  if (type == "error")
    return fail(
      "its presence comes back: " + reason_in(x.child("error").value_or(x)));
  const bool leaves = type == "unavailable";
  if (!leaves && !type.empty())
    return;
  presence_view what;
  what.from = x.attribute("from");
  if (what.from == address()) {
    if (leaves)
      return;
    if (x_step == step::open)
      return who_owns().done_arrived(*this, ++x_presences_told);
    x_step = step::open;
    grant(UINT32_MAX, UINT64_MAX);
    return opened(address());
  }
  // An answer to the probe of a sign-in: nobody was there (RFC 6121, 4.3.2).
  if (leaves && what.from.find('/') == what.from.npos)
    return;
  what.show =
    leaves ? uint32_t{wire::UNAVAILABLE} : show_of(x.child_text("show"));
  what.status = x.child_text("status");
  if (what.status.find('&') != what.status.npos) {
    if (!unescape(what.status, x_status))
      return fail("an entity that XML does not have");
    what.status = x_status;
  }
  const auto priority = x.child_text("priority");
  std::from_chars(
    priority.data(), priority.data() + priority.size(), what.priority);
  what.composed = what.show;
  what.composed_status = what.status;
  who_owns().presence_arrived(*this, what);
}

} // namespace parley::bench
