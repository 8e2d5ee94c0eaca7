#include "actors/roster/document_access.hpp"

#include "actors/roster/privacy_rules.hpp"

namespace parley {

bool may_read(readers whom, const user_address& owner, const user_address& who,
  const acquaintance& with) noexcept {
  if (who == owner)
    return true;
  if (is_blocked(with.privacy, who))
    return false;
  switch (whom) {
  case readers::owner:
    return false;
  case readers::watchers:
    return with.watches;
  case readers::everybody:
    return true;
  }
  return false;
}

} // namespace parley
