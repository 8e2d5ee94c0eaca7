#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/address.hpp"
#include "protocol/errors.hpp"
#include "protocol/shared.hpp"

/// Documents: what clients of a user keep at the server, for themselves and for
/// others. Their bytes mean something to clients alone.
namespace parley {

/// One document of a collection.
struct document {
  /// 1 to 1 023 bytes; unique within its collection.
  std::string id;
  std::string bytes;
  /// When it was written; filled in by the server.
  std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>
    written_at{};
  bool operator==(const document&) const = default;
  auto fields() { return std::tie(id, bytes, written_at); }
};

/// Who may read a collection; nobody may whom its owner blocks.
enum class readers : uint8_t {
  /// The owner's own clients.
  owner = 0,
  /// Who is subscribed to the owner's presence, too.
  watchers = 1,
  everybody = 2,
};

/// As many as fit.
inline constexpr uint64_t any_number = std::numeric_limits<uint64_t>::max();

/// How a collection is kept. What stands here is what one gets that was made
/// without a word on it.
struct collection_rules {
  readers who = readers::watchers;
  /// When there are more the oldest go.
  uint64_t documents_max = 1;
  /// Otherwise a document is told and forgotten.
  bool keeps = true;
  /// Who comes is told the newest document.
  bool greets = true;
  bool operator==(const collection_rules&) const = default;
  auto fields() { return std::tie(who, documents_max, keeps, greets); }
};

/// What of the rules somebody has a word on.
struct collection_wish {
  std::optional<readers> who = {};
  std::optional<uint64_t> documents_max = {};
  std::optional<bool> keeps = {};
  std::optional<bool> greets = {};
  bool operator==(const collection_wish&) const = default;
  auto fields() { return std::tie(who, documents_max, keeps, greets); }
};

/// The rules with what is wished in its place.
collection_rules changed(
  collection_rules rules, const collection_wish& by) noexcept;
/// Whether the rules are as wished already.
bool fits(const collection_rules& rules, const collection_wish& wish) noexcept;

// -- changes, by the owner alone ----------------------------------------------

/// Makes or replaces a document. A collection that is not there is made, with
/// the rules wished; one that is there has to have them, else `other_rules`.
struct write_document {
  std::string collection;
  document what;
  collection_wish wish;
  /// Whoever may read it is told.
  bool tells = false;
  auto fields() { return std::tie(collection, what, wish, tells); }
};

/// `not_found` if it is not there.
struct remove_document {
  std::string collection;
  std::string id;
  bool tells = false;
  auto fields() { return std::tie(collection, id, tells); }
};

/// `exists` if it is there.
struct make_collection {
  std::string collection;
  collection_wish wish;
  auto fields() { return std::tie(collection, wish); }
};

/// `not_found` if it is not there.
struct change_collection {
  std::string collection;
  collection_wish wish;
  auto fields() { return std::tie(collection, wish); }
};

/// With all documents; `not_found` if it is not there.
struct remove_collection {
  std::string collection;
  /// The documents alone.
  bool stays = false;
  bool tells = false;
  auto fields() { return std::tie(collection, stays, tells); }
};

using document_change = std::variant<write_document, remove_document,
  make_collection, change_collection, remove_collection>;

// -- reading ------------------------------------------------------------------

/// Documents of a collection, newest first, as many as fit into an answer.
/// `not_found` if there is no such collection for the one who asks.
struct read_documents {
  std::string collection;
  /// These; empty: all.
  std::vector<std::string> ids;
  /// Of all: so many of the newest.
  uint64_t max = any_number;
  auto fields() { return std::tie(collection, ids, max); }
};

/// The rules of one of one's own collections.
struct read_collection {
  std::string collection;
  auto fields() { return std::tie(collection); }
};

/// The names of one's own collections that begin so.
struct list_collections {
  std::string prefix;
  auto fields() { return std::tie(prefix); }
};

using document_reading =
  std::variant<read_documents, read_collection, list_collections>;

// -- requests and events ------------------------------------------------------

/// Answered by `documents_found`, `done` or `failure`.
struct document_request {
  /// Empty: one's own.
  user_address owner;
  std::variant<document_reading, document_change> what;
  auto fields() { return std::tie(owner, what); }
};

/// The newest documents of these collections of these users are to be told, as
/// far as they may be. Not answered, not counted.
struct follow_documents {
  std::vector<user_address> of;
  std::vector<std::string> collections;
  auto fields() { return std::tie(of, collections); }
};

struct documents_found {
  std::vector<document> what;
  collection_rules rules;
  /// Of collections.
  std::vector<std::string> names;
  auto fields() { return std::tie(what, rules, names); }
};

/// What has become of a collection.
struct document_notice {
  enum class kind : uint8_t {
    written = 0,
    /// A document of it is gone.
    removed = 1,
    /// All of them are.
    emptied = 2,
    /// The collection itself is gone.
    ended = 3,
  };
  user_address owner;
  std::string collection;
  document_notice::kind what = document_notice::kind::written;
  /// If it was written; only its id if it was removed.
  document about;
  /// No news: it is the newest, for who has just come.
  bool is_greeting = false;
  auto fields() {
    return std::tie(owner, collection, what, about, is_greeting);
  }
};

/// Not numbered, not resent: who comes back asks anew.
struct document_event {
  shared<document_notice> what;
  auto fields() { return std::tie(what); }
};

/// Bytes that count of a change: names and contents.
uint64_t content_bytes(const document_change& x) noexcept;
/// The collection that it is about.
const std::string& collection_of(const document_change& x) noexcept;
/// What others are to be told of it; nothing if nobody is.
std::optional<document_notice> notice_of(
  const user_address& owner, const document_change& x);

} // namespace parley
