#include "protocol/content_bytes.hpp"

#include <variant>

namespace parley {

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
    return change ? content_bytes(*change) : 0;
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
