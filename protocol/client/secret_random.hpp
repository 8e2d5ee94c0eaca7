#pragma once

#include <span>

namespace parley {

/// Fills `to` with octets that nobody can predict (OpenSSL's generator).
/// Throws std::runtime_error if there are none.
void random_octets(std::span<unsigned char> to);

} // namespace parley
