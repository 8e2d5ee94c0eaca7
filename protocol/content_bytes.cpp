#include "protocol/content_bytes.hpp"

#include <variant>

namespace parley {

namespace {

/// Names, each with what holds it.
uint64_t bytes_of_names(const document_reading& x) noexcept {
  uint64_t n = 0;
  auto count = [&n](
                 const std::string& name) { n += sizeof(name) + name.size(); };
  if (auto* r = std::get_if<read_documents>(&x)) {
    count(r->collection);
    for (const auto& id : r->ids)
      count(id);
  } else if (auto* c = std::get_if<read_collection>(&x)) {
    count(c->collection);
  } else if (auto* l = std::get_if<list_collections>(&x)) {
    count(l->prefix);
  }
  return n;
}

} // namespace

uint64_t content_bytes(const im& x) noexcept {
  uint64_t n = x.body.size();
  for (const auto& p : x.payloads)
    n += p.data.size();
  return n;
}

uint64_t content_bytes(const request& x) noexcept {
  if (auto* s = std::get_if<send_im>(&x))
    return content_bytes(*s->message);
  if (auto* p = std::get_if<pass_on>(&x))
    return content_bytes(*p->message);
  if (auto* d = std::get_if<document_request>(&x)) {
    auto* change = std::get_if<document_change>(&d->what);
    return change ? content_bytes(*change)
                  : bytes_of_names(std::get<document_reading>(d->what));
  }
  if (auto* f = std::get_if<follow_documents>(&x)) {
    uint64_t n = f->of.size() * sizeof(user_address);
    for (const auto& name : f->collections)
      n += sizeof(std::string) + name.size();
    return n;
  }
  uint64_t bytes = 0;
  if (auto* b = std::get_if<broadcast>(&x)) {
    bytes += content_bytes(*b->message);
    for (const auto& to : b->to)
      bytes += to.size();
  } else if (auto* a = std::get_if<add_contacts>(&x)) {
    for (const auto& c : a->contacts) {
      bytes += c.address.size() + c.name.size();
      for (const auto& g : c.groups)
        bytes += g.size();
    }
  } else if (auto* r = std::get_if<remove_contacts>(&x)) {
    for (const auto& whom : r->addresses)
      bytes += whom.size();
  }
  return bytes;
}

} // namespace parley
