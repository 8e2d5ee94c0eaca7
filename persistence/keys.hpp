#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "persistence/store.hpp"

/// The keys of every column family, byte by byte in README.md. Parsers are
/// total: anything else is nullopt.
namespace parley::keys {

/// Of families with one record a user: accounts and heads.
std::string user(const user_address& user);

/// Family ims. All IMs of a user are neighbours, in their order.
std::string im(const user_address& recipient, im_order order);
/// The first key after the last possible one of `recipient`.
std::string im_end(const user_address& recipient);
std::optional<std::pair<user_address, im_order>> parse_im(std::string_view key);

/// Family ids: what is remembered of an id.
std::string id(const retry_key& key);
/// Before and after all ids of what a user sent.
std::string id_begin(const user_address& sender);
std::string id_end(const user_address& sender);
std::optional<retry_key> parse_id(std::string_view key);
/// Before and after all ids.
std::string id_kind();
std::string id_kind_end();

/// Family ids as well: the ids that may be forgotten, by time.
struct forgettable_key {
  wall_time stored_at{};
  im_order order;
  retry_key key;
};
std::string forgettable(const forgettable_key& key);
std::string forgettable_begin(wall_time stored_at);
std::optional<forgettable_key> parse_forgettable(std::string_view key);

/// Family bodies: what a broadcast says, and how many IMs refer to it.
struct body_key {
  user_address sender;
  message_id id;
  uint64_t content_hash = 0;
};
std::string body(const body_key& key);
std::string body_references(const body_key& key);

/// Family rosters: what a user's roster has beside its contacts, then these.
std::string roster(const user_address& user);
std::string contacts(const user_address& user);
/// Up to schema 4 each contact had a record, in order of address.
std::string contact(const user_address& user, const user_address& contact);
/// The first key after the last possible one of `user`.
std::string roster_end(const user_address& user);
/// Views into the key.
struct roster_place {
  enum class part : uint8_t { head, contacts, contact };
  std::string_view user;
  part what = part::head;
  /// Of `part::contact`.
  std::string_view contact;
};
std::optional<roster_place> parse_roster(std::string_view key) noexcept;

/// Family notes. Only these fields of a note are in its key.
std::string note(
  const user_address& from, bool is_wish, const user_address& to);
struct note_place {
  user_address from;
  user_address to;
  bool is_wish = false;
};
std::optional<note_place> parse_note(std::string_view key);

/// Family documents: of each user first what all of it comes to, then its
/// collections, each followed by its documents.
std::string documents(const user_address& owner);
/// The first key after the last possible one of `owner`.
std::string documents_end(const user_address& owner);
std::string collection(const user_address& owner, std::string_view name);
std::string document(
  const user_address& owner, std::string_view collection, std::string_view id);
/// Before and after all documents of a collection.
std::string documents_begin(
  const user_address& owner, std::string_view collection);
std::string documents_end(
  const user_address& owner, std::string_view collection);
/// Views into the key.
struct document_place {
  std::string_view owner;
  /// Empty: what all comes to.
  std::string_view collection;
  /// Empty: the collection itself.
  std::string_view id;
};
std::optional<document_place> parse_document(std::string_view key) noexcept;

/// Family audit.
std::string audit(uint64_t number);
std::optional<uint64_t> parse_audit(std::string_view key);

/// Is in no family.
inline constexpr std::string_view nothing = "nothing";

/// Family meta.
inline constexpr std::string_view schema = "schema";
inline constexpr std::string_view secret = "secret";
/// There may be contacts with a record each.
inline constexpr std::string_view single_contacts = "contacts";
/// A user whose account was removed, and whose IMs are still to be.
inline constexpr std::string_view left_begin = "left/";
inline constexpr std::string_view left_end = "left0";
std::string left(const user_address& user);
user_address parse_left(std::string_view key);
/// A domain that has, or once had, an account.
std::string domain(std::string_view name);

} // namespace parley::keys
