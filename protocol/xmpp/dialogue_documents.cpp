#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/defaults_documents.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/dialogue.hpp"
#include "protocol/xmpp/pubsub.hpp"

/// What clients keep at the server: private storage (XEP-0049), the vCard
/// (XEP-0054), and the nodes of PEP (XEP-0163).
namespace parley::xmpp {

namespace {

using matter = document_matter;

/// What a service says beside the condition (XEP-0060).
constexpr std::string_view pubsub_errors =
  "http://jabber.org/protocol/pubsub#errors";

constexpr std::string_view one_element = "there is exactly one element";
constexpr std::string_view name_too_long = "this name is too long";

/// Null if there is none, or more than one.
const element* only_child(const element& x) noexcept {
  const element* found = nullptr;
  for (const auto& c : x.children) {
    if (c.is_text())
      continue;
    if (found)
      return nullptr;
    found = &c;
  }
  return found;
}

/// The data form in a part of the question.
const element* form_in(const element* x) noexcept {
  return x ? x->find("x", "jabber:x:data") : nullptr;
}

bool is_true(std::string_view x) noexcept {
  return x == "true" || x == "1";
}

} // namespace

void dialogue::ask_documents(
  const element& iq, document_request what, document_matter about) {
  const auto to = iq["to"];
  if (const auto whom = address::parse(to);
      whom && whom->user != x_self.user && to.find('@') != to.npos) {
    what.owner = whom->user;
    about.of_other = true;
  }
  asked a{purpose::documents, std::string{iq["id"]}, std::string{to}};
  a.matter = std::make_shared<const document_matter>(std::move(about));
  ask(std::move(what), std::move(a));
}

void dialogue::change_document(
  const element& iq, document_change what, document_matter about) {
  if (collection_of(what).size() > defaults::document_name_max)
    return refuse(iq, not_acceptable, name_too_long);
  ask_documents(iq, document_request{{}, std::move(what)}, std::move(about));
}

bool dialogue::take_documents(const element& iq, const element& child) {
  const bool gets = iq["type"] == "get";
  // Nodes are a user's, and not the server's.
  const auto to = iq["to"];
  const bool is_user = to.empty() || to.find('@') != to.npos;
  if ((child.name == "pubsub" || child.name == "vCard") && !is_user)
    return false;
  if (child.is("query", ns::private_storage))
    take_private(iq, child);
  else if (child.is("vCard", ns::vcard))
    take_vcard(iq, child);
  else if (child.is("pubsub", ns::pubsub) && gets)
    take_items(iq, child);
  else if (child.is("pubsub", ns::pubsub))
    take_publishing(iq, child);
  else if (child.is("pubsub", ns::pubsub_owner))
    take_owning(iq, child);
  else
    return false;
  return true;
}

bool dialogue::take_others_documents(const element& iq, const element& child) {
  if (iq["type"] == "get" && child.is("vCard", ns::vcard))
    take_vcard(iq, child);
  else if (iq["type"] == "get" && child.is("pubsub", ns::pubsub))
    take_items(iq, child);
  else if (child.is("pubsub", ns::pubsub)
    || child.is("pubsub", ns::pubsub_owner))
    refuse(iq, forbidden);
  else
    return false;
  return true;
}

void dialogue::list_nodes(const element& iq) {
  matter m;
  m.what = matter::kind::nodes;
  ask_documents(
    iq, {{}, document_reading{list_collections{std::string{node_prefix}}}}, m);
}

void dialogue::take_private(const element& iq, const element& query) {
  const auto* what = only_child(query);
  if (!what)
    return refuse(iq, bad_request, one_element);
  matter m;
  if (iq["type"] == "get") {
    m.what = matter::kind::private_get;
    m.wanted.name = what->name;
    m.wanted.xmlns = what->xmlns;
    return ask_documents(iq,
      {{},
        document_reading{read_documents{collection_of_private(*what), {}, 1}}},
      std::move(m));
  }
  write_document w{collection_of_private(*what),
    {std::string{only_document}, bytes_of(*what), {}}, private_rules, false};
  change_document(iq, std::move(w), std::move(m));
}

void dialogue::take_vcard(const element& iq, const element& card) {
  matter m;
  std::string name{collection_of_vcard};
  if (iq["type"] == "get") {
    m.what = matter::kind::vcard_get;
    return ask_documents(
      iq, {{}, document_reading{read_documents{std::move(name), {}, 1}}}, m);
  }
  write_document w{std::move(name),
    {std::string{only_document}, bytes_of(card), {}}, vcard_rules, false};
  change_document(iq, std::move(w), std::move(m));
}

// -- PEP: what is read --------------------------------------------------------

void dialogue::take_items(const element& iq, const element& pubsub) {
  const auto* items = pubsub.find("items", ns::pubsub);
  if (!items)
    return refuse(iq, {"cancel", "feature-not-implemented"});
  const auto node = (*items)["node"];
  if (node.empty())
    return refuse(iq, bad_request, "no node is named");
  read_documents r{collection_of_node(node), {}, any_number};
  const auto max = (*items)["max_items"];
  if (!max.empty()) {
    const auto [end, ec] =
      std::from_chars(max.data(), max.data() + max.size(), r.max);
    if (ec != std::errc{} || end != max.data() + max.size())
      return refuse(iq, bad_request, "max_items is a number");
  }
  for (const auto& c : items->children)
    if (c.is("item", ns::pubsub))
      r.ids.emplace_back(c["id"]);
  if (r.collection.size() > defaults::document_name_max)
    return refuse(iq, item_not_found);
  if (r.ids.size() > defaults::xmpp_items_max)
    return refuse(iq, {"modify", "policy-violation"},
      "at most " + std::to_string(defaults::xmpp_items_max)
        + " items are asked for at once");
  matter m;
  m.what = matter::kind::items;
  m.node = node;
  ask_documents(iq, {{}, document_reading{std::move(r)}}, std::move(m));
}

// -- PEP: what is changed -----------------------------------------------------

void dialogue::take_publishing(const element& iq, const element& pubsub) {
  if (const auto* p = pubsub.find("publish", ns::pubsub))
    return publish(iq, pubsub, *p);
  if (const auto* r = pubsub.find("retract", ns::pubsub)) {
    const auto* item = r->find("item", ns::pubsub);
    if (!item || (*item)["id"].empty())
      return refuse(iq, bad_request, "no item is named");
    return change_document(iq,
      remove_document{collection_of_node((*r)["node"]),
        std::string{(*item)["id"]}, is_true((*r)["notify"])},
      {});
  }
  const auto* c = pubsub.find("create", ns::pubsub);
  if (!c)
    return refuse(iq, {"cancel", "feature-not-implemented"});
  if ((*c)["node"].empty())
    return refuse(iq, not_acceptable, "a node has a name");
  const auto* form = form_in(pubsub.find("configure", ns::pubsub));
  const auto wish = form ? wish_of(*form) : collection_wish{};
  if (!wish)
    return refuse(iq, not_acceptable, "a node cannot be kept like this");
  change_document(
    iq, make_collection{collection_of_node((*c)["node"]), *wish}, {});
}

void dialogue::publish(
  const element& iq, const element& pubsub, const element& p) {
  const auto node = p["node"];
  const auto* item = only_child(p);
  const auto* payload =
    item && item->is("item", ns::pubsub) ? only_child(*item) : nullptr;
  if (node.empty() || !payload)
    return refuse(iq, bad_request, "a node gets one item with one element");
  write_document w;
  w.collection = collection_of_node(node);
  w.what.id = (*item)["id"];
  if (w.what.id.empty())
    w.what.id = next_id();
  if (w.what.id.size() > defaults::document_name_max)
    return refuse(iq, not_acceptable, name_too_long);
  w.what.bytes = bytes_of(*payload);
  w.tells = true;
  if (const auto* form = form_in(pubsub.find("publish-options", ns::pubsub))) {
    const auto wish = wish_of(*form);
    if (!wish)
      return refuse_precondition(iq);
    w.wish = *wish;
  }
  matter m;
  m.what = matter::kind::publish;
  m.node = node;
  m.item = w.what.id;
  change_document(iq, std::move(w), std::move(m));
}

void dialogue::take_owning(const element& iq, const element& pubsub) {
  const auto* what = pubsub.first();
  if (!what || what->xmlns != ns::pubsub_owner)
    return refuse(iq, bad_request, one_element);
  const auto node = (*what)["node"];
  if (node.empty())
    return refuse(iq, bad_request, "no node is named");
  auto collection = collection_of_node(node);
  if (collection.size() > defaults::document_name_max)
    return refuse(iq, item_not_found);
  if (iq["type"] == "get") {
    if (what->name != "configure")
      return refuse(iq, {"cancel", "feature-not-implemented"});
    matter m;
    m.what = matter::kind::configuration;
    m.node = node;
    return ask_documents(iq,
      {{}, document_reading{read_collection{std::move(collection)}}},
      std::move(m));
  }
  if (what->name == "delete")
    return change_document(
      iq, remove_collection{std::move(collection), false, true}, {});
  if (what->name == "purge")
    return change_document(
      iq, remove_collection{std::move(collection), true, true}, {});
  if (what->name != "configure")
    return refuse(iq, {"cancel", "feature-not-implemented"});
  const auto* form = form_in(what);
  // Who cancels changes nothing.
  if (form && (*form)["type"] == "cancel")
    return put_result(iq);
  const auto wish = form ? wish_of(*form) : std::nullopt;
  if (!wish)
    return refuse(iq, not_acceptable, "a node cannot be kept like this");
  change_document(iq, change_collection{std::move(collection), *wish}, {});
}

// -- answers ------------------------------------------------------------------

void dialogue::append_pubsub_error(std::string_view name) {
  std::string more = "<";
  more += name;
  append_attribute(more, "xmlns", pubsub_errors);
  more += "/>";
  out().insert(out().rfind("</error>"), more);
}

void dialogue::refuse_precondition(const element& iq) {
  const auto start = out().size();
  append_error_answer(out(), iq, conflict);
  append_pubsub_error("precondition-not-met");
  sent_reply(start);
}

void dialogue::put_documents_failure(const asked& about, const failure& why) {
  const auto& m = *about.matter;
  element back;
  back.name = "iq";
  back.attributes = {
    {{}, "id", about.id}, {{}, "to", about.to}, {{}, "from", x_self.str()}};
  const bool is_missing = why.code == errc::not_found;
  if (m.what == matter::kind::private_get && is_missing)
    return put_documents(about, {});
  // Whether there is nobody, nothing, or a block looks the same.
  if (m.of_other && is_missing && m.what == matter::kind::vcard_get)
    return append_error_answer(out(), back, service_unavailable);
  append_error_answer(out(), back, why);
  if (why.code == errc::other_rules)
    append_pubsub_error("precondition-not-met");
}

void dialogue::put_documents(
  const asked& about, const std::vector<document>& what) {
  const auto& m = *about.matter;
  std::string content;
  const auto in_pubsub = [&content](std::string_view xmlns, auto&& append) {
    content += "<pubsub";
    append_attribute(content, "xmlns", xmlns);
    content += '>';
    append();
    content += "</pubsub>";
  };
  switch (m.what) {
  case matter::kind::private_get:
    content += "<query xmlns='jabber:iq:private'>";
    content += what.empty() ? bytes_of(m.wanted) : what.front().bytes;
    content += "</query>";
    break;
  case matter::kind::vcard_get:
    if (!what.empty())
      content += what.front().bytes;
    break;
  case matter::kind::items:
    in_pubsub(ns::pubsub, [&] { append_items(content, m.node, what); });
    break;
  case matter::kind::publish:
    in_pubsub(ns::pubsub, [&] {
      content += "<publish";
      append_attribute(content, "node", m.node);
      content += "><item";
      append_attribute(content, "id", m.item);
      content += "/></publish>";
    });
    break;
  default:
    break;
  }
  put_document_result(about, content);
}

void dialogue::put_found(const asked& about, const documents_found& x) {
  const auto& m = *about.matter;
  std::string content;
  if (m.what == matter::kind::configuration) {
    content += "<pubsub";
    append_attribute(content, "xmlns", ns::pubsub_owner);
    content += "><configure";
    append_attribute(content, "node", m.node);
    content += '>';
    append_configuration(content, x.rules);
    content += "</configure></pubsub>";
  } else if (m.what == matter::kind::nodes) {
    content += "<query";
    append_attribute(content, "xmlns", ns::disco_items);
    content += '>';
    for (const auto& name : x.names) {
      content += "<item";
      append_attribute(content, "jid", x_self.user.str());
      append_attribute(content, "node", node_of(name).value_or(name));
      content += "/>";
    }
    content += "</query>";
  } else {
    return put_documents(about, x.what);
  }
  put_document_result(about, content);
}

void dialogue::put_document_result(
  const asked& about, std::string_view content) {
  out() += "<iq type='result'";
  append_attribute(out(), "id", about.id);
  append_optional(out(), "from", about.to);
  append_attribute(out(), "to", x_self.str());
  out() += '>';
  out() += content;
  out() += "</iq>";
}

void dialogue::put_documents_answer(const asked& about, const answer& x) {
  if (const auto* why = std::get_if<failure>(&x.what))
    put_documents_failure(about, *why);
  else if (const auto* found = std::get_if<documents_found>(&x.what))
    put_found(about, *found);
  else
    put_documents(about, {});
}

} // namespace parley::xmpp
