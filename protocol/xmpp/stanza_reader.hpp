#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <tl/expected.hpp>

#include "protocol/xmpp/element.hpp"

namespace parley::xmpp {

/// Why a stream ends: a condition of RFC 6120, 4.9.3, and a sentence.
struct stream_fault {
  std::string_view condition;
  std::string text;
  /// An element of an application that says more; mostly empty.
  std::string detail = {};
};

/// Cuts a stream of bytes into its header, stanzas and end. Total on any bytes
/// in any pieces; bounded in bytes, depth, attributes and elements of a stanza.
/// What RFC 6120 (11.1) forbids is an error: comments, processing instructions,
/// DTDs, entities that are not XML's own.
///
/// Between stanzas it holds no parser: one of the thread's is used for whatever
/// comes whole. So it may go over to another thread at any time.
class stanza_reader {
public:
  /// The start tag of the root, without children.
  struct header {
    element tag;
  };
  struct stanza {
    element tag;
  };
  /// The end tag of the root.
  struct end {};
  using event = std::variant<header, stanza, end>;
  /// Nothing: more bytes are needed.
  using outcome = tl::expected<std::optional<event>, stream_fault>;

  /// A stream, from its header to its end; or elements, each of which stands
  /// for itself and takes no namespace from around it (RFC 7395).
  enum class kind : uint8_t { stream, elements };

  /// `bytes_max` bounds the header and each stanza.
  explicit stanza_reader(size_t bytes_max, kind what = kind::stream);
  ~stanza_reader();
  stanza_reader(stanza_reader&&) noexcept;
  stanza_reader& operator=(stanza_reader&&) noexcept;

  /// The next event; takes from the front of `bytes` what belongs to it, all if
  /// there is none. After an error, and after the end, it is over.
  outcome next(std::string_view& bytes);

  /// What follows is a new stream, without the rest of the old one.
  void restart();
  void widen(size_t bytes_max) noexcept { x_bytes_max = bytes_max; }

  /// Whether something of a stanza has come and not all.
  bool is_within() const noexcept { return x_parser != nullptr; }
  /// Bytes held beside the object itself.
  size_t memory() const noexcept;

  class parser;

private:
  outcome read(std::string_view& bytes);

  std::unique_ptr<parser> x_parser;
  /// Opens a root with the prefixes of this stream; empty before its header.
  std::string x_root;
  size_t x_bytes_max;
  kind x_kind;
  /// Of the header or stanza that has begun.
  size_t x_bytes = 0;
  bool x_over = false;
};

/// One element in `jabber:client` that is text, such as one that was written by
/// `append_element`; nothing if it is none.
std::optional<element> parse_element(std::string_view text);

} // namespace parley::xmpp
