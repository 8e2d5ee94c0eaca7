#pragma once

#include "persistence/store.hpp"

/// Who may read what somebody keeps.
namespace parley {

/// `who` asks; `with` is what the owner has with it. A block counts more than
/// anything. Whether presence is shared does not matter: documents are none.
bool may_read(readers whom, const user_address& owner, const user_address& who,
  const acquaintance& with) noexcept;

} // namespace parley
