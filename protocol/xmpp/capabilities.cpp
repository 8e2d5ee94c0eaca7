#include "protocol/xmpp/capabilities.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "protocol/defaults_documents.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/disco.hpp"
#include "protocol/xmpp/octets.hpp"

namespace parley::xmpp {

namespace {

constexpr std::string_view notify = "+notify";
constexpr std::string_view data_form = "jabber:x:data";

/// Sorted; false if one is there twice.
bool put_sorted(std::string& out, std::vector<std::string> xs) {
  std::sort(xs.begin(), xs.end());
  if (std::adjacent_find(xs.begin(), xs.end()) != xs.end())
    return false;
  for (const auto& x : xs)
    out += x + '<';
  return true;
}

std::vector<std::string> values_of(const element& field) {
  std::vector<std::string> xs;
  for (const auto& c : field.children)
    if (c.is("value", data_form))
      xs.push_back(c.inner_text());
  std::sort(xs.begin(), xs.end());
  return xs;
}

/// One form as the string counts it, its kind first; nothing for one that has
/// no kind, which does not count.
std::optional<std::string> form_text(const element& form) {
  std::string kind;
  std::vector<std::string> fields;
  for (const auto& f : form.children) {
    if (!f.is("field", data_form))
      continue;
    const auto values = values_of(f);
    if (f["var"] == "FORM_TYPE") {
      if (values.size() == 1)
        kind = values.front();
      continue;
    }
    auto& text = fields.emplace_back(f["var"]);
    text += '<';
    for (const auto& v : values)
      text += v + '<';
  }
  if (kind.empty())
    return std::nullopt;
  std::sort(fields.begin(), fields.end());
  kind += '<';
  for (const auto& f : fields)
    kind += f;
  return kind;
}

using memory = std::unordered_map<std::string, followed_nodes>;

memory& learnt() {
  // As the parser of a thread: what is in it is of no use to another.
  thread_local memory x;
  return x;
}

} // namespace

/// XEP-0115, 5.4, and more: of no other answer that asks for other nodes the
/// string is the same.
bool is_unambiguous(const element& query) {
  const auto is_part = [](std::string_view x, bool may_have_slash) {
    return x.find('<') == x.npos
      && (may_have_slash || (!x.empty() && x.find('/') == x.npos));
  };
  return std::all_of(
    query.children.begin(), query.children.end(), [&](const element& c) {
      if (c.is("identity", ns::disco_info))
        return is_part(c["category"], false) && is_part(c["type"], false)
          && is_part(c["name"], true);
      if (c.is("feature", ns::disco_info))
        return is_part(c["var"], true);
      return !c.is("x", data_form);
    });
}

std::optional<std::string> verification_of(const element& query) {
  std::vector<std::string> identities;
  std::vector<std::string> features;
  std::vector<std::string> forms;
  for (const auto& c : query.children) {
    if (c.is("identity", ns::disco_info)) {
      std::string text{c["category"]};
      text += '/';
      text += c["type"];
      text += '/';
      for (const auto& a : c.attributes)
        if (a.name == "lang" && a.xmlns == ns::xml)
          text += a.value;
      text += '/';
      text += c["name"];
      identities.push_back(std::move(text));
    } else if (c.is("feature", ns::disco_info)) {
      features.emplace_back(c["var"]);
    } else if (c.is("x", data_form)) {
      if (auto text = form_text(c))
        forms.push_back(std::move(*text));
    }
  }
  std::string text;
  if (!put_sorted(text, std::move(identities))
    || !put_sorted(text, std::move(features)))
    return std::nullopt;
  std::sort(forms.begin(), forms.end());
  for (const auto& f : forms)
    text += f;
  return to_base64(sha1(text));
}

followed_nodes followed_by(const element& query) {
  std::vector<std::string> nodes;
  for (const auto& c : query.children) {
    auto var = c["var"];
    if (!c.is("feature", ns::disco_info) || !var.ends_with(notify)
      || nodes.size() == defaults::followed_collections_max)
      continue;
    var.remove_suffix(notify.size());
    if (!var.empty() && var.size() <= defaults::xmpp_namespace_max)
      nodes.emplace_back(var);
  }
  std::sort(nodes.begin(), nodes.end());
  return std::make_shared<const std::vector<std::string>>(std::move(nodes));
}

followed_nodes known_capabilities(const std::string& verification) {
  const auto i = learnt().find(verification);
  return i == learnt().end() ? nullptr : i->second;
}

void learn_capabilities(const std::string& verification, followed_nodes what) {
  auto& known = learnt();
  // Few kinds of clients are common; who makes up many gains nothing.
  if (known.size() >= defaults::xmpp_capabilities_max)
    known.erase(known.begin());
  known.emplace(verification, std::move(what));
}

bool following::wants(std::string_view node) const noexcept {
  return nodes && std::binary_search(nodes->begin(), nodes->end(), node);
}

} // namespace parley::xmpp
