#include "protocol/xmpp/disco.hpp"

#include <array>

#include "protocol/xmpp/octets.hpp"

namespace parley::xmpp {

namespace {

/// Where Parley's own words begin; the form of its policies.
constexpr std::string_view node = "urn:parley";
constexpr std::string_view policy_form = "urn:parley:policy";

constexpr std::string_view server_identity =
  "<identity category='server' type='im' name='Parley'/>";
constexpr std::string_view account_identity =
  "<identity category='account' type='registered'/>"
  "<identity category='pubsub' type='pep'/>";

/// In the order of their bytes, as capabilities count them.
constexpr std::array<std::string_view, 13> server_features{
  "http://jabber.org/protocol/address", ns::disco_info, ns::disco_items,
  "jabber:iq:last", "jabber:iq:private", "jabber:iq:roster",
  "jabber:iq:version", "msgoffline", "urn:xmpp:blocking", ns::carbons,
  "urn:xmpp:ping", "urn:xmpp:time", "vcard-temp"};

/// Beside these, of an account: what its nodes can do (XEP-0060, 10).
constexpr std::string_view pubsub_feature = "http://jabber.org/protocol/pubsub";
constexpr std::array<std::string_view, 19> node_features{"access-open",
  "access-presence", "access-whitelist", "auto-create", "auto-subscribe",
  "config-node", "create-and-configure", "create-nodes", "delete-items",
  "delete-nodes", "filtered-notifications", "item-ids", "last-published",
  "multi-items", "persistent-items", "publish", "publish-options",
  "purge-nodes", "retrieve-items"};

/// XEP-0115, 5.1.
std::string verification() {
  std::string text = "server/im//Parley<";
  for (auto f : server_features) {
    text += f;
    text += '<';
  }
  return to_base64(sha1(text));
}

const std::string& version() {
  static const auto x = verification();
  return x;
}

bool is_known(std::string_view asked) {
  return asked == std::string{node} + "#" + version();
}

void append_form(std::string& out, const client_policies& policies) {
  const auto field = [&out](std::string_view name, std::string_view value) {
    out += "<field";
    append_attribute(out, "var", name);
    if (name == "FORM_TYPE")
      append_attribute(out, "type", "hidden");
    out += "><value>";
    append_escaped(out, value);
    out += "</value></field>";
  };
  out += "<x xmlns='jabber:x:data' type='result'>";
  field("FORM_TYPE", policy_form);
  for (const auto& [name, value] : policies)
    field(name, value);
  out += "</x>";
}

} // namespace

bool append_disco(std::string& out, const element& query, bool of_user,
  const client_policies& policies) {
  const auto asked = query["node"];
  if (!asked.empty() && (of_user || !is_known(asked)))
    return false;
  out += "<query";
  append_attribute(out, "xmlns", query.xmlns);
  append_optional(out, "node", asked);
  out += '>';
  if (query.xmlns == ns::disco_info) {
    out += of_user ? account_identity : server_identity;
    for (auto f : server_features) {
      out += "<feature";
      append_attribute(out, "var", f);
      out += "/>";
    }
    if (of_user) {
      out += "<feature";
      append_attribute(out, "var", pubsub_feature);
      out += "/>";
      for (auto f : node_features) {
        out += "<feature";
        append_attribute(
          out, "var", std::string{pubsub_feature} + "#" + std::string{f});
        out += "/>";
      }
    }
    // The form is not part of the capabilities: it changes.
    if (asked.empty() && !of_user && !policies.empty())
      append_form(out, policies);
  }
  out += "</query>";
  return true;
}

void append_capabilities(std::string& out) {
  out += "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1'";
  append_attribute(out, "node", node);
  append_attribute(out, "ver", version());
  out += "/>";
}

} // namespace parley::xmpp
