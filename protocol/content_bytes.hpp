#pragma once

#include <cstdint>

#include "protocol/vocabulary.hpp"

namespace parley {

/// Bytes of body and payloads: what windows and limits count.
uint64_t content_bytes(const im& x) noexcept;
/// What counts of a request in its window.
uint64_t content_bytes(const request& x) noexcept;

} // namespace parley
