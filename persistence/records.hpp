#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/contact_rows.hpp"
#include "persistence/store.hpp"

/// The values of every column family, byte by byte in README.md. Each begins
/// with the version of its form. Decoders are total: what is not such a value,
/// whole and with nothing after it, is nullopt.
namespace parley::records {

/// What is kept of an IM for one recipient.
struct im_record {
  message_id id;
  address from;
  /// Of the recipient; empty if sent to the bare address.
  endpoint_name to;
  wall_time sent_at{};
  bool receipts = false;
  /// Set: body and payloads are in the family bodies, under this hash.
  std::optional<uint64_t> body_hash;
  std::string body;
  std::vector<payload> payloads;
};

/// `body_hash` as in im_record.
std::string encode_im(const im& message, const endpoint_name& to,
  std::optional<uint64_t> body_hash);
std::optional<im_record> decode_im(std::string_view value);

/// Body and payloads of a broadcast.
struct body_record {
  std::string body;
  std::vector<payload> payloads;
};
std::string encode_body(const im& message);
std::optional<body_record> decode_body(std::string_view value);

/// A user's stored IMs and roster in short: reading it is cheap however many
/// there are, and however many there were.
struct head_record {
  /// No IM that waits comes before it.
  im_order floor;
  /// The greatest that any IM of this user ever had.
  im_order last;
  /// IMs that wait.
  uint64_t stored = 0;
  /// It has a roster.
  bool roster = false;
  /// Its privacy blocks somebody.
  bool blocks = false;
  /// As in roster_head.
  uint64_t contacts = 0;
  uint64_t watchers = 0;
  uint64_t requests = 0;
  /// Of its privacy; null: only the roster has it, whose head is older.
  std::optional<parley::sharing> sharing = parley::sharing::by_default;
  /// As in user_head. It outlives all else.
  uint64_t removed_at = 0;

  /// It says nothing that has to be kept.
  bool is_empty() const noexcept {
    return last == im_order{} && stored == 0 && !roster && removed_at == 0;
  }
};
std::string encode_head(const head_record& x);
/// Also of the forms before there were rosters, and before `sharing`.
std::optional<head_record> decode_head(std::string_view value);

struct id_record {
  uint64_t content_hash = 0;
  wall_time stored_at{};
  /// Under which its IM is or was stored.
  im_order order;
};
std::string encode_id(const id_record& x);
std::optional<id_record> decode_id(std::string_view value);

std::string encode_account(const scram_keys& x);
std::optional<scram_keys> decode_account(std::string_view value);

std::string encode_setting(std::string_view value);
std::optional<std::string> decode_setting(std::string_view value);

std::string encode_audit(const audit_entry& x);
std::optional<audit_entry> decode_audit(std::string_view value);

std::string encode_roster(const roster_head& x);
std::optional<roster_head> decode_roster(std::string_view value);

/// The contact's address stands before it in the list, not here.
std::string encode_contact(const roster_item& x);
std::optional<roster_item> decode_contact(std::string_view value);
/// Of what is a contact: reads no more than it needs.
std::optional<contact_brief> decode_contact_brief(std::string_view value);
/// The same of what may be none: looks at all of it.
std::optional<contact_brief> check_contact(std::string_view value);

/// The users are in the key, not here.
struct note_record {
  subscription_note::kind what = subscription_note::kind::subscribe;
  uint64_t number = 0;
  uint64_t since = 0;
};
std::string encode_note(const note_record& x);
std::optional<note_record> decode_note(std::string_view value);

/// What a user keeps in all.
struct totals_record {
  document_totals what;
  /// The greatest number that a document ever had.
  uint64_t last = 0;
};
std::string encode_totals(const totals_record& x);
std::optional<totals_record> decode_totals(std::string_view value);

struct collection_record {
  collection_rules rules;
  /// Documents in it.
  uint64_t count = 0;
};
std::string encode_collection(const collection_record& x);
std::optional<collection_record> decode_collection(std::string_view value);

/// Its id is in the key, not here.
struct document_record {
  /// Greater: written later.
  uint64_t number = 0;
  wall_time written_at{};
  std::string bytes;
};
std::string encode_document(const document_record& x);
std::optional<document_record> decode_document(std::string_view value);

/// Counters and the schema version.
std::string encode_number(uint64_t x);
std::optional<uint64_t> decode_number(std::string_view value);

} // namespace parley::records
