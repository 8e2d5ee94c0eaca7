#pragma once

#include <string>
#include <string_view>

/// Internal to the TLS code.
namespace parley {

/// "`what`: " and what OpenSSL last said on this thread; clears it.
std::string openssl_words(std::string_view what);

} // namespace parley
