#pragma once

#include "protocol/defaults.hpp"

/// Limits on what clients can make a server hold, all together, and on how much
/// of it is worked through in a row; the rest stands in protocol/defaults.hpp.
namespace parley::defaults {

/// Bytes that clients can make the server hold, if the configuration does not
/// say otherwise; the least and the most that it can say, in MiB.
inline constexpr uint64_t memory_budget_mib = 1024;
inline constexpr uint64_t memory_budget_min_mib = 16;
inline constexpr uint64_t memory_budget_max_mib = 1024 * 1024;
/// The last of so many parts is the reserve: for who holds little, and for
/// nobody new.
inline constexpr uint64_t budget_reserve_share = 8;
/// From so many parts before the end on memory is tight: what would fill the
/// reserve is slowed down, and who keeps from taking what it holds goes.
inline constexpr uint64_t budget_tight_share = 4;
/// Nothing is read from who holds more than one of so many parts of what is
/// free, unless it holds no more than the floor.
inline constexpr uint64_t budget_holder_share = 8;
inline constexpr uint64_t budget_holder_floor = 16 * 1024;
/// A worker that has grown by this looks at the others again.
inline constexpr uint64_t budget_look_bytes = 256 * 1024;
/// So many sessions each worker ends a sweep, those first whose clients leave
/// most untaken: when nothing is left of any, while memory is tight of those
/// whose clients have taken nothing for `budget_patience`.
inline constexpr size_t budget_ended_at_once = 16;
/// While memory is tight a session sends its client no event behind more bytes
/// of output than that.
inline constexpr size_t tight_output_pause = 32 * 1024;
/// Bytes that the kernel keeps of what a client's window has no room for: those
/// who take nothing would fill the memory that all sockets share, and presence
/// in there cannot be replaced by newer.
inline constexpr int unsent_max = 16 * 1024;
/// Who is not read from loses the connection alone, before.
inline constexpr std::chrono::milliseconds budget_patience = 10s;
/// How often each session is looked at for that.
inline constexpr std::chrono::milliseconds session_look_interval = 1s;
/// When clients may come again that were refused for want of memory.
inline constexpr std::chrono::milliseconds budget_retry_after = 5s;

/// About what is held in bytes, for the budget: a session without its buffer, a
/// message to an actor, an IM without outcome at its sender and its recipient
/// or kept for a client, a user that a router knows of, a conversation, a
/// remembered id, a contact list, an entry of one, a subscription with all that
/// both of its users have of it, a held back notice, an operation for the store
/// and what a broadcast needs to find a recipient but once, each without texts.
inline constexpr uint64_t session_bytes = 4096;
inline constexpr uint64_t mailbox_message_bytes = 512;
inline constexpr uint64_t pending_im_bytes = 512;
inline constexpr uint64_t kept_event_bytes = 384;
inline constexpr uint64_t routed_user_bytes = 1024;
inline constexpr uint64_t conversation_bytes = 192;
inline constexpr uint64_t remembered_id_bytes = 32;
inline constexpr uint64_t roster_bytes = 4096;
inline constexpr uint64_t contact_bytes = 192;
inline constexpr uint64_t subscription_bytes = 640;
inline constexpr uint64_t held_notice_bytes = 256;
inline constexpr uint64_t store_operation_bytes = 512;
inline constexpr uint64_t seen_recipient_bytes = 160;

/// Ids that may be remembered: so many parts of the budget's bytes. When they
/// come near, who has most of them forgets the oldest first, but for so many.
inline constexpr uint64_t remembered_ids_share = 4;
inline constexpr size_t remembered_ids_floor = 100;

/// What a user's requests about contacts and privacy may hold until the disk
/// has them: one of so many parts of the budget's bytes. Further ones are
/// refused, and when to ask again.
inline constexpr uint64_t roster_waiting_share = 64;
inline constexpr std::chrono::milliseconds roster_waiting_retry_after = 5s;
/// A contact list of up to so many bytes does not count for its user when it
/// comes to who holds most.
inline constexpr uint64_t roster_allowance = 256 * 1024;

/// Messages that the actors of a worker may have unhandled, and for each of its
/// connections, before its clients are read from no more.
inline constexpr uint64_t mailbox_max = 20'000;
inline constexpr uint64_t mailbox_max_per_connection = 4;

/// Bytes of answers that a client may leave unacknowledged before it is given
/// no further list.
inline constexpr uint64_t lists_bytes_max = 1024 * 1024;

/// Answers to lists that are too long for what a client leaves untaken are
/// refused, and when to ask again.
inline constexpr std::chrono::milliseconds answers_retry_after = 1s;

/// Recipients of broadcasts that a worker judges in a row; each may have many
/// endpoints.
inline constexpr size_t broadcast_slice = 4;

/// How long the next of them wait at most until what these brought is written.
inline constexpr std::chrono::milliseconds broadcast_patience = 50ms;

/// The same for each sweep while memory is tight.
inline constexpr size_t broadcast_slice_tight = 1;

/// Grace times over that a worker looks at in a row: each may bring a heartbeat
/// for all of a user's endpoints, and those of a broadcast are over at once.
inline constexpr size_t graces_at_once = 4;

/// Addresses of a broadcast that are looked at in place of one recipient: that
/// costs no more than to judge an IM to one and all that it brings about.
inline constexpr size_t broadcast_looks = 8;

/// Conversations of one user that a choice or a wanted receipt is kept of; the
/// one that rested longest, among so many that are looked at, gives way.
inline constexpr size_t conversations_max = 10'000;
inline constexpr size_t conversations_looked_at = 16;

} // namespace parley::defaults
