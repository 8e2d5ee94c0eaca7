#include "protocol/documents.hpp"

namespace parley {

collection_rules changed(
  collection_rules rules, const collection_wish& by) noexcept {
  rules.who = by.who.value_or(rules.who);
  rules.documents_max = by.documents_max.value_or(rules.documents_max);
  rules.keeps = by.keeps.value_or(rules.keeps);
  rules.greets = by.greets.value_or(rules.greets);
  return rules;
}

bool fits(const collection_rules& rules, const collection_wish& wish) noexcept {
  return changed(rules, wish) == rules;
}

uint64_t content_bytes(const document_change& x) noexcept {
  uint64_t bytes = collection_of(x).size();
  if (const auto* w = std::get_if<write_document>(&x))
    bytes += w->what.id.size() + w->what.bytes.size();
  else if (const auto* r = std::get_if<remove_document>(&x))
    bytes += r->id.size();
  return bytes;
}

const std::string& collection_of(const document_change& x) noexcept {
  return std::visit(
    [](const auto& c) -> const std::string& { return c.collection; }, x);
}

std::optional<document_notice> notice_of(
  const user_address& owner, const document_change& x) {
  using kind = document_notice::kind;
  document_notice n;
  n.owner = owner;
  n.collection = collection_of(x);
  bool tells = false;
  if (const auto* w = std::get_if<write_document>(&x)) {
    tells = w->tells;
    n.about = w->what;
  } else if (const auto* r = std::get_if<remove_document>(&x)) {
    tells = r->tells;
    n.what = kind::removed;
    n.about.id = r->id;
  } else if (const auto* c = std::get_if<remove_collection>(&x)) {
    tells = c->tells;
    n.what = c->stays ? kind::emptied : kind::ended;
  }
  return tells ? std::optional(std::move(n)) : std::nullopt;
}

} // namespace parley
