#pragma once

#include <cstddef>
#include <string_view>

/// How far an element reaches, found without a parser. Whoever has to be sure
/// asks a parser: comments, processing instructions, DTDs and CDATA sections,
/// which have rules of their own, are not looked into.
namespace parley::xmpp {

/// There is no end in these bytes.
inline constexpr size_t no_extent = std::string_view::npos;

/// Bytes up to the end of the tag that `text` begins with: behind the first `>`
/// outside of quotes.
size_t extent_of_tag(std::string_view text) noexcept;

/// Bytes up to the end of the element that `text` begins with; 0 if there is
/// something in it that is not looked into.
size_t extent_of_element(std::string_view text) noexcept;

} // namespace parley::xmpp
