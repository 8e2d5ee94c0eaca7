#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/client_connection.hpp"
#include "protocol/lean_queue.hpp"
#include "protocol/xmpp/capabilities.hpp"
#include "protocol/xmpp/disco.hpp"
#include "protocol/xmpp/element.hpp"
#include "protocol/xmpp/ledger.hpp"
#include "protocol/xmpp/messages.hpp"
#include "protocol/xmpp/pubsub.hpp"
#include "protocol/xmpp/stanza_errors.hpp"
#include "protocol/xmpp/stanza_reader.hpp"

namespace parley::xmpp {

/// What `<resumed/>` stands in; mostly nothing.
struct resumed_frame {
  std::string before;
  std::string after;
};

/// What is said in a session: stanzas of the client become requests, events
/// become stanzas. It outlives its connection where the client resumes
/// (XEP-0198). In parts: dialogue.cpp (requests and answers) and a file for
/// each of its matters.
class dialogue {
public:
  static constexpr std::string_view stream_management = "urn:xmpp:sm:3";

  using requests = std::vector<numbered_request>;

  /// `held_ims`: as in `connection_config`.
  dialogue(
    const signed_in& what, std::string domain, byte_count* held_ims = nullptr);

  /// What the features of a stream say of sessions.
  static void append_features(std::string& out);
  /// `<failed/>` of stream management. `h`: of the stream that cannot be
  /// resumed, where that is known.
  static void append_failed(std::string& out, std::string_view condition,
    std::optional<uint64_t> h = {});
  /// For the end of a stream whose client says a higher `h` than there can be.
  stream_fault too_high(uint32_t h) const;

  /// The answer to the binding.
  void put_bound(std::string_view id, std::string& out);
  /// Goes on with another connection, whose client has `h` stanzas: returns up
  /// to which event it has all, or nothing if there never were so many stanzas.
  /// `<resumed/>` goes out once every IM of before has its outcome, all else
  /// after it.
  std::optional<sequence> resume(const window& granted, uint32_t h,
    std::string_view previous, resumed_frame around, std::string& out,
    requests& to);
  /// The client wants carbons, and no answer.
  void want_copies(std::string& out, requests& to);

  /// Takes a stanza, or an element of stream management. A fault ends the
  /// stream.
  std::optional<stream_fault> take(
    element x, wall_time now, std::string& out, requests& to);
  /// The client ends its stream.
  void sign_out(requests& to);
  /// The endpoint is not there for anybody any more.
  void leave(requests& to, const std::string& status = {});
  /// The connection ends, and nobody resumes: what is still to be said. What
  /// waits for room is not asked any more.
  void part(requests& to);
  /// The session is over; `answered` as of `connection_legacy`.
  last_words end_session(std::span<const request_number> answered);

  /// True: the client will not acknowledge it, it is safe already. What waited
  /// for room may be asked now.
  bool tell(sequence number, const event& what, std::string& out, requests& to);
  void set_window(const window& x) noexcept { x_window = x; }
  /// Events that the client has acknowledged since the last call; 0: none.
  sequence take_acknowledged() noexcept {
    return std::exchange(x_acknowledged, {});
  }

  /// Whether `end_batch` has anything to say.
  bool has_batch_end() const noexcept;
  /// What is to be said once for many stanzas.
  void end_batch(std::string& out);
  /// Something that any client answers.
  void ask_for_life(std::string& out);
  /// Whether `tick` has anything to look at.
  bool has_deadline() const noexcept { return !x_stale.empty(); }
  void tick(steady_time now, std::string& out);

