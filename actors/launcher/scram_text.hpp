#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/errors.hpp"
#include "protocol/scram_keys.hpp"

namespace parley {

/// Whether this begins like a stored SCRAM secret (RFC 5803, 3):
/// `SCRAM-SHA-256$4096:salt$stored:server`, salt and keys in base64.
bool is_scram_text(std::string_view text) noexcept;

/// Keys from one or two such texts, one a hash. A hash that is not among them
/// stays empty: nobody signs in by it. `bad_request` with what is wrong; at
/// most `scram_iterations_max` iterations and `scram_salt_max` bytes of salt.
result<scram_keys> parse_scram_text(const std::vector<std::string>& texts);

} // namespace parley
