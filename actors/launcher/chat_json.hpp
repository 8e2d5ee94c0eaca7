#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/client/core.hpp"
#include "protocol/client/events.hpp"
#include "protocol/errors.hpp"
#include "protocol/vocabulary.hpp"

/// The lines of `parley chat --jsonl`: one JSON object each, requests in,
/// events out.
namespace parley::chat {

struct send_line {
  std::string to;
  std::string body;
  bool receipts = false;
};
struct broadcast_line {
  std::vector<std::string> to;
  std::string body;
  bool receipts = false;
};
struct presence_line {
  availability what;
};
struct typing_line {
  std::string to;
};
struct read_line {
  std::string from;
  /// Of the IM that was read.
  std::string message;
};
/// Contacts, presence of others, privacy.
struct contacts_line {
  contacts_request what;
};
struct list_line {};
struct quit_line {};

/// A request as it was written.
struct script_request {
  /// Empty: the line had none. Of a send or a broadcast it is the IM's id.
  std::string id;
  std::variant<send_line, broadcast_line, presence_line, typing_line, read_line,
    contacts_line, list_line, quit_line>
    what;
};

/// Why a line is no request, and its `id` as JSON text, empty if it has none.
struct bad_line {
  std::string id;
  failure why;
};

/// Reads one line without its newline. `too_large` beyond `chat_line_max`, with
/// the id if it is a string that stands within that; `bad_request` if it is no
/// JSON object, or a field is missing or of the wrong type, or `privacy` has
/// one that it does not know; `bad_address`; `unknown_request` if this version
/// does not know the operation.
tl::expected<script_request, bad_line> parse_request(std::string_view line);

/// Texts in JSON lines, each with its newline. Times are RFC 3339 in UTC with
/// milliseconds, durations are seconds. What is not UTF-8 is replaced.
std::string ready_line(std::string_view address, bool resumed);
std::string message_line(const received_im& x);
std::string outcome_line(
  std::string_view id, std::string_view to, const outcome& x);
std::string broadcast_line_of(
  std::string_view id, const std::vector<recipient_outcome>& outcomes);
/// The client ends before it hears what became of an IM.
std::string unknown_outcome_line(std::string_view id, std::string_view to);
std::string unknown_broadcast_line(
  std::string_view id, const std::vector<std::string_view>& to);
std::string done_line(std::string_view id);
std::string typing_line_of(std::string_view from);
std::string receipt_line(
  std::string_view id, std::string_view endpoint, receipt::kind what);
std::string policy_line(
  const std::vector<std::pair<std::string, std::string>>& values);
/// `id`: as text, empty if the error names no request. `whose`: as in
/// `limit_words`.
std::string error_line(
  std::string_view id, const failure& why, std::string_view whose = {});
std::string error_line(const bad_line& x);
std::string disconnected_line(
  const failure& why, std::chrono::milliseconds retry_in);

// About contacts and presence:

/// `none`, `to`, `from`, `both`: who sees whose presence (RFC 6121, 2.1.2.5).
std::string_view subscription_name(const subscription_state& x) noexcept;
/// The whole list; `id` may be empty, as in all of these.
std::string contacts_list_line(std::string_view id, const contact_book& book);
/// What changed.
std::string contacts_push_line(const contact_list& x);
/// `done`: `added` or `removed`, and all of `asked` that was not refused.
std::string contacts_changed_line(std::string_view id, const char* done,
  const std::vector<std::string>& asked, const contacts_changed& x);
/// The error that answers a `subscribe`.
std::string refused_contact_line(std::string_view id, const refused_contact& x);
std::string subscription_line(
  const user_address& from, subscription_event state);
std::string watch_granted_line(std::string_view id, uint64_t seconds);
std::string watch_ended_line(const user_address& whom);
std::string privacy_line(std::string_view id, const privacy& x);
std::string presence_line_of(const presence_notice& x);

/// The reason as it is written; what a newer server sent and this version does
/// not know comes out as it was sent. `none_means` where there is none.
std::string reason_of(const failure& why, std::string_view none_means);

/// `2026-11-22T08:00:00.000Z`
std::string rfc3339(wall_time x);

} // namespace parley::chat
