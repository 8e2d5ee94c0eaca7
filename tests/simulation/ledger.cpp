#include "tests/simulation/ledger.hpp"

#include <algorithm>

namespace parley::test {

namespace {

/// Judged before anybody is handed anything.
bool never_taken(const std::string& reason) {
  static const std::set<std::string> some{"id_conflict", "too_large",
    "bad_address", "im_disabled", "no_such_user", "refused", "rate_limited",
    "recipient_offline", "quota_exceeded", "too_many_recipients",
    "server_stopping"};
  return some.contains(reason);
}

std::string name_of(const letter& x) {
  return "'" + x.id.value + "' from " + x.from.str() + " to " + x.to.str();
}

} // namespace

letter& ledger::write(message_id id, user_address from, user_address to,
  std::string body, bool bare, bool receipts) {
  auto& x = x_letters.emplace_back();
  x.id = std::move(id);
  x.from = std::move(from);
  x.to = std::move(to);
  x.body = std::move(body);
  x.bare = bare;
  x.receipts = receipts;
  x.written = now;
  x.is_void = x.may_repeat =
    x_changing.contains(x.from) || x_changing.contains(x.to);
  x_by_key[{x.from.str(), x.id.value, x.to.empty() ? "" : x.to.str()}] = &x;
  return x;
}

letter* ledger::find(
  const user_address& from, const message_id& id, const user_address& to) {
  auto i = x_by_key.find({from.str(), id.value, to.str()});
  return i == x_by_key.end() ? nullptr : i->second;
}

void ledger::attempted(letter& x, uint64_t session, uint64_t place) {
  ++x.attempts;
  ++x.open;
  x.tried_in = x_lives;
  x.session = session;
  x.place = place;
}

void ledger::sent_back(letter& x) {
  --x.attempts;
  --x.open;
}

void ledger::unanswered(letter& x) {
  --x.open;
  x.may_repeat |= disk_has_refused;
}

void ledger::settled(letter& x, const std::string& what, bool altered) {
  --x.open;
  bool promise = what == "delivered" || what == "stored";
  if (altered) {
    // With the sender's account goes what is known of its ids.
    if (promise && !x.is_void)
      throw broken(
        "id conflict", name_of(x) + " with another content is " + what);
    return;
  }
  // It cannot join what has another content, as long as that is judged.
  bool meets_altered = x.was_altered && what == "id_conflict";
  if (x.outcome == "stored" && !promise && !x.is_void && !meets_altered
    && what != "store_unavailable" && what != "server_stopping")
    throw broken("one outcome", name_of(x) + " was stored, and then " + what);
  if (x.outcome == "delivered" && !promise && x.lives_by_then == x_lives
    && !x.is_void && what != "server_stopping")
    throw broken(
      "one outcome", name_of(x) + " was delivered, and then " + what);
  if (what == "delivered" && x.safe.empty() && !x.is_void)
    throw broken("delivered is true",
      name_of(x) + " is delivered, and nobody has acknowledged it");
  if (never_taken(what) && x.attempts == 1 && !x.had.empty() && !x.is_void)
    throw broken(
      "rejected is true", name_of(x) + " is " + what + ", and somebody has it");
  x.may_repeat |= what == "store_failed";
  if (x.is_promised())
    return;
  x.outcome = what;
  x.settled_at = x_turn;
  x.lives_by_then = x_lives;
  x.kills_by_then = x_kills;
}

letter& ledger::arrived(size_t device, uint64_t session, uint64_t asked_at,
  const im& what, const user_address& self) {
  auto* x = find(what.from.user, what.id, self);
  if (!x)
    throw broken("nothing from nowhere",
      "'" + what.id.value + "' from " + what.from.str() + " came to "
        + self.str() + ", and nobody sent it");
  if (what.body != x->body && !x->is_void)
    throw broken("unaltered", name_of(*x) + " came with another body");
  if (x->attempts == 1 && never_taken(x->outcome) && !x->is_void)
    throw broken(
      "rejected is true", name_of(*x) + " was " + x->outcome + ", and comes");
  if (x->ended_at > 0 && x->attempts == x->ended_attempts
    && asked_at > x->ended_at)
    throw broken("a later account starts empty",
      name_of(*x) + " was for the one before, and comes");
  auto [i, is_first] = x_copies.try_emplace({device, x});
  auto& before = i->second;
  bool remembered =
    !x->may_repeat && before.kills == x_kills && x->tried_in <= before.lives;
  if (!is_first && remembered
    && (before.session == session || before.confirmed))
    throw broken("once", name_of(*x) + " came again");
  if (x->outcome == "delivered" && !x->may_repeat && x->kills_by_then == x_kills
    && x->tried_in <= x->lives_by_then && asked_at > x->settled_at)
    throw broken(
      "once", name_of(*x) + " was delivered before this session was asked for");
  before = {session, false, x_lives, x_kills};
  x->had.insert(device);
  if (!is_first || !x->bare || x->attempts != 1)
    return *x;
  // Somebody had it, and a kill made the server forget that: it comes late.
  if (!x->safe.empty() && x->kills_when_safe < x_kills)
    return *x;
  auto& order = x_orders[{device, x->from.str()}];
  for (const auto* y : order)
    if (y->session == x->session && y->place > x->place && y->attempts == 1)
      throw broken("order", name_of(*x) + " came after '" + y->id.value + "'");
  order.push_back(x);
  return *x;
}

void ledger::acknowledged(size_t device, letter& x) {
  if (x.safe.empty())
    x.kills_when_safe = x_kills;
  x.safe.insert(device);
}

void ledger::confirmed(size_t device, letter& x) {
  if (auto i = x_copies.find({device, &x});
      i != x_copies.end() && i->second.kills == x_kills)
    i->second.confirmed = true;
}

void ledger::got_receipt(const user_address& sender, const receipt& what,
  const std::vector<address>& devices) {
  if (what.what != receipt::kind::delivered)
    return;
  auto* x = find(sender, what.id, what.endpoint.user);
  auto at = std::find(devices.begin(), devices.end(), what.endpoint);
  if (!x || at == devices.end()
    || !x->safe.contains(static_cast<size_t>(at - devices.begin())))
    throw broken(
      "receipts are true", "'" + what.id.value + "' at " + what.endpoint.str());
}

void ledger::account_changes(const user_address& who, bool is_there) {
  if (is_there)
    x_changing.erase(who);
  else
    x_changing.insert(who);
  for (auto& x : x_letters)
    if (x.from == who || x.to == who)
      x.is_void = x.may_repeat = true;
}

void ledger::account_ended(const user_address& who) {
  for (auto& x : x_letters)
    if (x.to == who && x.is_promised() && x.open == 0) {
      x.ended_at = x_turn;
      x.ended_attempts = x.attempts;
    }
}

void ledger::may_expire(std::chrono::milliseconds ttl) {
  for (auto& x : x_letters)
    x.is_void |= now - x.written >= ttl;
}

void ledger::check_orders(const std::vector<address>& devices) const {
  for (const auto& [one, xs] : x_orders) {
    // What somebody sends to oneself comes back to the sending endpoint once
    // no other one is left, late as it may be.
    if (one.second == devices[one.first].user.str())
      continue;
    for (const auto& [other, ys] : x_orders) {
      if (other <= one || one.second != other.second
        || devices[one.first].user != devices[other.first].user)
        continue;
      size_t last = 0;
      for (const auto* x : xs) {
        auto at = std::find(ys.begin(), ys.end(), x);
        if (at == ys.end() || x->attempts != 1)
          continue;
        auto n = static_cast<size_t>(at - ys.begin());
        if (n < last)
          throw broken("order",
            name_of(*x) + " came to " + devices[one.first].str() + " and "
              + devices[other.first].str() + " in different orders");
        last = n;
      }
    }
  }
}

} // namespace parley::test
