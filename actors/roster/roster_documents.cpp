#include <map>
#include <utility>

#include "actors/roster/privacy_rules.hpp"
#include "actors/roster/roster.hpp"
#include "actors/router/routing.hpp"

// Whom a roster's user has told of what it keeps.
namespace parley {

void roster_state::tell_of_document(const tell_watchers& x) {
  std::map<size_t, document_notices> parts;
  const auto& privacy = x_rules->head().privacy;
  for (const auto& [whom, item] : x_rules->items()) {
    const bool watches =
      item.what.subscription.from == half::active && !item.pretended;
    if (watches && !is_blocked(privacy, whom))
      parts[config->others->index_of(slot_of(whom))].to.push_back(whom);
  }
  for (auto& [index, part] : parts) {
    part.what.push_back(x.what);
    self->send(config->others->routers[index], std::move(part));
  }
}

} // namespace parley
