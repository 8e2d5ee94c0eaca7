#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every limit and default that no policy setting governs, with a sentence.
/// What operators can change is in protocol/policy.hpp.
namespace parley::defaults {

using namespace std::chrono_literals;

// -- addresses (RFC 6122 allows 1 023; requirements say less) -----------------

/// Bytes of one part of an address.
inline constexpr size_t address_part_max = 255;

/// Bytes of an address as somebody wrote it, before it is prepared; what is
/// longer is no address and is looked at no further.
inline constexpr size_t address_text_max = 4096;

// -- native protocol ----------------------------------------------------------

/// The highest and the lowest version of the native protocol spoken here.
inline constexpr uint32_t protocol_version = 1;
inline constexpr uint32_t protocol_version_min = 1;

/// Bytes of one frame after its length; checked before anything is allocated.
inline constexpr size_t frame_max = 256 * 1024;

/// Bytes of an IM's id, body and payloads together that fit into a frame in
/// both directions: the server adds sender, recipient and numbers.
inline constexpr size_t im_content_max = frame_max - 2048;

/// Recipients of a broadcast at which its parts are put together no further,
/// whatever `im.broadcast_max` says, and bytes of their addresses and the
/// content.
inline constexpr size_t broadcast_recipients_max = 100'000;
inline constexpr size_t broadcast_bytes_max = 8 * 1024 * 1024;

/// Bytes that a client holds of an answer in parts: a broadcast's outcomes, a
/// contact list.
inline constexpr size_t answer_parts_bytes_max = 64 * 1024 * 1024;

/// Prepared addresses that each thread keeps, so that not every IM has its
/// recipient prepared anew.
inline constexpr size_t known_addresses = 1024;

/// Bytes of an IM's id.
inline constexpr size_t message_id_max = 128;

/// Payloads of one IM, and bytes of a payload's type. Their data counts with
/// the body against `im.body_max`.
inline constexpr size_t payloads_max = 16;
inline constexpr size_t payload_type_max = 128;

/// Bytes of a status text.
inline constexpr size_t status_max = 1024;

/// Bytes of one SASL message (RFC 5802 messages have a few hundred).
inline constexpr size_t sasl_message_max = 4096;

/// Bytes that a client may have under way in unanswered requests.
inline constexpr uint64_t request_window_bytes = 4 * 1024 * 1024;

/// Bytes of answers to broadcasts that a client may leave unacknowledged before
/// its requests are refused.
inline constexpr uint64_t answers_bytes_max = 16 * 1024 * 1024;

/// A client that sends so many windows of requests beyond its window without
/// taking an answer loses its session.
inline constexpr size_t windows_until_ended = 3;

/// Bytes of unacknowledged IMs towards a client that names no window.
inline constexpr uint64_t event_window_bytes = 4 * 1024 * 1024;

/// From accept to signed in; a client that takes longer is cut off.
inline constexpr auto sign_in_timeout = 30s;

/// Bytes kept of the name that a client's software gives itself.
inline constexpr size_t software_max = 128;

/// Sign-ins that may fail on one connection; the last failure closes it.
inline constexpr int sign_in_tries = 3;

/// Bytes of output that wait in a connection before its peer counts as a slow
/// consumer and the connection is closed; its session stays resumable.
inline constexpr size_t output_max = 16 * 1024 * 1024;

/// While more bytes of output wait, nothing is read from the peer; it goes on
/// when half of them are gone. What the peer takes is its sign of life then.
inline constexpr size_t output_pause = 256 * 1024;

/// While more bytes of output wait, typing notices are dropped: the next ones
/// say more.
inline constexpr size_t typing_output_max = 64 * 1024;

/// The same bounds before the session begins: bytes of output, after which the
/// connection is closed, and bytes of a frame.
inline constexpr size_t stranger_output_max = 64 * 1024;
inline constexpr size_t stranger_frame_max = 8 * 1024;

/// What TLS holds for a connection after its handshake, in bytes, about; for
/// the budget.
inline constexpr size_t tls_connection_bytes = 14 * 1024;

/// Bytes of a resume token's random part.
inline constexpr size_t token_bytes = 16;

// -- sockets ------------------------------------------------------------------

/// Bytes that are read from a socket at once where memory is tight: of less, a
/// part of a frame might never become whole.
inline constexpr size_t tight_read_bytes = 32 * 1024;

/// How often it is looked what has reached peers that do not say so themselves,
/// while there is anything: at first, and where nothing moves for long.
inline constexpr std::chrono::milliseconds reached_interval = 10ms;
inline constexpr std::chrono::milliseconds reached_interval_max = 1s;

/// Connections that wait to be accepted, and how long no further one is when
/// there are no descriptors left.
inline constexpr int accept_backlog = 4096;
inline constexpr auto accept_pause = 100ms;

/// Ports that are tried where one has to be free at several addresses.
inline constexpr int port_tries = 16;

/// How long a connection that has been closed waits for its peer to take the
/// last words.
inline constexpr auto last_words_time = 2s;

/// Descriptors that connections leave to the store, its log and the operators;
/// where there are few, half of them.
inline constexpr size_t descriptors_reserve = 400;

/// Connections beyond those that there is room for which are told so, but no
/// more than a quarter of the reserve; further ones are closed without a word.
/// And when to come again.
inline constexpr size_t turned_away_max = 100;
inline constexpr std::chrono::milliseconds full_retry_after = 5s;

/// Lines that strangers cause come into the log once in so long, with a count.
inline constexpr auto stranger_log_interval = 1s;

// -- accounts -----------------------------------------------------------------

/// SCRAM iterations for new passwords (RFC 7677, 4).
inline constexpr uint32_t scram_iterations = 4096;
/// Iterations beyond which a client takes a server's wish for an attack on its
/// processor, and an import refuses keys.
inline constexpr uint32_t scram_iterations_max = 1'000'000;
/// Bytes of a SCRAM salt, and of the longest that is imported.
inline constexpr size_t scram_salt_bytes = 16;
inline constexpr size_t scram_salt_max = 255;
/// Different shapes of keys (iterations, lengths of salts) that decoys take;
/// those that are met later are not imitated.
inline constexpr size_t scram_shapes_max = 64;
/// How many accounts may be asked for from one source (`source_of`) in this
/// time, and how many sources are known; a further one has to wait.
inline constexpr uint32_t registrations_per_source = 5;
inline constexpr std::chrono::milliseconds registration_memory = 1h;
inline constexpr size_t registration_sources_max = 10'000;

/// Bytes of a password.
inline constexpr size_t password_max = 1024;
/// Passwords that wait to be hashed; beyond that `overloaded`, and when they
/// are done with.
inline constexpr size_t password_queue_max = 1000;
inline constexpr std::chrono::milliseconds password_retry_after = 2s;

/// Failed sign-ins of an account or a source address before each further one
/// is slowed, doubling from the first delay to the last. The delays lie one
/// behind the other: tries at the same time take turns.
inline constexpr uint32_t free_failures = 3;
inline constexpr std::chrono::milliseconds failure_delay_first = 500ms;
inline constexpr std::chrono::milliseconds failure_delay_max = 16s;
/// Whose turn would come later than this is refused; less than
/// `sign_in_timeout`.
inline constexpr std::chrono::milliseconds turn_wait_max = 20s;
/// Tries of one account that may be under way at once, as when all endpoints
/// of a user come back; each further one counts as a failure until it is
/// answered. After the free failures each one does.
inline constexpr uint32_t account_tries_at_once = 20;
/// Tries of one source address that may be under way at once; further ones are
/// refused, and when to come again.
inline constexpr uint32_t source_tries_at_once = 1000;
inline constexpr std::chrono::milliseconds source_retry_after = 1s;
/// After this long without a failure an account or source is as new.
inline constexpr std::chrono::milliseconds failure_memory = 15min;
/// How long a source address is known as an account's own after its right
/// password came from there.
inline constexpr std::chrono::milliseconds known_source_memory = 720h;
/// Accounts, sources, and pairs of the two, remembered at a time, of each.
inline constexpr size_t failure_entries_max = 100'000;

// -- routing ------------------------------------------------------------------

/// The directory's slots: users hash to slots, slots map to shards.
inline constexpr size_t directory_slots = 1024;

/// An endpoint that let the grace time pass is suspended if it does not answer
/// a heartbeat within this.
inline constexpr auto grace_ping_timeout = 5s;

/// IMs without a stored outcome are remembered this long and at most so many
/// per sender.
inline constexpr auto delivered_memory = 10min;
inline constexpr size_t delivered_memory_max = 10'000;

/// A sender that asked for receipts is told of a reply's endpoint (*chosen*)
/// within this long after its IM.
inline constexpr auto chosen_receipt_memory = 10min;

/// IMs read from the store at once for one user.
inline constexpr size_t drain_page = 64;

/// Typing notices a second that a session may send, and at once; further ones
/// are dropped: the next says the same.
inline constexpr double typing_per_second = 5;
inline constexpr double typing_burst = 20;

/// The same for all else that is passed on and not kept: questions of one
/// client to another, mostly many at once when it has signed in.
inline constexpr double passing_per_second = 100;
inline constexpr double passing_burst = 1'000;

/// Endpoints that took their directed presence back from a client that is not
/// there, or reads slowly: it is told of so many later, and of so many bytes.
inline constexpr size_t taken_back_max = 1'000;
inline constexpr size_t taken_back_bytes_max = 256 * 1024;

/// Changes of an endpoint's presence a second that its watchers are told of,
/// and at once; of further ones they are told the last when its time has come.
/// IMs follow each at once.
inline constexpr double presence_changes_per_second = 20;
inline constexpr double presence_changes_burst = 50;
/// The greatest that the configuration file may say in its place.
inline constexpr int64_t presence_rate_max = 1'000'000;

/// Watches that have ended, of which an endpoint that comes back is told again.
inline constexpr size_t ended_watches_max = 1'000;

/// Receipts that a session keeps for a client that does not acknowledge them;
/// further ones are dropped.
inline constexpr size_t receipts_max = 1'000;

/// Sessions that ended of which a router knows how much was done in them.
inline constexpr size_t ended_sessions_max = 4'096;

/// A silent peer is given up after this many heartbeats, in tenths.
inline constexpr int heartbeats_until_dead_tenths = 25;

/// How often shards and workers look at their deadlines.
inline constexpr auto sweep_interval = 100ms;

/// How often shards let go of what they need no longer: users who are not
/// here, ids and conversations that lapsed.
inline constexpr auto cleaning_interval = 5s;

/// Sessions that end with their resume windows in one turn of a shard.
inline constexpr size_t sessions_expired_at_once = 4;

/// How often sessions give back memory that only traffic needs.
inline constexpr auto session_shrink_interval = 10s;

/// Random bytes of an endpoint's name that the server makes up.
inline constexpr size_t made_up_name_bytes = 6;

/// Bytes of IMs without outcome that one worker holds before it stops reading
/// from clients; it goes on at three quarters.
inline constexpr uint64_t worker_budget_bytes = 256ull * 1024 * 1024;
inline constexpr uint64_t worker_budget_low = worker_budget_bytes / 4 * 3;

// -- contacts and presence ----------------------------------------------------

/// Bytes of a contact's name and of a group's, and groups of a contact.
inline constexpr size_t contact_name_max = 255;
inline constexpr size_t contact_groups_max = 32;
/// Contacts in one request to add, remove or import.
inline constexpr size_t contacts_at_once = 10'000;
/// Entries of each list of a user's privacy.
inline constexpr size_t privacy_entries_max = 1'000;
/// Removed entries that a roster remembers, for clients that know an older
/// version.
inline constexpr size_t removals_max = 64;
/// How long it waits before a roster that could not be read is read again.
inline constexpr std::chrono::milliseconds roster_retry = 1s;
/// While more bytes of output wait for a client, presence is held back: of each
/// endpoint the last state.
inline constexpr size_t presence_output_max = 64 * 1024;
/// Encoded presence notices that each thread keeps: the many watchers of one
/// notice get the same bytes.
inline constexpr size_t presence_frames_kept = 16;

// -- persistence --------------------------------------------------------------

/// Operations in one group commit.
inline constexpr size_t commit_max = 4096;

/// How often expired IMs and retry ids are swept out.
inline constexpr auto expiry_interval = 60s;

/// IMs that one such sweep takes out at most.
inline constexpr size_t expiry_page = 10'000;

/// Users and IMs, ids, and accounts that the sweeper goes over in one step: so
/// long it takes until it hears of an end.
inline constexpr size_t sweep_step = 2'000;
inline constexpr size_t ids_scanned = 10'000;
inline constexpr size_t accounts_listed = 10'000;

/// The filter over remembered ids is made anew when more than half of what went
/// into it is forgotten, at least so many, and at most this often.
inline constexpr uint64_t filter_forgotten_min = 1'000;
inline constexpr auto filter_interval = 1h;

/// IMs that wait for a removed account, if they are so many or more, are taken
/// out later, piece by piece; ids of as many or more are deleted as one range.
inline constexpr size_t remove_account_page = 1'000;

/// Records that cannot be read are told of once: so many are known again.
inline constexpr size_t unreadable_max = 10'000;

/// A removal that the store refused is tried again after the first of these,
/// then after ever twice as long, up to the last.
inline constexpr std::chrono::milliseconds removal_retry_first = 1s;
inline constexpr std::chrono::milliseconds removal_retry_max = 60s;

/// Octets of a data folder's secret.
inline constexpr size_t store_secret_bytes = 32;

/// Ids forgotten, or left IMs taken out, in one write; commits wait so long.
inline constexpr size_t forget_max = 512;

/// Bytes of write-ahead log before everything is flushed to tables; all of it
/// is read at a start after a crash.
inline constexpr uint64_t wal_max = 64 * 1024 * 1024;

/// Bytes of what is not yet in tables: of all families, of one that fills with
/// traffic, and of one that does not; and the pieces they are allocated in.
inline constexpr size_t write_buffers_max = 48 * 1024 * 1024;
inline constexpr size_t write_buffer_bytes = 16 * 1024 * 1024;
inline constexpr size_t small_write_buffer = 1024 * 1024;
inline constexpr size_t arena_bytes = 64 * 1024;

/// Bytes of table blocks, indexes and filters that are kept in memory.
inline constexpr size_t block_cache_bytes = 32 * 1024 * 1024;

/// Table files that are open at a time.
inline constexpr int open_tables_max = 256;

/// Bits a key of the filters that say what is not in a table: 1 % false.
inline constexpr int bloom_bits = 10;

/// A table with this many deletions among so many entries in a row is compacted
/// at once, so that reads need not step over them.
inline constexpr size_t deletions_window = 1024;
inline constexpr size_t deletions_trigger = 512;

/// Bytes of tables up to which opening verifies every checksum; beyond it each
/// block is verified when it is read.
inline constexpr uint64_t verify_at_open_max = 256 * 1024 * 1024;

/// Bytes that a disk which refused a write has to take before it is trusted.
inline constexpr size_t disk_probe_bytes = 1024 * 1024;

/// Bytes of RocksDB's own log before it starts a new one.
inline constexpr size_t info_log_bytes = 1024 * 1024;

// -- operators ----------------------------------------------------------------

/// Operators that are connected at a time, and how long one of them has been
/// silent before it gives way to another.
inline constexpr size_t admin_clients_max = 64;
inline constexpr auto admin_patience = 10s;
/// How long an operator's request waits for an actor, and how long it goes on
/// waiting once the server stops.
inline constexpr auto admin_actor_patience = 30s;
inline constexpr auto admin_stop_patience = 500ms;
/// How often such a wait looks whether the server stops.
inline constexpr auto admin_wait_step = 50ms;
/// How long `parley admin` waits for an answer; an import of passwords that
/// have to be hashed takes the longest.
inline constexpr auto admin_answer_patience = 120s;
/// Bytes of one request there.
inline constexpr size_t admin_line_max = 4 * 1024 * 1024;
/// Accounts that an import sends at once.
inline constexpr size_t import_rows = 500;
/// Rows of contacts that an import sends at once, and bytes of their cells
/// beyond which it sends earlier.
inline constexpr size_t contact_rows = 5'000;
inline constexpr size_t contact_rows_bytes = 512 * 1024;
/// Questions to rosters that one request of an operator has under way.
inline constexpr size_t admin_questions = 64;
/// Users that the sweeper looks at in one step of listing contacts, and entries
/// after which it hands them over.
inline constexpr size_t rosters_listed = 200;
inline constexpr size_t contacts_listed = 5'000;
/// Bytes of one row of an import.
inline constexpr size_t import_row_max = 64 * 1024;
/// Lines of the audit log that are shown when nobody says how many, and at
/// most.
inline constexpr uint64_t audit_lines = 100;
inline constexpr uint64_t audit_lines_max = 100'000;

/// IMs of which is known what became of them, if the configuration does not say
/// otherwise, and at most; shared out evenly among the workers.
inline constexpr size_t trace_ims = 100'000;
inline constexpr size_t trace_ims_max = 10'000'000;
/// Events of an IM, on an average, that there is room for: copies to ten
/// endpoints. And how many are allocated at a time.
inline constexpr size_t trace_events_per_im = 24;
inline constexpr size_t trace_chunk = 4'096;
/// Sessions of each worker that have ended and are known by name still.
inline constexpr size_t trace_sessions = 10'000;
/// IMs of one id that a worker tells of, and events of them.
inline constexpr size_t trace_shown_max = 10'000;

/// Who reads metrics: clients at a time, bytes of a request, how long one may
/// take, and how long they wait for an actor.
inline constexpr size_t metrics_clients_max = 16;
inline constexpr size_t metrics_request_max = 8 * 1024;
inline constexpr auto metrics_request_timeout = 10s;
inline constexpr std::chrono::milliseconds metrics_patience = 1s;
/// How often they may ask all workers; who comes between gets the same.
inline constexpr std::chrono::milliseconds metrics_interval = 100ms;

/// The troubleshooter warns of a certificate that ends within this, of a data
/// folder with less than these bytes or this share in hundredths left, and
/// calls it failed below the second number.
inline constexpr auto certificate_warning = 30 * 24h;
inline constexpr uint64_t disk_free_warning = 1024ull * 1024 * 1024;
inline constexpr uint64_t disk_free_hundredths = 5;
inline constexpr uint64_t disk_free_failure = 64ull * 1024 * 1024;
/// It warns of a wall clock that went so far from the steady one, or stands
/// before the latest line of the audit log by so much.
inline constexpr std::chrono::milliseconds clock_tolerance = 5s;
/// It warns of a bound that is taken up to this share in hundredths, and of
/// sessions without a connection beyond this share of all and this number.
inline constexpr uint64_t bound_hundredths = 80;
inline constexpr uint64_t suspended_hundredths = 50;
inline constexpr uint64_t suspended_min = 20;
/// A commit that takes longer than this is told of, and of one operation that
/// waits for it on an average no more than so many.
inline constexpr std::chrono::milliseconds commit_patience = 5s;
inline constexpr uint64_t commit_queue_warning = 10 * commit_max;
/// Connections below which it asks for more open files.
inline constexpr size_t connections_few = 1'000;

// -- threads ------------------------------------------------------------------

/// Worker threads of one server.
inline constexpr size_t threads_max = 64;
/// Threads that read from the store.
inline constexpr size_t reader_threads = 2;

/// Microseconds that a worker may spin before it sleeps.
inline constexpr int64_t spin_max_us = 1'000'000;

// -- orderly end --------------------------------------------------------------

/// Everything under way is settled within this, or rejected and counted.
inline constexpr auto stop_timeout = 8s;
/// The server waits so much longer for what settles it.
inline constexpr auto stop_slack = 1s;
/// Clients hear of the end at least this long before it: what they sent without
/// knowing is answered still.
inline constexpr auto going_away_time = 500ms;
/// Clients are told to come back between these, spread evenly.
inline constexpr auto come_back_min = 1s;
inline constexpr auto come_back_max = 10s;

// -- client library -----------------------------------------------------------

/// Received IMs that a client remembers to drop those that come again.
inline constexpr size_t client_duplicates_max = 10'000;

/// The first and the longest wait before a client connects again.
inline constexpr std::chrono::milliseconds client_backoff_first = 250ms;
inline constexpr std::chrono::milliseconds client_backoff_max = 30s;
/// The longest wait that a client lets a server prescribe.
inline constexpr std::chrono::milliseconds client_retry_after_max = 1h;
/// A session that lived this long proves that the server works: the next loss
/// waits the first wait again.
inline constexpr auto client_stable_after = 5s;

/// From the wish to connect to a connection, TLS included.
inline constexpr auto client_connect_timeout = 10s;

/// How often clients look at their deadlines.
inline constexpr std::chrono::milliseconds client_sweep_interval = 100ms;

/// Bytes that a client reads at once.
inline constexpr size_t client_read_bytes = 64 * 1024;

/// Bytes of output buffer that a client keeps while it has nothing to write.
inline constexpr size_t client_output_kept = 1024;

} // namespace parley::defaults