  /// False while too many requests wait for room.
  bool takes_stanzas() const noexcept;
  /// Of requests, by the server: what stands in the way is not the client.
  bool awaits_answers() const noexcept { return x_under_way > 0; }
  bool is_resumable() const noexcept { return x_resumable; }
  bool is_resuming() const noexcept { return x_resuming; }
  /// Whether a request waits for room.
  bool has_waiting() const noexcept { return !x_waiting.empty(); }
  ledger& counts() noexcept { return x_counts; }
  const ledger& counts() const noexcept { return x_counts; }
  /// Bytes of what waits until `<resumed/>` has gone out.
  size_t delayed() const noexcept { return x_delayed.size(); }
  size_t memory() const noexcept;

private:
  /// What a request was asked for.
  enum class purpose : uint8_t {
    /// Nobody is told of the answer.
    own,
    message,
    broadcast,
    presence,
    subscription,
    roster_get,
    roster_set,
    /// Not asked for by the client.
    roster_whole,
    /// What has become of the contacts while the client was away.
    roster_since,
    /// The same, where the session has not told of all of it.
    roster_missed,
    /// Of an iq: answered by an empty result, or an error.
    iq,
    /// Questions about the block list wait for it.
    privacy,
    /// Of an iq that changes it.
    blocking,
    /// Of an iq about what is kept at the server.
    documents,
  };
  /// A request of which the answer is not at the client.
  struct asked {
    purpose what = purpose::own;
    /// Of the stanza, for the answer.
    std::string id;
    std::string to;
    /// In the window, until it is answered.
    uint64_t bytes = 0;
    /// Of `documents`.
    std::shared_ptr<const document_matter> matter = nullptr;
    /// Of `presence`: each counts, not the last one alone.
    std::shared_ptr<const availability> wanted = nullptr;

    /// Of what is kept for the answer.
    size_t memory() const noexcept;
  };
  /// An iq about the block list, as far as it is kept.
  struct block_question {
    enum class kind : uint8_t { list, block, unblock };
    block_question::kind what = kind::list;
    /// Its tag, for the answer.
    element tag;
    /// Whom it names, sorted, each once.
    std::vector<user_address> whom;

    size_t memory() const noexcept;
  };

  /// What is remembered of who is in the list.
  struct known_contact : subscription_state {
    bool listed = false;
  };
  /// Subscriptions with somebody that this client asked to end.
  struct own_end {
    /// By which request; 0: by one that is done, of whose change the session
    /// has not told yet.
    using direction = std::optional<request_number> own_end::*;
    std::optional<request_number> to;
    std::optional<request_number> from;
  };

  // -- requests and answers (dialogue.cpp)

  std::optional<stream_fault> take_stanza(const element& x);
  std::optional<stream_fault> manage(const element& x);
  request_number ask(request what, asked about);
  using asked_requests = std::map<request_number, asked>;
  void forget(asked_requests::iterator what);
  void pass(const element& x, const address& to, reach how, bool returns,
    bool is_typing = false);
  bool has_room(uint64_t bytes) const noexcept;
  /// Behind what came before it.
  void ask_unanswered(request what);
  void wait_for_room(numbered_request what, uint64_t bytes);
  void ask_waiting(requests& to);
  /// False: there is no room for it yet.
  bool ask_now(numbered_request& what, uint64_t bytes, requests& to);
  bool answer_to(sequence number, const answer& x);
  /// What is to be said after an answer.
  void follow_up(purpose what, const answer& x);
  /// False if nothing was written; else one stanza was.
  bool put_answer(const asked& about, const answer& x);
  /// The client has all up to this one.
  void acknowledge(sequence upto);
  /// The stanza that was just written carries it.
  void sent(sequence number = {});
  /// The same, of one that stands in the output from `start` on and is said
  /// again if the client does not acknowledge it.
  void sent_reply(size_t start) {
    sent();
    keep_reply(start);
  }
  /// False: there is no room to keep it, or no need.
  bool keep_reply(size_t start);
  void forget_replies();
  void say_replies_again();
  std::string& out() noexcept { return x_resuming ? x_delayed : *x_out; }
  void finish_resuming();
  /// `h`, at once.
  void put_count();
  void refuse(
    const element& x, const stanza_error& why, std::string_view text = {});
  std::string next_id();
  bool is_own_domain(std::string_view text) const;

  void heed_policy(const policy_values& x);

  // -- messages

  void take_message(const element& x);
  /// The stanza as an IM of this client.
  shared<im> im_from(const element& x);
  /// Addressed to many (XEP-0033).
  void take_multicast(const element& x, const element& addresses);
  void put_refusals(const asked& about, const broadcast_outcomes& x);
  void put_message(sequence number, const incoming_im& x);
  void take_copies(const element& iq, bool wanted);
  void put_passed(const passed_on& x);

  // -- presence

  void take_presence(const element& x);
  void take_availability(const element& x);
  void take_directed(const element& x, const address& to);
  void direct(const element& x, const address& to, directed what);
  /// Tells that this endpoint, whose presence was sent there, is gone.
  void take_back(const address& from, const std::string& status = {});
  void put_presence(const presence_notice& x);
  /// Once more, what the client is told of somebody: servers probe, it need
  /// not.
  void put_known(const address& of);
  void own_presence_changed(const availability& now);
  void show_presence(const presence_event& x);
  void reset_presence();
  /// The client is looked at or not (XEP-0352).
  std::optional<stream_fault> client_state(std::string_view what);
  /// With its last words.
  void put_unavailable(const address& from, const availability& words);
  void note_change(const address& from);
  void put_changed();
  bool is_available() const noexcept { return x_own.show != show::unavailable; }

