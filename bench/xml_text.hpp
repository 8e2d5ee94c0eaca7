#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// XML as servers of XMPP write it, looked at in place. No parser: it relies on
/// what RFC 6120 (11) and all the servers measured here keep to, and what does
/// not keep to it is `broken`, never passed over:
/// - no comments, processing instructions, DTDs and CDATA sections, and nothing
///   but `<?xml …?>` before a stream's header;
/// - `<` stands in tags alone; `>` may stand in quoted values;
/// - the header and the end of a stream bear the prefix `stream`.
/// Namespaces are compared as they are written, prefixes are not followed.
namespace parley::bench {

/// What a stream goes on with.
struct stream_piece {
  enum class kind : uint8_t {
    /// Nothing that is whole yet.
    more,
    /// The start tag of the stream.
    header,
    /// A stanza, or another element right below the stream.
    element,
    /// The end tag of the stream.
    end,
    broken,
  };
  kind what = kind::more;
  /// The tag, or the whole element.
  std::string_view text;
  /// Bytes up to its end, blanks before it included. Of `more`: what can be
  /// dropped.
  size_t used = 0;
};

stream_piece next_piece(std::string_view bytes) noexcept;

/// A whole element, or a start tag alone, as `next_piece` found it.
class element_view {
public:
  explicit element_view(std::string_view text) noexcept;

  std::string_view name() const noexcept { return x_name; }
  /// As it is written, without quotes; empty if it is not there.
  std::string_view attribute(std::string_view name) const noexcept;
  /// What stands between its tags.
  std::string_view content() const noexcept;
  /// The first child of this name.
  std::optional<element_view> child(std::string_view name) const noexcept;
  /// The content of that child; empty if there is none.
  std::string_view child_text(std::string_view name) const noexcept;

private:
  std::string_view x_text;
  std::string_view x_name;
  /// Bytes of its start tag.
  size_t x_tag = 0;
};

/// Replaces what `out` held by the text that was escaped; false if there is an
/// entity that XML does not have.
bool unescape(std::string_view escaped, std::string& out);

/// Appends `text` as content of an element or as a value in quotes.
void put_escaped(std::string& out, std::string_view text);

} // namespace parley::bench
