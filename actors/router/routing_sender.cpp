#include "actors/router/routing_state.hpp"

#include <algorithm>

#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

// A shard as that of the sender: remembered ids, checks, outcomes.
namespace parley {

using std::chrono::milliseconds;

void routing::expect(session_id session, const send_im& what) const noexcept {
  auto* u = of_session(session);
  if (u && !what.to.empty())
    u->sent.prefetch(retry_hash(u->in.user(), what.message->id, what.to.user));
}

void routing::submit(
  session_id session, request_number number, send_im what, moment now) {
  begin(now);
  if (auto* u = of_session(session))
    submit_one(*u, session, what.message, what.to, waiter{session, number},
      {false, what.strict, what.copies}, now);
}

bool routing::submit(session_id session, request_number number, broadcast what,
  size_t& room, moment now) {
  if (!of_session(session))
    return true;
  begun_broadcast b;
  b.number = number;
  b.message = std::move(what.message);
  b.copies = what.copies;
  b.texts = std::move(what.to);
  uint64_t bytes = 0;
  for (const auto& text : b.texts)
    bytes += sizeof(text) + text.size();
  b.most = x_rules.im_broadcast_max;
  const auto kept = std::min(b.most, b.texts.size());
  b.outcomes.reserve(kept);
  b.recipients.reserve(kept);
  b.held =
    byte_claim{&x_broadcast_bytes, bytes + kept * sizeof(recipient_outcome)};
  b.held_to_judge =
    byte_claim{&x_broadcast_bytes, kept * sizeof(begun_broadcast::recipient)};
  x_begun.insert_or_assign(session, std::move(b));
  return go_on(session, room, now);
}

bool routing::go_on(session_id session, size_t& room, moment now) {
  begin(now);
  auto i = x_begun.find(session);
  auto* u = of_session(session);
  if (i == x_begun.end() || !u)
    return true;
  auto& b = i->second;
  const auto looks_on = [&b] {
    return !b.too_many && b.looked_at < b.texts.size();
  };
  for (; room > 0 && looks_on(); --room)
    for (size_t n = 0; n < defaults::broadcast_looks && looks_on(); ++n)
      look_at(b);
  if (looks_on())
    return false;
  if (b.id == 0 && !begin_broadcast(session, b)) {
    x_begun.erase(i);
    return true;
  }
  for (; room > 0 && b.judged < b.recipients.size(); ++b.judged, --room) {
    auto& r = b.recipients[b.judged];
    submit_one(*u, session, b.message, r.to,
      waiter{session, b.number, b.id, r.index}, {true, false, b.copies}, now);
  }
  if (b.judged < b.recipients.size())
    return false;
  x_begun.erase(i);
  return true;
}

void routing::look_at(begun_broadcast& b) {
  auto& text = b.texts[b.looked_at++];
  auto to = address::parse(text);
  auto [seen, is_new] = b.seen.insert(to ? to->user.str() : text);
  if (!is_new)
    return;
  b.too_many = b.recipients.size() == b.most;
  if (b.too_many)
    return;
  // The name stands in the address, too.
  b.held_to_judge.grow(defaults::seen_recipient_bytes + 2 * seen->size());
  auto index = static_cast<uint32_t>(b.outcomes.size());
  b.outcomes.push_back({std::move(text), {}});
  b.recipients.push_back({to ? std::move(*to) : address{}, index});
}

/// False if it is answered already.
bool routing::begin_broadcast(session_id session, begun_broadcast& b) {
  b.seen.clear();
  if (b.too_many) {
    failure f{errc::too_many_recipients};
    f.limit = b.most;
    f.value = b.most + 1; // at least
    ++x_counters.too_many_recipients;
    x_fx.tell(session, answer_event(b.number, std::move(f)));
    return false;
  }
  if (b.recipients.empty()) {
    x_fx.tell(session, answer_event(b.number, broadcast_outcomes{}));
    return false;
  }
  b.id = x_next_broadcast++;
  x_broadcasts.emplace(b.id,
    broadcast_state{session, b.number, std::move(b.outcomes),
      b.recipients.size(), std::move(b.held)});
  return true;
}

void routing::submit_one(user& sender, session_id session,
  const shared<im>& message, const address& to, waiter who, manner how,
  moment now) {
  auto hash = retry_hash(sender.in.user(), message->id, to.user);
  // Salted: nobody can aim at another's ticket.
  auto ticket = hash ^ sender.salt;
  x_trace.submitted(*message, hash, ticket, session, sender.in.user(), to.user);
  if (to.empty()) {
    if (auto f = refusal_of(*message))
      reject(who, hash, std::move(*f));
    else
      reject(who, hash, failure{errc::bad_address});
    return;
  }
  auto content = content_hash(*message);
  if (auto known = sender.sent.find(hash)) {
    ++x_counters.retries;
    if (known->same_content(content)) {
      x_trace.answered_again(hash);
      answer(who, outcome{known->what(), {}});
    } else {
      reject(who, hash, failure{errc::id_conflict});
    }
    return;
  }
  auto [i, is_new] = x_pending.try_emplace(ticket);
  auto& p = i->second;
  if (!is_new) {
    if (p.content != content) {
      reject(who, hash, failure{errc::id_conflict});
      return;
    }
    ++x_counters.retries;
    if (std::find(p.waiters.begin(), p.waiters.end(), who) == p.waiters.end())
      p.waiters.push_back(who);
    return;
  }
  p.sender = &sender;
  p.message = message;
  p.to = to;
  p.content = content;
  p.of_broadcast = how.of_broadcast;
  p.strict = how.strict;
  p.copies = how.copies;
  p.waiters.push_back(who);
  ++sender.pending;
  x_pending_bytes += content_bytes(*message);
  if (x_ids_on_disk.may_contain(hash)) {
    p.asking = true;
    x_fx.find_id(retry_key{sender.in.user(), message->id, to.user}, ticket);
  }
  // What comes behind one that waits waits too: order is the sender's.
  if (p.asking || !sender.line.empty()) {
    p.in_line = true;
    sender.line.push_back(ticket);
    return;
  }
  judge(session, ticket, p, now);
}

void routing::pass_lines(size_t& room, moment now) {
  begin(now);
  for (auto n = x_lines.size(); n > 0 && room > 0; --n) {
    auto& u = *x_lines.front();
    x_lines.pop_front();
    u.line_goes_on = false;
    advance(u, room, now);
  }
}

/// Those of broadcasts for which there is no room are judged by pass_lines:
/// many may stand in line.
void routing::advance(user& sender, size_t& room, moment now) {
  while (!sender.line.empty()) {
    auto ticket = sender.line.front();
    auto i = x_pending.find(ticket);
    if (i != x_pending.end() && i->second.asking)
      return;
    const bool is_judged = i != x_pending.end() && i->second.in_line;
    if (is_judged && i->second.of_broadcast) {
      if (room == 0) {
        if (!std::exchange(sender.line_goes_on, true))
          x_lines.push_back(&sender);
        return;
      }
      --room;
    }
    sender.line.pop_front();
    if (!is_judged)
      continue;
    i->second.in_line = false;
    ++sender.pending; // stays, whatever becomes of this one
    judge(i->second.waiters.front().session, ticket, i->second, now);
    --sender.pending;
  }
}

void routing::id_found(
  uint64_t ticket, const result<std::optional<stored_id>>& found, moment now) {
  begin(now);
  auto i = x_pending.find(ticket);
  if (i == x_pending.end() || !i->second.asking)
    return;
  auto& p = i->second;
  auto& sender = *p.sender;
  p.asking = false;
  if (!found) {
    // Whatever is wrong with the disk: it may have been stored.
    finish(ticket,
      outcome{outcome::kind::rejected,
        failure{errc::store_unavailable, found.error().text}},
      now);
  } else if (found->has_value()) {
    ++x_counters.retries;
    bool same = (*found)->content_hash == p.content;
    finish(ticket,
      same ? outcome{outcome::kind::stored, {}}
           : outcome{outcome::kind::rejected, failure{errc::id_conflict}},
      now);
  }
  size_t room = 0;
  advance(sender, room, now);
}

std::optional<failure> routing::refusal_of(const im& message) const {
  auto bytes = content_bytes(message);
  if (bytes <= x_rules.im_body_max)
    return std::nullopt;
  failure f{errc::too_large};
  f.limit = x_rules.im_body_max;
  f.value = bytes;
  return f;
}

void routing::judge(
  session_id session, uint64_t ticket, pending& p, moment now) {
  auto f = refusal_of(*p.message);
  if (!f && !x_rules.im_enabled)
    f = failure{errc::im_disabled};
  if (!f && x_stopping)
    f = refused_by_stop().why;
  if (f)
    finish(ticket, outcome{outcome::kind::rejected, std::move(*f)}, now);
  else
    pass_on(session, ticket, p, now);
}

void routing::pass_on(
  session_id session, uint64_t ticket, pending& p, moment now) {
  auto& sender = *p.sender;
  sender.in.touch(p.to.user, now);
  routed_im x;
  x.from = origin{slot_of(sender.in.user()), ticket};
  x.message = p.message;
  x.to = p.to;
  x.of_broadcast = p.of_broadcast;
  x.strict = p.strict;
  x.copies = p.copies;
  // A thousand of one broadcast would be too many.
  x.sender_copies = p.copies && !p.of_broadcast && p.to.user != sender.in.user()
    && std::any_of(sender.in.endpoints().begin(), sender.in.endpoints().end(),
      [](const inbox::endpoint& e) { return e.copies; });
  x.over_rate = over_rate(sender, now);
  auto slot = slot_of(x.to.user);
  bool here = x_owns(slot);
  if (!p.of_broadcast && !p.message->body.empty()) {
    // Of two replies the last one wins, also while the choice that the first
    // one makes is under way.
    auto is_rival = [&](const user::choosing& c) {
      return c.session != session && c.peer == p.to.user;
    };
    if (sender.in.would_choose(session, p.to.user, now, x_rules)
      || std::any_of(sender.choices.begin(), sender.choices.end(), is_rival)) {
      x.chooses = session;
      x.releases =
        sender.in.find(session) ? sender.in.find(session)->releases : 0;
      if (!here) {
        p.chooses = true;
        sender.choices.push_back({ticket, session, p.to.user});
      }
    }
  }
  if (here)
    receive(std::move(x), now);
  else
    x_fx.forward(slot, std::move(x));
}

std::optional<milliseconds> routing::over_rate(user& sender, moment now) {
  if (x_rules.im_rate == unlimited)
    return std::nullopt;
  auto rate = static_cast<double>(x_rules.im_rate);
  auto since =
    std::chrono::duration<double>(now.steady - sender.tokens_at).count();
  sender.tokens = sender.tokens_at.time_since_epoch().count() == 0
    ? rate
    : std::min(rate, sender.tokens + since * rate);
  sender.tokens_at = now.steady;
  if (sender.tokens >= 1) {
    sender.tokens -= 1;
    return std::nullopt;
  }
  return milliseconds{
    static_cast<int64_t>((1 - sender.tokens) / rate * 1'000) + 1};
}

void routing::finish(uint64_t ticket, const outcome& what, moment now) {
  auto i = x_pending.find(ticket);
  if (i == x_pending.end())
    return;
  auto hash = ticket ^ i->second.sender->salt;
  i->second.sender->sent.prefetch(hash);
  auto p = std::move(i->second);
  x_pending.erase(i);
  x_trace.outcome_of(hash, what);
  x_pending_bytes -= content_bytes(*p.message);
  --p.sender->pending;
  if (p.chooses)
    std::erase_if(p.sender->choices,
      [ticket](const user::choosing& c) { return c.ticket == ticket; });
  if (what.what != outcome::kind::rejected && !p.forget)
    remember(*p.sender, hash, p.content, what.what, now);
  if (what.what == outcome::kind::stored && !p.forget)
    x_ids_on_disk.insert(hash);
  for (const auto& w : p.waiters)
    answer(w, what);
}

/// The more ids there are, the fewer each sender may have.
void routing::remember(user& sender, uint64_t hash, uint64_t content,
  outcome::kind what, moment now) {
  auto free =
    x_remembered_max - std::min<size_t>(x_remembered_max, x_remembered);
  auto room = std::max(
    defaults::remembered_ids_floor, free / defaults::budget_holder_share);
  auto forgotten = sender.sent.insert(hash, content, what, now.steady, room);
  x_counters.ids_forgotten += forgotten;
  x_remembered += 1 - forgotten;
}

void routing::answer(const waiter& who, const outcome& what) {
  switch (what.what) {
  case outcome::kind::delivered:
    ++x_counters.delivered;
    break;
  case outcome::kind::stored:
    ++x_counters.stored;
    break;
  case outcome::kind::rejected:
    x_counters.count_rejected(what.why.code);
    break;
  }
  if (who.broadcast == 0) {
    x_fx.tell(who.session, answer_event(who.number, what));
    return;
  }
  auto i = x_broadcasts.find(who.broadcast);
  if (i == x_broadcasts.end())
    return;
  auto& b = i->second;
  b.outcomes[who.index].what = what;
  if (--b.open > 0)
    return;
  x_fx.tell(b.session,
    answer_event(b.number, broadcast_outcomes{std::move(b.outcomes)}));
  x_broadcasts.erase(i);
}

void routing::reject(const waiter& who, uint64_t hash, failure why) {
  outcome what{outcome::kind::rejected, std::move(why)};
  x_trace.outcome_of(hash, what);
  answer(who, what);
}

void routing::type(session_id session, const address& to, moment now) {
  begin(now);
  auto* u = of_session(session);
  if (!u || to.empty() || !x_rules.im_enabled)
    return;
  auto* e = u->in.find(session);
  if (!e)
    return;
  routed_typing x{address{u->in.user(), e->name}, to};
  auto slot = slot_of(to.user);
  if (x_owns(slot))
    receive(x, now);
  else
    x_fx.forward(slot, std::move(x));
}

void routing::receive(const routed_outcome& what, moment now) {
  begin(now);
  finish(what.ticket, what.what, now);
}

void routing::receive(const routed_choice& what, moment now) {
  begin(now);
  auto* u = find(what.user);
  if (!u)
    return;
  if (what.session != session_id{})
    u->in.choose(what.session, what.releases, what.peer, now, x_rules);
  if (what.copies)
    copy_to_others(*u, what.ticket);
}

void routing::copy_to_others(const user& sender, uint64_t ticket) {
  auto i = x_pending.find(ticket);
  if (i == x_pending.end())
    return; // its outcome was given meanwhile, for want of patience
  const auto& p = i->second;
  for (const auto& e : sender.in.endpoints())
    if (e.copies && e.what.show != show::unavailable
      && e.name != p.message->from.endpoint)
      x_fx.tell(e.session,
        event{incoming_im{p.message, p.to, false, incoming_im::copy::sent}});
}

void routing::receive(const routed_receipt& what) {
  auto* u = find(what.to.user);
  auto* e = u ? u->in.find(what.to.endpoint) : nullptr;
  if (e)
    x_fx.tell(e->session, what.what);
}

} // namespace parley
