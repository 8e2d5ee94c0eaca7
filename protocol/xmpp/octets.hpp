#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace parley::xmpp {

/// RFC 4648, 4.
std::string to_base64(std::string_view octets);
/// Nothing for what is no base64; the empty text is none.
std::optional<std::string> from_base64(std::string_view text);

/// The 20 octets of SHA-1: where a protocol demands it, and not for secrets.
std::string sha1(std::string_view octets);

/// Hexadecimal digits of so many random octets: names that nobody guesses.
std::string random_name(size_t octets);

} // namespace parley::xmpp