  // -- who hides from whom (dialogue_masks.cpp)

  /// Asks once for the user's privacy.
  void know_privacy();
  void heed_privacy(const parley::privacy& x);
  bool is_shared() const noexcept;
  /// By the block list, as far as it is known.
  bool blocks(const user_address& who) const;
  /// The same with the rules of domains: it is not to see this user.
  bool hides_from(const user_address& who) const;
  /// Takes back what was sent to who may not see it any more.
  void review_directed();
  /// False if the client does not block whom it speaks to; else the stanza is
  /// refused (XEP-0191, 3).
  bool refuse_blocked(const element& x, const user_address& to);
  /// Whom of a broadcast it blocks is refused, and no longer in it.
  void refuse_blocked(const element& x, std::vector<std::string>& to);

  // -- contacts

  void take_subscription(const element& x, const address& to);
  /// Whether a direction ended, other than by this client.
  bool was_ended(
    const user_address& with, own_end::direction which, half before, half now);
  /// What this client asked to end is answered.
  void settle_ends(const answer& x);
  void take_roster(const element& iq, const element& query);
  void put_roster(const asked& about, const contact_list& x);
  void push_roster(const contact_list& x);
  /// The whole list, not asked for by the client.
  void contacts_listed(const contact_list& x);
  void contacts_changed(const contact_list& x);
  void ask_for_missed();
  /// The answer to `roster_since` and `roster_missed`.
  void contacts_since(request_number number, const contact_list& x);
  /// Asks what has become of them since.
  void catch_up(roster_version from, purpose what = purpose::roster_since);
  void catching_up_failed(const answer& x);
  void take_changes(const contact_list& x);
  /// The same without pushes.
  void learn(const contact_list& x);
  /// Without the difference, who is not in the list is gone.
  contact_list with_gone(contact_list x) const;
  /// What changed for a contact, as presence stanzas of its type.
  void tell_of_subscription(const contact& x, bool is_news);
  void put_requests();
  void put_typed_presence(const user_address& from, std::string_view type);

  // -- iqs

  void take_iq(const element& x);
  void take_own_iq(const element& iq, const element& child);
  void take_block_list(const element& iq);
  void put_result(const element& iq, std::string_view content = {});
  void put_result(std::string_view id, std::string_view content = {});
  /// Nothing: it was refused.
  std::optional<block_question> block_question_of(const element& iq);
  /// False if the iq was refused.
  bool name_users(const element& iq, std::vector<user_address>& whom);
  /// The list is known, and no change of it under way.
  void answer_block_list(const block_question& x);
  void put_blocked(const element& iq);
  void block(const block_question& x);
  /// There is no room in the list for whom this iq names.
  void put_too_many(std::string_view id);
  void refuse_too_many(const element& iq);
  void go_on_blocking();
  void privacy_known(const parley::privacy& x);
  void privacy_unknown();
  void privacy_changed(const parley::privacy& x);
  void push_blocked(
    std::string_view what, const std::vector<user_address>& whom);

  // -- what is kept at the server

  /// False if it is about something else.
  bool take_documents(const element& iq, const element& child);
  /// The same of a question to another user.
  bool take_others_documents(const element& iq, const element& child);
  void ask_documents(
    const element& iq, document_request what, document_matter about);
  void change_document(
    const element& iq, document_change what, document_matter about);
  void list_nodes(const element& iq);
  void take_private(const element& iq, const element& query);
  void take_vcard(const element& iq, const element& card);
  void take_items(const element& iq, const element& pubsub);
  void take_publishing(const element& iq, const element& pubsub);
  void publish(const element& iq, const element& pubsub, const element& p);
  void take_owning(const element& iq, const element& pubsub);
  void refuse_precondition(const element& iq);
  /// Into the error that stands last in the output.
  void append_pubsub_error(std::string_view name);
  void put_documents_answer(const asked& about, const answer& x);
  void put_documents_failure(const asked& about, const failure& why);
  void put_found(const asked& about, const documents_found& x);
  void put_documents(const asked& about, const std::vector<document>& what);
  void put_document_result(const asked& about, std::string_view content);

