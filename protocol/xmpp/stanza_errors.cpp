#include "protocol/xmpp/stanza_errors.hpp"

namespace parley::xmpp {

stanza_error stanza_error_of(errc code) noexcept {
  switch (code) {
  case errc::id_conflict:
  case errc::exists:
  case errc::other_rules:
    return conflict;
  case errc::not_found:
    return item_not_found;
  case errc::too_large:
  case errc::window_exceeded:
  case errc::too_many_recipients:
    return {"modify", "policy-violation"};
  case errc::bad_address:
    return jid_malformed;
  case errc::im_disabled:
  case errc::watch_disabled:
    return not_allowed;
  case errc::no_such_user:
  case errc::refused:
  case errc::recipient_offline:
    return service_unavailable;
  case errc::rate_limited:
    return {"wait", "policy-violation"};
  case errc::quota_exceeded:
  case errc::overloaded:
  case errc::contact_list_full:
  case errc::watcher_limit:
  case errc::watch_limit:
    return {"wait", "resource-constraint"};
  case errc::store_failed:
  case errc::store_unavailable:
    return {"wait", "internal-server-error"};
  case errc::server_stopping:
    return {"wait", "recipient-unavailable"};
  case errc::bad_request:
    return bad_request;
  case errc::unknown_request:
    return {"cancel", "feature-not-implemented"};
  case errc::not_authorised:
    return forbidden;
  case errc::too_many_endpoints:
    return {"wait", "resource-constraint"};
  default:
    return {"cancel", "undefined-condition"};
  }
}

std::string_view stream_condition_of(errc code) noexcept {
  switch (code) {
  case errc::none:
  case errc::signed_out:
    return {};
  case errc::replaced:
    return "conflict";
  case errc::account_removed:
  case errc::kicked:
  case errc::authentication_failed:
  case errc::not_signed_in:
    return "not-authorized";
  case errc::server_stopping:
    return "system-shutdown";
  case errc::timed_out:
  case errc::expired:
    return "connection-timeout";
  case errc::too_many_connections:
  case errc::overloaded:
    return "resource-constraint";
  case errc::slow_consumer:
  case errc::window_exceeded:
    return "policy-violation";
  default:
    return "undefined-condition";
  }
}

void append_error(
  std::string& out, const stanza_error& what, std::string_view text) {
  out += "<error";
  append_attribute(out, "type", what.type);
  out += "><";
  out += what.condition;
  append_attribute(out, "xmlns", ns::stanza_errors);
  out += "/>";
  if (!text.empty()) {
    out += "<text";
    append_attribute(out, "xmlns", ns::stanza_errors);
    out += '>';
    append_escaped(out, text);
    out += "</text>";
  }
  out += "</error>";
}

void append_error(std::string& out, const failure& why) {
  std::string text{to_string(why.code)};
  if (!why.text.empty())
    text += ": " + why.text;
  if (why.retry_after)
    text +=
      "; try again in " + std::to_string(why.retry_after->count()) + " ms";
  append_error(out, stanza_error_of(why.code), text);
}

namespace {

void append_answer_start(std::string& out, const element& to) {
  out += '<';
  out += to.name;
  append_attribute(out, "type", "error");
  append_optional(out, "id", to["id"]);
  append_optional(out, "from", to["to"]);
  append_optional(out, "to", to["from"]);
  out += '>';
}

void append_answer_end(std::string& out, const element& to) {
  out += "</";
  out += to.name;
  out += '>';
}

} // namespace

void append_error_answer(
  std::string& out, const element& to, const failure& why) {
  append_answer_start(out, to);
  append_error(out, why);
  append_answer_end(out, to);
}

void append_error_answer(std::string& out, const element& to,
  const stanza_error& what, std::string_view text) {
  append_answer_start(out, to);
  append_error(out, what, text);
  append_answer_end(out, to);
}

} // namespace parley::xmpp
