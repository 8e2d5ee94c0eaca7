#include "protocol/xmpp/dialogue.hpp"
#include "protocol/xmpp/disco.hpp"

/// What clients ask the server itself, and each other.
namespace parley::xmpp {

namespace {

constexpr std::string_view blocking = "urn:xmpp:blocking";

} // namespace

void dialogue::put_result(const element& iq, std::string_view content) {
  const auto start = out().size();
  out() += "<iq type='result'";
  append_attribute(out(), "id", iq["id"]);
  append_optional(out(), "from", iq["to"]);
  append_attribute(out(), "to", x_self.str());
  out() += '>';
  out() += content;
  out() += "</iq>";
  sent_reply(start);
}

/// An answer to a request: its caller says that it was sent.
void dialogue::put_result(std::string_view id, std::string_view content) {
  out() += "<iq type='result'";
  append_attribute(out(), "id", id);
  append_attribute(out(), "to", x_self.str());
  out() += '>';
  out() += content;
  out() += "</iq>";
}

void dialogue::take_iq(const element& x) {
  const auto type = x["type"];
  const bool asks = type == "get" || type == "set";
  const auto to = x["to"];
  const auto* child = x.first();
  if (!asks && take_capabilities(x))
    return;
  if (x["id"].empty() || (!asks && type != "result" && type != "error"))
    // Answers are never answered (RFC 6120, 8.2.3).
    return type == "result"
      ? void()
      : refuse(x, bad_request, "an iq has a type and an id");
  if (asks && !child)
    return refuse(x, bad_request, "there is nothing asked");
  if (!to.empty() && to.find('@') == to.npos) {
    if (!is_own_domain(to))
      return asks ? refuse(x, no_remote_server) : void();
    return asks ? take_own_iq(x, *child) : void();
  }
  if (to.empty())
    return asks ? take_own_iq(x, *child) : void();
  const auto whom = address::parse(to);
  if (!whom)
    return refuse(x, jid_malformed, whom.error().text);
  if (refuse_blocked(x, whom->user))
    return;
  if (whom->is_full())
    return pass(x, *whom, reach::endpoint, asks);
  if (!asks)
    return;
  if (whom->user == x_self.user)
    return take_own_iq(x, *child);
  if (whom->user.domain() == x_domain && take_others_documents(x, *child))
    return;
  // All else of others is not for everybody.
  refuse(x,
    whom->user.domain() == x_domain ? service_unavailable : no_remote_server);
}

void dialogue::take_own_iq(const element& iq, const element& child) {
  const bool gets = iq["type"] == "get";
  if (child.is("query", "jabber:iq:roster"))
    return take_roster(iq, child);
  if (child.xmlns == blocking)
    return take_block_list(iq);
  if (!gets && child.xmlns == ns::carbons
    && (child.name == "enable" || child.name == "disable"))
    return take_copies(iq, child.name == "enable");
  if (take_documents(iq, child))
    return;
  if (!gets) {
    if (child.is("session", "urn:ietf:params:xml:ns:xmpp-session"))
      return put_result(iq);
    if (child.is("bind", ns::bind))
      return refuse(iq, not_allowed, "this stream has its endpoint");
    return refuse(iq, service_unavailable);
  }
  if (child.is("ping", "urn:xmpp:ping"))
    return put_result(iq);
  if (child.is("query", ns::disco_info) || child.is("query", ns::disco_items)) {
    const bool is_user = iq["to"].find('@') != iq["to"].npos;
    if (is_user && child["node"].empty() && child.is("query", ns::disco_items))
      return list_nodes(iq);
    std::string content;
    return append_disco(content, child, is_user,
             x_policies ? *x_policies : client_policies{})
      ? put_result(iq, content)
      : refuse(iq, item_not_found);
  }
  if (child.is("query", "jabber:iq:version"))
    return put_result(
      iq, "<query xmlns='jabber:iq:version'><name>Parley</name></query>");
  if (child.is("query", "jabber:iq:last"))
    return put_result(iq, "<query xmlns='jabber:iq:last' seconds='0'/>");
  if (child.is("time", "urn:xmpp:time"))
    return put_result(iq,
      "<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>"
        + timestamp(x_now).substr(0, 19) + "Z</utc></time>");
  refuse(iq, service_unavailable);
}

} // namespace parley::xmpp