  // -- whom it follows in that

  void heed_capabilities(const element& presence);
  /// False if it is no answer to what was asked.
  bool take_capabilities(const element& iq);
  void follow_all();
  void follow_fresh();
  void follow(std::vector<user_address> whom);
  void put_notice(const document_notice& x);

  address x_self;
  std::string x_domain;
  byte_count* x_held_ims;
  std::string x_token;
  std::chrono::seconds x_resume_window{};

  /// Of the call that is being served.
  std::string* x_out = nullptr;
  requests* x_requests = nullptr;
  wall_time x_now{};

  window x_window;
  request_number x_last_request;
  asked_requests x_asked;
  size_t x_asked_bytes = 0;
  struct waiting_request {
    numbered_request what;
    uint64_t bytes = 0;
    /// What it keeps beside an IM, which counts where all IMs do.
    uint64_t beside = 0;
  };
  lean_queue<waiting_request> x_waiting;
  uint64_t x_waiting_bytes = 0;
  uint64_t x_waiting_beside = 0;
  /// Asked and not answered; answers that the client has to acknowledge.
  size_t x_under_way = 0;
  uint64_t x_under_way_bytes = 0;
  struct kept_answer {
    sequence event;
    request_number request;
  };
  lean_queue<kept_answer> x_kept;
  struct reply {
    /// Its number among all stanzas.
    uint64_t stanza = 0;
    std::string text;
  };
  lean_queue<reply> x_replies;
  size_t x_reply_bytes = 0;

  ledger x_counts;
  sequence x_acknowledged;
  /// The client has all events up to this one.
  sequence x_safe;
  bool x_resumable = false;
  /// Stanzas went out since the client was asked for `<a/>`.
  bool x_unasked = false;
  /// The client asked; so much was told it.
  bool x_asked_for_h = false;
  uint32_t x_told_h = 0;
  /// `<resumed/>` has not gone out; what follows it waits.
  bool x_resuming = false;
  std::string x_delayed;
  std::string x_previous;
  /// Null: `<resumed/>` stands alone.
  std::unique_ptr<const resumed_frame> x_around_resumed;

  std::string x_names;
  uint64_t x_next_name = 0;
  /// One for all who are told the same; null: of nothing yet.
  std::shared_ptr<const client_policies> x_policies;
  /// `presence.sharing` and `presence.sharing_override`.
  bool x_policy_shares = true;
  bool x_policy_overridden = false;
  /// The user's own word on it.
  sharing x_sharing = sharing::by_default;
  bool x_privacy_asked = false;
  /// Null if no rule of the user's blocks a domain; else its rules, and whom
  /// it allows.
  std::unique_ptr<const parley::privacy> x_domain_rules;

  availability x_own;
  std::set<address> x_directed;
  /// Who is available to this client, as far as it is told.
  std::map<address, shared<presence_notice>> x_present;
  /// The same before a reset; gone, if nothing is heard of them by then.
  std::map<address, shared<presence_notice>> x_stale;
  steady_time x_stale_until{};
  /// Nobody looks at the client: presence waits, typing is nothing.
  bool x_inactive = false;
  /// Whose presence has changed since.
  std::set<address> x_changed;

  /// The client wants pushes of its roster.
  bool x_interested = false;
  /// The session tells of changes.
  bool x_listing = false;
  /// Since then the client has heard of changes, or should have.
  roster_version x_listed;
  /// Whether the client has heard of those that came while it was away.
  enum class catching_up : uint8_t { done, asked, refused };
  catching_up x_catching_up = catching_up::done;
  /// The last question of that, and what was acknowledged when it was asked.
  request_number x_catch_up;
  sequence x_safe_then;
  /// While it has not: up to then it has.
  roster_version x_complete;
  /// Up to which version the list is known here; nothing before it was listed.
  std::optional<roster_version> x_heard;
  std::map<user_address, known_contact> x_contacts;
  std::map<user_address, own_end> x_ended;
  /// Null before it was asked for.
  std::optional<std::vector<user_address>> x_blocked;
  /// The client wants pushes of its block list.
  bool x_wants_blocked = false;
  /// It was told the list since there was last room in its output.
  bool x_told_blocked = false;
  /// About the block list, until it is known, and a change of it is done.
  lean_queue<block_question> x_about_blocked;
  size_t x_about_blocked_bytes = 0;
  bool x_blocking = false;
  following x_following;
};

} // namespace parley::xmpp
