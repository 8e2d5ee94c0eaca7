#include "protocol/xmpp/pubsub.hpp"

#include <charconv>

#include "protocol/xmpp/messages.hpp"

namespace parley::xmpp {

namespace {

constexpr std::string_view data_form = "jabber:x:data";
constexpr std::string_view configuration_form =
  "http://jabber.org/protocol/pubsub#node_config";

constexpr std::string_view access_model = "pubsub#access_model";
constexpr std::string_view persist_items = "pubsub#persist_items";
constexpr std::string_view max_items = "pubsub#max_items";
constexpr std::string_view send_last = "pubsub#send_last_published_item";

/// No element of a document stands in it, so that each names its own.
constexpr std::string_view nowhere = "urn:parley:nowhere";

std::optional<readers> readers_of(std::string_view text) noexcept {
  if (text == "open")
    return readers::everybody;
  if (text == "presence")
    return readers::watchers;
  if (text == "whitelist")
    return readers::owner;
  return std::nullopt;
}

std::string_view text_of(readers x) noexcept {
  switch (x) {
  case readers::everybody:
    return "open";
  case readers::watchers:
    return "presence";
  case readers::owner:
    break;
  }
  return "whitelist";
}

std::optional<bool> bool_of(std::string_view text) noexcept {
  if (text == "1" || text == "true")
    return true;
  if (text == "0" || text == "false")
    return false;
  return std::nullopt;
}

std::optional<uint64_t> number_of(std::string_view text) noexcept {
  if (text == "max")
    return any_number;
  uint64_t n = 0;
  const auto [end, ec] =
    std::from_chars(text.data(), text.data() + text.size(), n);
  const bool whole = ec == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional(n) : std::nullopt;
}

std::optional<bool> greets_of(std::string_view text) noexcept {
  if (text == "never")
    return false;
  if (text == "on_sub" || text == "on_sub_and_presence")
    return true;
  return std::nullopt;
}

/// False: it says what there is not.
bool take_field(
  collection_wish& wish, std::string_view name, std::string_view value) {
  if (name == access_model)
    return (wish.who = readers_of(value)).has_value();
  if (name == persist_items)
    return (wish.keeps = bool_of(value)).has_value();
  if (name == max_items)
    return (wish.documents_max = number_of(value)).has_value();
  if (name == send_last)
    return (wish.greets = greets_of(value)).has_value();
  return true;
}

void append_field(std::string& out, std::string_view name,
  std::string_view type, std::string_view value) {
  out += "<field";
  append_attribute(out, "var", name);
  append_attribute(out, "type", type);
  out += "><value>";
  append_escaped(out, value);
  out += "</value></field>";
}

void append_item(std::string& out, const document& x) {
  out += "<item";
  append_attribute(out, "id", x.id);
  if (x.bytes.empty()) {
    out += "/>";
    return;
  }
  out += '>';
  out += x.bytes;
  out += "</item>";
}

void append_named(
  std::string& out, std::string_view name, std::string_view node) {
  out += '<';
  out += name;
  append_attribute(out, "node", node);
  out += "/>";
}

} // namespace

const collection_wish private_rules{.who = readers::owner,
  .documents_max = uint64_t{1},
  .keeps = true,
  .greets = false};
const collection_wish vcard_rules{.who = readers::everybody,
  .documents_max = uint64_t{1},
  .keeps = true,
  .greets = false};

std::string collection_of_node(std::string_view node) {
  return std::string{node_prefix}.append(node);
}

std::string collection_of_private(const element& x) {
  return "private:{" + x.xmlns + "}" + x.name;
}

std::optional<std::string_view> node_of(std::string_view collection) noexcept {
  if (!collection.starts_with(node_prefix))
    return std::nullopt;
  return collection.substr(node_prefix.size());
}

std::string bytes_of(const element& x) {
  std::string out;
  append_element(out, x, nowhere);
  return out;
}

std::optional<collection_wish> wish_of(const element& form) {
  collection_wish wish;
  for (const auto& f : form.children) {
    const auto* value = f.find("value", data_form);
    if (f.is("field", data_form) && value
      && !take_field(wish, f["var"], value->inner_text()))
      return std::nullopt;
  }
  return wish;
}

void append_configuration(std::string& out, const collection_rules& rules) {
  out += "<x xmlns='jabber:x:data' type='form'>";
  append_field(out, "FORM_TYPE", "hidden", configuration_form);
  append_field(out, access_model, "list-single", text_of(rules.who));
  append_field(out, persist_items, "boolean", rules.keeps ? "1" : "0");
  append_field(out, max_items, "text-single",
    rules.documents_max == any_number ? "max"
                                      : std::to_string(rules.documents_max));
  append_field(out, send_last, "list-single",
    rules.greets ? "on_sub_and_presence" : "never");
  out += "</x>";
}

void append_items(
  std::string& out, std::string_view node, const std::vector<document>& what) {
  out += "<items";
  append_attribute(out, "node", node);
  out += '>';
  for (const auto& x : what)
    append_item(out, x);
  out += "</items>";
}

void append_notice(
  std::string& out, const document_notice& x, std::string_view to) {
  using kind = document_notice::kind;
  const auto node = node_of(x.collection).value_or(std::string_view{});
  out += "<message type='headline'";
  append_attribute(out, "from", x.owner.str());
  append_attribute(out, "to", to);
  out += "><event";
  append_attribute(out, "xmlns", ns::pubsub_event);
  out += '>';
  switch (x.what) {
  case kind::written:
    append_items(out, node, {x.about});
    break;
  case kind::removed:
    out += "<items";
    append_attribute(out, "node", node);
    out += "><retract";
    append_attribute(out, "id", x.about.id);
    out += "/></items>";
    break;
  case kind::emptied:
    append_named(out, "purge", node);
    break;
  case kind::ended:
    append_named(out, "delete", node);
    break;
  }
  out += "</event>";
  if (x.is_greeting) {
    out += "<delay xmlns='urn:xmpp:delay'";
    append_attribute(out, "stamp", timestamp(x.about.written_at));
    out += "/>";
  }
  out += "</message>";
}

} // namespace parley::xmpp
