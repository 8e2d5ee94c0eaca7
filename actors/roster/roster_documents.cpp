#include <map>
#include <string>
#include <utility>

#include "actors/roster/privacy_rules.hpp"
#include "actors/roster/roster.hpp"
#include "actors/router/routing.hpp"

// Whom a roster's user has told of what it keeps.
namespace parley {

void roster_state::tell_of_document(const tell_watchers& x) {
  std::map<size_t, document_notices> parts;
  const auto& privacy = x_rules->head().privacy;
  x_rules->items().each_standing(
    [&](const address_ref& whom, const contact_standing& item) {
      if (item.subscription.from != half::active || item.pretended)
        return;
      auto user = user_address::from_prepared(std::string{whom.text});
      if (!is_blocked(privacy, user))
        parts[config->others->index_of(slot_of(user))].to.push_back(
          std::move(user));
    });
  for (auto& [index, part] : parts) {
    part.what.push_back(x.what);
    self->send(config->others->routers[index], std::move(part));
  }
}

} // namespace parley
