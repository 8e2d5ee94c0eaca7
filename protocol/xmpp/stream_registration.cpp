#include <utility>

#include "protocol/defaults.hpp"
#include "protocol/xmpp/stanza_errors.hpp"
#include "protocol/xmpp/stream.hpp"
#include "protocol/xmpp/stream_call.hpp"

/// Accounts that strangers make (XEP-0077).
namespace parley::xmpp {

namespace {

std::string text_of(const element& query, std::string_view name) {
  const auto* x = query.find(name, ns::registration);
  return x ? x->inner_text() : std::string{};
}

/// Whether anybody could sign in by this: names and passwords that SASL
/// forbids would make an account for nobody.
bool is_fit_for_sasl(const std::string& name, const std::string& password) {
  const std::vector<std::string> offered{"SCRAM-SHA-256"};
  return sasl_client::make(offered, {}, name, password).has_value();
}

} // namespace

void stream::take_registration(const element& iq, const element& query) {
  auto& state = *x_sign_in;
  const auto refuse = [&](const stanza_error& what, std::string_view text) {
    append_error_answer(sink(), iq, what, text);
    appended();
    count_failure();
  };
  const auto type = iq["type"];
  if ((type != "get" && type != "set") || iq["id"].empty())
    return refuse(bad_request, "this is an iq of type get or set with an id");
  if (type == "get") {
    auto& out = sink();
    out += "<iq type='result'";
    append_attribute(out, "id", iq["id"]);
    out += "><query";
    append_attribute(out, "xmlns", ns::registration);
    out += "><instructions>Choose a name and a password.</instructions>"
           "<username/><password/></query></iq>";
    return appended();
  }
  const auto name = text_of(query, "username");
  auto password = text_of(query, "password");
  const auto user = user_address::parse(name + "@" + x_config->domain);
  if (name.find('@') != name.npos || !user)
    return refuse(jid_malformed, "nobody can be called so");
  if (x_domain != x_config->domain)
    return refuse(not_allowed, "accounts of this domain are not made so");
  if (password.empty() || password.size() > defaults::password_max
    || !is_fit_for_sasl(std::string{user->node()}, password))
    return refuse(not_acceptable, "nobody could sign in by this");
  state.bind_id = iq["id"];
  state.exchange.give(turn::account);
  x_owner.register_wanted(*user, std::move(password));
}

void stream::registered(const failure& why) {
  const call scope{*this};
  if (!x_sign_in || x_sign_in->exchange.whose() != turn::account)
    return;
  auto& state = *x_sign_in;
  state.exchange.give(turn::client);
  auto& out = sink();
  const bool is_there = why.code == errc::none;
  out += is_there ? "<iq type='result'" : "<iq type='error'";
  append_attribute(out, "id", state.bind_id);
  if (is_there) {
    out += "/>";
  } else {
    out += '>';
    append_error(out, why);
    out += "</iq>";
  }
  appended();
  if (!is_there)
    count_failure();
  if (!x_closed)
    go_on_reading();
}

} // namespace parley::xmpp
