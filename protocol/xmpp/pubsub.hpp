#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/documents.hpp"
#include "protocol/xmpp/element.hpp"

/// What XMPP keeps at the server (XEP-0049, XEP-0054, XEP-0163), as documents.
namespace parley::xmpp {

namespace ns {
inline constexpr std::string_view private_storage = "jabber:iq:private";
inline constexpr std::string_view vcard = "vcard-temp";
inline constexpr std::string_view pubsub = "http://jabber.org/protocol/pubsub";
inline constexpr std::string_view pubsub_owner =
  "http://jabber.org/protocol/pubsub#owner";
inline constexpr std::string_view pubsub_event =
  "http://jabber.org/protocol/pubsub#event";
} // namespace ns

/// The one document of a collection that has no more.
inline constexpr std::string_view only_document = "current";

/// Collections of a user: a node of PEP, an element of private storage, the
/// vCard.
std::string collection_of_node(std::string_view node);
std::string collection_of_private(const element& x);
inline constexpr std::string_view collection_of_vcard = "vcard";
/// With what those of nodes begin.
inline constexpr std::string_view node_prefix = "node:";
/// Nothing if it is none of a node's.
std::optional<std::string_view> node_of(std::string_view collection) noexcept;

/// How they are kept.
extern const collection_wish private_rules;
extern const collection_wish vcard_rules;

/// An element as the bytes of a document, which stand in any namespace.
std::string bytes_of(const element& x);

/// What a form of node configuration or publish-options says; fields that have
/// no meaning here are passed over. Nothing: it wants what there is not.
std::optional<collection_wish> wish_of(const element& form);
/// Appends the form that says how a node is kept.
void append_configuration(std::string& out, const collection_rules& rules);

/// Appends `<items/>` of an answer.
void append_items(
  std::string& out, std::string_view node, const std::vector<document>& what);
/// Appends a message that tells of a node.
void append_notice(
  std::string& out, const document_notice& x, std::string_view to);

/// What an iq about documents asked, for its answer.
struct document_matter {
  enum class kind : uint8_t {
    /// Answered by an empty result.
    change,
    private_get,
    vcard_get,
    publish,
    items,
    configuration,
    nodes,
  };
  document_matter::kind what = document_matter::kind::change;
  /// The node, and the item that was published.
  std::string node;
  std::string item;
  /// What private storage was asked for, which is answered where there is none.
  element wanted;
  /// Of another user: who learns nothing.
  bool of_other = false;
};

} // namespace parley::xmpp
