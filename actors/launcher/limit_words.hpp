#pragma once

#include <string>
#include <string_view>

#include "protocol/errors.hpp"

namespace parley {

/// What a limit of contacts and watches refused, in words, with the limit if
/// the failure has it; empty for other reasons. `whose`: who has reached it;
/// empty: the one who is told.
std::string limit_words(const failure& why, std::string_view whose);

} // namespace parley
