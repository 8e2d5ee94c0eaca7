#pragma once

#include "protocol/vocabulary.hpp"

namespace parley {

/// The words of a store name files and other users: they are for operators, and
/// clients learn the reason alone. An IM that damage keeps from being stored is
/// nowhere: `store_failed`; of one that is `store_unavailable` it is not known
/// whether it was stored before. All else is `store_failed` if it could not be
/// written, `store_unavailable` if it could not be read.
void withhold(answer& x);

} // namespace parley
