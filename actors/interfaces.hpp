#pragma once

#include <caf/replies_to.hpp>
#include <caf/response_promise.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/inspect.hpp"
#include "actors/messages.hpp"
#include "actors/observation/messages.hpp"
#include "actors/roster/messages.hpp"
#include "actors/store/document_messages.hpp"

/// Every actor's typed interface: who reads this page knows the system. Plain
/// sends wherever IMs pass; requests only for operators.
namespace parley {

using tick_atom = caf::atom_constant<caf::atom("tick")>;
using commit_atom = caf::atom_constant<caf::atom("commit")>;
using stop_atom = caf::atom_constant<caf::atom("stop")>;
using done_atom = caf::atom_constant<caf::atom("done")>;
using report_atom = caf::atom_constant<caf::atom("report")>;
using count_atom = caf::atom_constant<caf::atom("count")>;
using add_atom = caf::atom_constant<caf::atom("add")>;
using remove_atom = caf::atom_constant<caf::atom("remove")>;
using list_atom = caf::atom_constant<caf::atom("list")>;
using audit_atom = caf::atom_constant<caf::atom("audit")>;
using kick_atom = caf::atom_constant<caf::atom("kick")>;
using get_atom = caf::atom_constant<caf::atom("get")>;
using scan_atom = caf::atom_constant<caf::atom("scan")>;
using step_atom = caf::atom_constant<caf::atom("step")>;
using reload_atom = caf::atom_constant<caf::atom("reload")>;

/// A signed-in endpoint: numbers what goes to its client, keeps it until the
/// client has it, and outlives the connection for the resume window. Child of
/// its user's router, on the same worker.
using session_actor = caf::typed_actor<
  /// From the connection: new requests, acknowledgements, a wish, its end.
  caf::reacts_to<client_requests>, caf::reacts_to<client_acknowledged>,
  caf::reacts_to<client_window>, caf::reacts_to<client_lost>,
  /// Its connection has room for presence again.
  caf::reacts_to<client_drained>,
  /// IMs and events for the client.
  caf::reacts_to<session_output>,
  /// The client let the grace time pass.
  caf::reacts_to<probe_client>,
  /// The policy has changed: windows, heartbeat, what the client is told.
  caf::reacts_to<shared<policy>>,
  /// Gives back memory that only traffic needs.
  caf::reacts_to<session_sweep>,
  /// The server stops soon.
  caf::reacts_to<announce_stop>,
  /// It is over: tells the client and quits.
  caf::reacts_to<end_session>>;

/// One live relation of a watcher and a presentity: takes the presentity's
/// states, keeps the last, and tells the watcher's sessions what has changed.
/// Child of the watcher's roster, on the same worker.
using subscription_actor = caf::typed_actor<
  /// From the presentity's roster; older ones than the last do nothing.
  caf::reacts_to<shared<presentity>>,
  /// Tells this session everything.
  caf::reacts_to<greet_session>, caf::reacts_to<say_to_session>,
  caf::reacts_to<end_subscription>>;

/// One active user's contact list, subscriptions and privacy, and what others
/// see of it. Child of its user's router, on the same worker; loaded on demand,
/// and let go of when nothing concerns it.
using roster_actor = caf::typed_actor<
  /// From its router: the user's sessions, and what they ask.
  caf::reacts_to<endpoint_joined>, caf::reacts_to<endpoint_changed>,
  caf::reacts_to<endpoint_left>, caf::reacts_to<endpoint_resumed>,
  caf::reacts_to<roster_requests>, caf::reacts_to<shared<policy>>,
  /// From a reader, and from other users' routers.
  caf::reacts_to<roster_found>, caf::reacts_to<contacts_checked>,
  /// By way of its router, from the other half of a subscription.
  caf::reacts_to<subscription_note>, caf::reacts_to<review_requests>,
  caf::reacts_to<contact_check>,
  /// Somebody shows itself, asks to see this user, or both.
  caf::reacts_to<presence_call>,
  /// Of those that this user asked to see.
  caf::reacts_to<absent_users>,
  /// The subscription of a watcher that shall be told, or no longer.
  caf::reacts_to<attach_watcher>, caf::reacts_to<detach_watcher>,
  /// Ad-hoc watches: asked of the presentity, answered to the watcher.
  caf::reacts_to<watch_request>, caf::reacts_to<watch_decided>,
  caf::reacts_to<watch_revoked>,
  /// Of what this user keeps.
  caf::reacts_to<tell_watchers>,
  /// From its own subscriptions.
  caf::reacts_to<presentity_left>, caf::reacts_to<subscription_ended>,
  /// Ad-hoc watches that are over.
  caf::reacts_to<tick_atom>,
  /// For operators; the address: what this one may see.
  caf::replies_to<report_atom, user_address>::with<roster_report>,
  caf::replies_to<contacts_import>::with<contacts_imported>,
  /// The account is removed: answered when the others will hear of it, whatever
  /// happens.
  caf::replies_to<remove_atom>::with<write_result>>;

/// One shard of the users: judges and routes their IMs by the rules in
/// `routing`, and owns their sessions. One per worker.
using router_actor = caf::typed_actor<
  /// From its sessions.
  caf::reacts_to<session_requests>, caf::reacts_to<session_acknowledged>,
  caf::reacts_to<session_suspended>, caf::reacts_to<session_window>,
  caf::reacts_to<session_over>,
  /// From other routers.
  caf::reacts_to<routed_im>, caf::reacts_to<routed_outcome>,
  caf::reacts_to<routed_choice>, caf::reacts_to<routed_receipt>,
  caf::reacts_to<routed_typing>, caf::reacts_to<routed_pass>,
  /// From rosters, its own and others', about its users.
  caf::reacts_to<contact_check>, caf::reacts_to<subscription_note>,
  caf::reacts_to<note_confirmed>, caf::reacts_to<presence_calls>,
  caf::reacts_to<attach_watcher>, caf::reacts_to<detach_watcher>,
  caf::reacts_to<watch_request>, caf::reacts_to<review_requests>,
  /// What users keep: asked of its owner's router, answered to that of who
  /// asks; read by a reader between. Notices for its users.
  caf::reacts_to<documents_wanted>, caf::reacts_to<documents_ready>,
  caf::reacts_to<documents_followed>, caf::reacts_to<document_notices>,
  /// From its own rosters.
  caf::reacts_to<roster_idle>, caf::reacts_to<roster_head_changed>,
  /// From operators, for a user's roster: what a viewer may see; contacts.
  caf::replies_to<report_atom, user_address, user_address>::with<roster_report>,
  caf::replies_to<user_address, contacts_import>::with<contacts_imported>,
  /// From the store.
  caf::reacts_to<written>, caf::reacts_to<head_found>,
  caf::reacts_to<page_found>, caf::reacts_to<id_found>,
  caf::reacts_to<ims_expired>,
  /// From the sweeper, which looks through all ids on disk: those that come
  /// from now on are kept apart; then the filter over those it found.
  caf::replies_to<scan_atom>::with<done_atom>,
  caf::reacts_to<shared<id_filter>>,
  /// The policy has changed; answered when it is in force here.
  caf::replies_to<shared<policy>>::with<done_atom>,
  /// Accounts were made: they are known when this is answered.
  caf::replies_to<add_atom, std::vector<user_address>>::with<done_atom>,
  /// An account's password changed: its resume tokens end.
  caf::replies_to<reload_atom, user_address>::with<done_atom>,
  /// Removes an account: ends its sessions, rejects and deletes its IMs, and
  /// writes the line into the audit log; answered when that is on disk.
  caf::replies_to<remove_atom, user_address,
    audit_entry>::with<account_removed>,
  /// Ends the sessions of a user or one of its endpoints; answers how many.
  caf::replies_to<kick_atom, address>::with<uint64_t>,
  caf::replies_to<report_atom>::with<router_report>,
  /// What it has counted.
  caf::replies_to<count_atom>::with<router_counts>,
  /// What became of an IM: first which ones had an id, then the events.
  caf::replies_to<trace_wanted>::with<trace_found>,
  caf::replies_to<trace_of>::with<trace_found>,
  /// Users with so many IMs waiting, of which some are not on disk, or with so
  /// many watchers, of which some watch ad hoc.
  caf::replies_to<limits_wanted>::with<limits_found>,
  /// Deadlines.
  caf::reacts_to<tick_atom>,
  /// Orderly stop: answers when what it has under way is settled and its
  /// sessions have ended. It goes on to serve the other routers until its end.
  caf::replies_to<stop_atom>::with<stop_report>>;

/// The one that writes to the store: puts what comes in the meantime into one
/// synced batch. Detached.
using store_writer_actor = caf::typed_actor<
  /// Answered by `written` to the router, batched.
  caf::reacts_to<shared<operations>, router_actor>,
  /// Written and synced when answered.
  caf::replies_to<operations>::with<write_result>,
  /// To itself: the end of a batch.
  caf::reacts_to<commit_atom>>;

/// Reads from the store. A few of them, detached.
using gateway_ref = caf::typed_actor<caf::reacts_to<account_found>>;
using store_reader_actor = caf::typed_actor<
  /// A roster: answered by `roster_found`.
  caf::reacts_to<user_address, roster_actor>,
  /// Answered by `head_found`.
  caf::reacts_to<user_address, router_actor>,
  /// Up to so many from an order on for a session: `page_found`.
  caf::reacts_to<user_address, session_id, im_order, uint64_t, router_actor>,
  /// Answered by `id_found` with the ticket.
  caf::reacts_to<retry_key, uint64_t, router_actor>,
  /// Answered by `account_found` with the ticket.
  caf::reacts_to<user_address, uint64_t, gateway_ref>,
  /// What users keep, as far as the one who asks may see it: answered by
  /// `documents_ready`, and by a `document_notices` for each owner that has
  /// any.
  caf::reacts_to<documents_wanted, router_actor>,
  caf::reacts_to<documents_followed, router_actor>,
  caf::replies_to<count_atom, user_address>::with<documents_counted>,
  /// Those among these that have an account.
  caf::replies_to<list_atom, std::vector<user_address>>::with<accounts_found>,
  /// The latest so many lines of the audit log.
  caf::replies_to<audit_atom, uint64_t>::with<audit_found>>;

/// Whatever goes over much of the store, a bounded step at a time. Detached.
using store_sweeper_actor = caf::typed_actor<
  /// Sweeps out what has expired by the policy: `ims_expired` to the routers
  /// that own the users (all of them, in slot order of workers), and retry ids.
  /// What an earlier one has left to do goes on by this policy and time.
  caf::reacts_to<shared<policy>, wall_time, std::vector<router_actor>>,
  /// All accounts, in order.
  caf::replies_to<list_atom>::with<accounts_found>,
  /// All users at a limit, in order, by what is on disk.
  caf::replies_to<limits_wanted>::with<limits_found>,
  /// Contact lists, a page at a time.
  caf::replies_to<rosters_wanted>::with<rosters_found>,
  /// The policy decides more than it did: has routers look at the requests
  /// that wait in rosters.
  caf::reacts_to<add_atom, std::vector<router_actor>>,
  /// To itself: the next step.
  caf::reacts_to<step_atom>>;

/// Hashes passwords: milliseconds each. Detached, bounded queue.
using password_actor = caf::typed_actor<
  /// Whether a password fits the keys; answered by `password_checked` to the
  /// gateway, unless its ticket has left the `password_line`.
  caf::reacts_to<std::string, scram_keys, uint64_t,
    caf::typed_actor<caf::reacts_to<password_checked>>>,
  /// New keys for a password of a stranger, who entered the `password_line`
  /// under this ticket; `timed_out` if it has left.
  caf::replies_to<std::string, uint64_t>::with<keys_derived>,
  /// New keys for a password.
  caf::replies_to<std::string>::with<keys_derived>>;

/// Slows down who fails to sign in, per account and per source address.
using admission_actor = caf::typed_actor<
  /// Account, source, ticket: answered by `admitted`.
  caf::reacts_to<user_address, std::string, uint64_t,
    caf::typed_actor<caf::reacts_to<admitted>>>,
  /// How it went.
  caf::reacts_to<sign_in_ended>,
  /// What was held back of the log.
  caf::reacts_to<tick_atom>, caf::replies_to<shared<policy>>::with<done_atom>,
  caf::replies_to<count_atom>::with<sign_in_counts>>;

/// Makes accounts for strangers.
using account_asker = caf::typed_actor<caf::reacts_to<account_made>>;
using registrar_actor = caf::typed_actor<
  /// Answered by `account_made` with the ticket, which is in the
  /// `password_line`.
  caf::reacts_to<account_wanted, account_asker>>;

/// The connections of one worker: reads and writes sockets, leads them through
/// the sign-in, and hands what clients say to their sessions.
using gateway_actor = caf::typed_actor<caf::reacts_to<account_found>,
  caf::reacts_to<password_checked>, caf::reacts_to<admitted>,
  caf::reacts_to<account_made>, caf::reacts_to<tick_atom>,
  caf::replies_to<shared<policy>>::with<done_atom>,
  caf::replies_to<count_atom>::with<connection_counts>,
  /// Accepts nobody from now on.
  caf::replies_to<stop_atom>::with<done_atom>>;

/// Policy settings: validates, writes, audits, and brings each change into
/// force at every actor before it answers.
using settings_actor = caf::typed_actor<
  /// All settings with their values.
  caf::replies_to<get_atom>::with<shared<policy>>,
  /// Name, value, who.
  caf::replies_to<std::string, std::string,
    std::string>::with<setting_changed>>;

} // namespace parley

#include "actors/roster/handles.hpp"
