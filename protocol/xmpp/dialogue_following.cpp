#include <utility>

#include "protocol/xmpp/dialogue.hpp"
#include "protocol/xmpp/pubsub.hpp"

/// Who hears of which nodes: what a client says that it wants to hear of
/// (XEP-0115, `+notify` of XEP-0163), and what it is told.
namespace parley::xmpp {

void dialogue::heed_capabilities(const element& presence) {
  auto& f = x_following;
  const auto* c = presence.find("c", ns::capabilities);
  std::string said;
  if (c && (*c)["hash"] == "sha-1")
    said = (*c)["ver"];
  if (said == f.verification)
    return;
  f.verification = std::move(said);
  f.asked.clear();
  f.nodes = nullptr;
  if (f.verification.empty())
    return;
  f.nodes = known_capabilities(f.verification);
  f.is_due = true;
  if (f.nodes)
    return;
  f.asked = next_id();
  const auto start = out().size();
  out() += "<iq type='get'";
  append_attribute(out(), "id", f.asked);
  append_attribute(out(), "from", x_domain);
  append_attribute(out(), "to", x_self.str());
  out() += "><query";
  append_attribute(out(), "xmlns", ns::disco_info);
  append_attribute(
    out(), "node", std::string{(*c)["node"]} + "#" + f.verification);
  out() += "/></iq>";
  sent_reply(start);
}

bool dialogue::take_capabilities(const element& iq) {
  auto& f = x_following;
  if (f.asked.empty() || iq["id"] != f.asked)
    return false;
  f.asked.clear();
  const auto* query = iq.find("query", ns::disco_info);
  if (iq["type"] != "result" || !query)
    return true;
  f.nodes = followed_by(*query);
  // What does not fit counts for this client alone.
  if (is_unambiguous(*query) && verification_of(*query) == f.verification)
    learn_capabilities(f.verification, f.nodes);
  follow_all();
  return true;
}

void dialogue::follow_all() {
  auto& f = x_following;
  if (!f.is_due || !f.nodes || !is_available())
    return;
  f.is_due = false;
  f.fresh.clear();
  std::vector<user_address> whom{x_self.user};
  for (const auto& [who, what] : x_contacts)
    if (what.to == half::active)
      whom.push_back(who);
  follow(std::move(whom));
}

void dialogue::follow_fresh() {
  auto whom = std::exchange(x_following.fresh, {});
  // Who is about to follow all need not be told of some before.
  if (!x_following.is_due && x_following.nodes && is_available()
    && !whom.empty())
    follow(std::move(whom));
}

void dialogue::follow(std::vector<user_address> whom) {
  if (x_following.nodes->empty())
    return;
  follow_documents f;
  f.of = std::move(whom);
  for (const auto& node : *x_following.nodes)
    f.collections.push_back(collection_of_node(node));
  ask_unanswered(std::move(f));
}

void dialogue::put_notice(const document_notice& x) {
  const auto node = node_of(x.collection);
  if (!node || !is_available() || !x_following.wants(*node))
    return;
  append_notice(out(), x, x_self.str());
  sent();
}

} // namespace parley::xmpp
