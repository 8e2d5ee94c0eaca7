#pragma once

#include <string>
#include <string_view>
#include <vector>

/// XML as XMPP has it: elements in namespaces, attributes and text; nothing
/// else may be in a stream (RFC 6120, 11.1).
namespace parley::xmpp {

/// Namespaces that are named in more than one file.
namespace ns {
inline constexpr std::string_view client = "jabber:client";
inline constexpr std::string_view streams = "http://etherx.jabber.org/streams";
inline constexpr std::string_view stream_errors =
  "urn:ietf:params:xml:ns:xmpp-streams";
inline constexpr std::string_view stanza_errors =
  "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr std::string_view tls = "urn:ietf:params:xml:ns:xmpp-tls";
inline constexpr std::string_view sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
inline constexpr std::string_view bind = "urn:ietf:params:xml:ns:xmpp-bind";
inline constexpr std::string_view carbons = "urn:xmpp:carbons:2";
inline constexpr std::string_view client_state = "urn:xmpp:csi:0";
inline constexpr std::string_view registration = "jabber:iq:register";
inline constexpr std::string_view framing =
  "urn:ietf:params:xml:ns:xmpp-framing";
inline constexpr std::string_view xml = "http://www.w3.org/XML/1998/namespace";
} // namespace ns

struct attribute {
  /// Empty: in no namespace, as all of RFC 6120 but `xml:lang` are.
  std::string xmlns;
  std::string name;
  std::string value;
  bool operator==(const attribute&) const = default;
};

/// An element, or a piece of text between elements: then `name` is empty and
/// `text` is not.
struct element {
  std::string name;
  std::string xmlns;
  std::string text;
  std::vector<attribute> attributes;
  std::vector<element> children;

  bool is_text() const noexcept { return name.empty(); }
  bool is(std::string_view wanted, std::string_view in) const noexcept {
    return name == wanted && xmlns == in;
  }
  /// Of an attribute without namespace; empty if it is not there.
  std::string_view operator[](std::string_view attribute_name) const noexcept;
  /// `xml:lang`.
  std::string_view lang() const noexcept;
  bool has(std::string_view attribute_name) const noexcept;
  /// The first child of this name; null if there is none.
  const element* find(
    std::string_view wanted, std::string_view in) const noexcept;
  /// The first child that is an element; null if there is none.
  const element* first() const noexcept;
  /// Its own text, without that of its children.
  std::string inner_text() const;

  bool operator==(const element&) const = default;
};

/// Appends `text` so that it is read again as it is, within quotes (' or ") as
/// well as between tags. What XML cannot say at all, control characters, is
/// left out; `text` is UTF-8.
void append_escaped(std::string& out, std::string_view text);

/// Appends ` name='value'`.
void append_attribute(
  std::string& out, std::string_view name, std::string_view value);
/// The same, or nothing if there is no value.
void append_optional(
  std::string& out, std::string_view name, std::string_view value);

/// Appends an element as it stands in one of the namespace `around`. Prefixes
/// are chosen anew: what is read again is equal.
void append_element(
  std::string& out, const element& x, std::string_view around);

} // namespace parley::xmpp
