#include <charconv>
#include <utility>

#include "protocol/defaults.hpp"
#include "protocol/overloaded.hpp"
#include "protocol/xmpp/octets.hpp"
#include "protocol/xmpp/stanza_errors.hpp"
#include "protocol/xmpp/stream.hpp"
#include "protocol/xmpp/stream_call.hpp"

/// A stream up to its session.
namespace parley::xmpp {

namespace {

/// The condition of a SASL failure (RFC 6120, 6.5).
std::string_view sasl_condition_of(errc code) noexcept {
  switch (code) {
  case errc::mechanism_unavailable:
    return "invalid-mechanism";
  case errc::overloaded:
  case errc::store_unavailable:
    return "temporary-auth-failure";
  default:
    return "not-authorized";
  }
}

/// `example.org` as it is prepared; empty if it is no domain.
std::string domain_of(std::string_view text) {
  auto any = user_address::parse("x@" + std::string{text});
  return any ? std::string{any->domain()} : std::string{};
}

} // namespace

// -- the stream's beginning ---------------------------------------------------

void stream::open(const element& header) {
  const auto to = header["to"];
  if (!to.empty())
    x_domain = domain_of(to);
  const bool is_domain = !x_domain.empty();
  if (!is_domain)
    x_domain = x_config->domain;
  put_header();
  x_opened = true;
  if (!x_web && !header.is("stream", ns::streams))
    return fail_stream("invalid-namespace", "a stream was expected");
  if (!header["version"].starts_with("1."))
    return fail_stream("unsupported-version", "this server speaks XMPP 1.0");
  if (!is_domain)
    return fail_stream("improper-addressing", "'to' is no domain");
  put_features();
}

void stream::put_header() {
  x_header_sent = true;
  append_header(sink());
  appended();
}

void stream::append_header(std::string& out) const {
  if (x_web) {
    out += "<open";
    append_attribute(out, "xmlns", ns::framing);
  } else {
    out += "<?xml version='1.0'?><stream:stream";
    append_attribute(out, "xmlns", ns::client);
    append_attribute(out, "xmlns:stream", ns::streams);
  }
  append_attribute(out, "id", random_name(defaults::token_bytes));
  append_attribute(out, "from", x_domain);
  out += " version='1.0' xml:lang='en'";
  out += x_web ? "/>" : ">";
}

void stream::put_trailer(std::string& out) const {
  if (!x_web) {
    out += "</stream:stream>";
    return;
  }
  out += "<close";
  append_attribute(out, "xmlns", ns::framing);
  out += "/>";
}

void stream::put_features() {
  auto& out = sink();
  out += "<stream:features>";
  if (x_config->tls && !x_bytes.has_tls()) {
    out += "<starttls";
    append_attribute(out, "xmlns", ns::tls);
    out += "><required/></starttls>";
  } else if (x_sign_in->user.empty()) {
    const auto channel = x_bytes.channel();
    std::string mechanisms;
    for (const auto& m : sasl_mechanisms(channel))
      mechanisms += "<mechanism>" + m + "</mechanism>";
    out += "<mechanisms";
    append_attribute(out, "xmlns", ns::sasl);
    out += '>' + mechanisms + "</mechanisms>";
    append_authentication(out, mechanisms);
    if (channel.can_bind()) {
      // XEP-0440.
      out += "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>"
             "<channel-binding type='";
      out += channel.tls_exporter.empty() ? "tls-unique" : "tls-exporter";
      out += "'/></sasl-channel-binding>";
    }
    if (x_config->registration)
      out += "<register xmlns='http://jabber.org/features/iq-register'/>";
  } else {
    out += "<bind";
    append_attribute(out, "xmlns", ns::bind);
    out += "/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'>"
           "<optional/></session>";
    dialogue::append_features(out);
  }
  out += "</stream:features>";
  appended();
}

void stream::before_session(element x) {
  if (!x_opened)
    return fail_stream("bad-format", "a stream was expected");
  if (x.is("starttls", ns::tls))
    return begin_tls();
  const bool may_sign_in = x_bytes.has_tls() || !x_config->tls;
  auto& state = *x_sign_in;
  if (may_sign_in && state.user.empty()) {
    const bool goes_on = x.name == "response" || x.name == "abort";
    if ((x.xmlns == ns::sasl && (goes_on || x.name == "auth"))
      || (x.xmlns == ns::sasl2 && (goes_on || x.name == "authenticate")))
      return take_sasl(x);
    const auto* query = x.find("query", ns::registration);
    if (x_config->registration && x.is("iq", ns::client) && query)
      return take_registration(x, *query);
  }
  if (!state.user.empty()) {
    if (x.is("iq", ns::client) && x.find("bind", ns::bind))
      return bind(x);
    if (x.is("resume", dialogue::stream_management))
      return begin_resume(x);
  }
  if (x.xmlns == dialogue::stream_management) {
    dialogue::append_failed(sink(), "unexpected-request");
    appended();
    return count_failure();
  }
  fail_stream("not-authorized", "this needs a sign-in before");
}

void stream::begin_tls() {
  if (!x_config->tls || x_bytes.has_tls() || !x_sign_in->user.empty()) {
    auto& out = sink();
    out += "<failure";
    append_attribute(out, "xmlns", ns::tls);
    out += "/>";
    return fail_stream({}, {}, failure{errc::tls_failed, "no TLS is offered"});
  }
  auto& out = sink();
  out += "<proceed";
  append_attribute(out, "xmlns", ns::tls);
  out += "/>";
  appended();
  x_bytes.start_tls(*x_config->tls);
  x_reader.restart();
  x_opened = false;
  x_header_sent = false;
}

// -- SASL ---------------------------------------------------------------------

void stream::take_sasl(const element& x) {
  auto& exchange = x_sign_in->exchange;
  const bool is_whole = x.xmlns == ns::sasl2;
  const auto give_up = [&](std::string_view condition) {
    exchange.stop();
    x_sign_in->whole.reset();
    put_sasl_failure(condition, {});
    count_failure();
  };
  const bool begins = x.name == "auth" || x.name == "authenticate";
  if (begins && exchange.is_under_way()) {
    exchange.stop();
    count_failure();
    if (x_closed)
      return;
  }
  const auto profile = is_whole ? ns::sasl2 : ns::sasl;
  const bool is_other = profile != std::exchange(x_sign_in->profile, profile);
  if (x.name == "abort" || (!begins && (is_other || !exchange.is_under_way())))
    return give_up("aborted");
  const auto* initial =
    begins && is_whole ? x.find("initial-response", ns::sasl2) : nullptr;
  std::string text;
  if (initial)
    text = initial->inner_text();
  else if (!begins || !is_whole)
    text = x.inner_text();
  // "=" is an initial response of no bytes (RFC 6120, 6.4.2).
  const auto octets = text.empty() || text == "="
    ? std::optional<std::string>{std::string{}}
    : from_base64(text);
  if (!octets)
    return give_up("incorrect-encoding");
  if (begins)
    x_sign_in->whole =
      is_whole ? std::make_unique<whole_sign_in>(read_whole(x)) : nullptr;
  // As clients do that know of no other binding; slixmpp 1.8 is one.
  say(begins ? exchange.begin(
        *x_config, x["mechanism"], x_bytes.lenient_channel(), x_domain, *octets)
             : exchange.respond(*octets));
}

/// The last thing that its callers do: it may end the sign-in.
void stream::say(sign_in_exchange::word what) {
  if (!x_sign_in)
    return;
  std::visit(overloaded{[](sign_in_exchange::nothing) {},
               [this](sign_in_exchange::challenge& x) {
                 auto& out = sink();
                 out += "<challenge";
                 append_attribute(out, "xmlns", x_sign_in->profile);
                 out += '>' + to_base64(x.data) + "</challenge>";
                 appended();
               },
               [this](sign_in_exchange::success& x) { take_in(std::move(x)); },
               [this](const failure& why) { try_again(why); }},
    what);
  go_on_reading();
}

void stream::take_in(sign_in_exchange::success who) {
  if (x_sign_in->whole) {
    x_sign_in->whole->proof = to_base64(who.data);
    x_sign_in->user = std::move(who.user);
    x_sign_in->exchange.give(turn::client);
    return go_in();
  }
  auto& out = sink();
  out += "<success";
  append_attribute(out, "xmlns", ns::sasl);
  out += '>' + to_base64(who.data) + "</success>";
  appended();
  x_sign_in->user = std::move(who.user);
  x_sign_in->exchange.give(turn::client);
  x_reader.restart();
  x_opened = false;
  x_header_sent = false;
}

void stream::try_again(const failure& why) {
  x_sign_in->exchange.stop();
  x_sign_in->whole.reset();
  put_sasl_failure(sasl_condition_of(why.code), why);
  count_failure();
}

void stream::put_sasl_failure(std::string_view condition, const failure& why) {
  auto& out = sink();
  const auto profile = x_sign_in->profile;
  out += "<failure";
  append_attribute(out, "xmlns", profile);
  out += "><";
  out += condition;
  if (profile != ns::sasl)
    append_attribute(out, "xmlns", ns::sasl);
  out += "/>";
  auto text = why.text;
  if (why.retry_after)
    text +=
      "; try again in " + std::to_string(why.retry_after->count()) + " ms";
  if (!text.empty()) {
    out += "<text>";
    append_escaped(out, text);
    out += "</text>";
  }
  out += "</failure>";
  appended();
}

void stream::count_failure() {
  if (!x_closed && !x_sign_in->exchange.count_failure())
    fail_stream("policy-violation", "too many sign-ins have failed",
      failure{errc::authentication_failed, "too many sign-ins have failed"});
}

void stream::keys_found(const scram_keys* keys) {
  const call scope{*this};
  if (x_sign_in)
    say(x_sign_in->exchange.keys_found(keys));
}

void stream::password_checked(bool fits) {
  const call scope{*this};
  if (x_sign_in)
    say(x_sign_in->exchange.password_checked(fits));
}

void stream::authentication_refused(const failure& why) {
  const call scope{*this};
  if (x_sign_in)
    say(x_sign_in->exchange.refused(why));
}

// -- a session is asked for ---------------------------------------------------

void stream::bind(const element& iq) {
  auto& state = *x_sign_in;
  auto refuse = [&](const stanza_error& what, std::string_view text) {
    append_error_answer(sink(), iq, what, text);
    appended();
    count_failure();
  };
  if (iq["type"] != "set" || iq["id"].empty())
    return refuse(bad_request, "binding is an iq of type set with an id");
  const auto* wish = iq.find("bind", ns::bind)->find("resource", ns::bind);
  endpoint_name endpoint;
  if (wish && !wish->children.empty()) {
    auto name = endpoint_name::parse(wish->inner_text());
    if (!name)
      return refuse(jid_malformed, name.error().text);
    endpoint = std::move(*name);
  }
  state.bind_id = iq["id"];
  want_session(std::move(endpoint));
}

void stream::want_session(endpoint_name endpoint) {
  auto& state = *x_sign_in;
  state.exchange.give(turn::session);
  sign_in what;
  what.user = state.user;
  what.endpoint = std::move(endpoint);
  // Until it says something else.
  what.presence.show = show::unavailable;
  what.software = "XMPP";
  what.peer = state.peer;
  what.transport = transport();
  what.protocol = wire_protocol::xmpp;
  state.exchange.want(std::move(what));
}

std::string stream::transport() const {
  return x_bytes.transport() + (x_web ? ", WebSocket" : "");
}

void stream::begin_resume(const element& x) {
  if (want_resumption(x))
    return;
  dialogue::append_failed(sink(), "item-not-found");
  appended();
  count_failure();
}

bool stream::want_resumption(const element& x) {
  auto& state = *x_sign_in;
  const auto h = x["h"];
  const auto read =
    std::from_chars(h.data(), h.data() + h.size(), state.handled);
  auto token = from_base64(x["previd"]);
  if (read.ec != std::errc{} || read.ptr != h.data() + h.size() || !token)
    return false;
  state.previous = x["previd"];
  state.exchange.give(turn::resumption);
  state.exchange.want(resume{std::move(*token), {}, state.peer, transport(),
    state.user, wire_protocol::xmpp});
  return true;
}

void stream::refuse(const failure& why) {
  if (!x_sign_in)
    return;
  const call scope{*this};
  auto& state = *x_sign_in;
  const auto whose = state.exchange.whose();
  if (whose == turn::resumption) {
    state.exchange.give(turn::client);
    dialogue::append_failed(
      state.whole ? state.whole->failed : sink(), "item-not-found", why.value);
    if (state.whole)
      go_in_anew();
    else
      count_failure();
  } else if (whose == turn::session && state.whole && !state.user.empty()) {
    state.whole.reset();
    state.user = {};
    state.exchange.stop();
    // The account may be gone since.
    put_sasl_failure(why.code == errc::authentication_failed
        ? "not-authorized"
        : "temporary-auth-failure",
      why);
    count_failure();
  } else if (whose == turn::session && !state.user.empty()) {
    state.exchange.give(turn::client);
    auto& out = sink();
    out += "<iq type='error'";
    append_attribute(out, "id", state.bind_id);
    out += '>';
    append_error(out, why);
    out += "</iq>";
    count_failure();
  } else {
    return;
  }
  appended();
  go_on_reading();
}

} // namespace parley::xmpp
