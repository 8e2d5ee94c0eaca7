#include <algorithm>

#include "tests/actors/router/world_user.hpp"

// What the store does in a world, and what is compared after each step.
namespace parley::test {

using write_kind = fake_store::write::kind;

bool world::write(user& u, bool fails) {
  if (u.store.writes.empty() && u.store.notices.empty())
    return false;
  if (u.store.notices.empty())
    u.store.apply(fails);
  return notify(u);
}

bool world::notify(user& u) {
  if (u.store.notices.empty())
    return false;
  auto w = std::move(u.store.notices.front());
  u.store.notices.pop_front();
  if (w.what == write_kind::remove) {
    u.in->removed(w.order, now(), x_rules);
    return true;
  }
  if (w.what == write_kind::remove_account)
    return true;
  auto* x = u.rules.find_im(w.order.value);
  failure why;
  if (w.failed)
    why = failure{errc::store_failed};
  if (x && x->waits) {
    if (w.failed) {
      u.ends(*x, outcome::kind::rejected);
      x->removal_asked = true; // never on disk
    } else {
      x->where = model_im::place::disk;
      u.expect(*x, outcome::kind::stored);
    }
  }
  u.in->committed(w.order, why, now(), x_rules);
  return true;
}

bool world::read_now(user& u, int which) {
  if (which >= static_cast<int>(u.store.reads.size()))
    return false;
  auto& r = u.store.reads[which];
  r.read_so_far = u.store.take(r, x_how.exact_pages);
  return true;
}

bool world::answer(user& u, int which, bool fails) {
  if (which >= static_cast<int>(u.store.reads.size()))
    return false;
  auto r = std::move(u.store.reads[which]);
  u.store.reads.erase(u.store.reads.begin() + which);
  if (fails) {
    u.stalled.insert(r.for_whom.value);
    r.read_so_far = {};
  }
  u.in->page_read(r.for_whom, r.from, std::move(r.read_so_far.ims),
    r.read_so_far.complete, now(), x_rules);
  return true;
}

bool world::expire(user& u, int which) {
  im_order order = u.seen_on_disk;
  if (which == 0) {
    if (u.store.disk.empty())
      return false;
    order = u.store.disk.begin()->first;
    u.seen_on_disk = std::prev(u.store.disk.end())->first;
  } else if (order == im_order{}) {
    return false;
  }
  auto* x = u.rules.find_im(order.value);
  if (x && x->waits && x->where == model_im::place::disk) {
    u.reads_more |= !x->held();
    u.ends(*x, std::nullopt);
    if (!u.in->expire(order, now(), x_rules))
      blame(u, "did not expire what was there");
    return true;
  }
  if (which != 0)
    u.inexact = u.reads_more = true;
  if (u.in->expire(order, now(), x_rules) && which == 0)
    blame(u, "expired what was not to expire");
  return true;
}

bool world::remove_account(user& u) {
  for (auto& x : u.rules.ims)
    if (x.waits) {
      u.ends(x, outcome::kind::rejected);
      x.removal_asked = true;
    }
  for (auto& c : u.rules.choices)
    c.session = 0;
  u.in->clear();
  u.store.writes.push_back({write_kind::remove_account, {}, {}, false});
  auto ended = u.rules.endpoints;
  for (const auto& e : ended) {
    u.rules.leave(e.session);
    u.in->leave({e.session}, now(), x_rules);
  }
  u.ghosts.clear();
  u.seen_on_disk = {};
  return true;
}

bool world::forget(user& u) {
  if (!u.in->is_idle() || !u.store.writes.empty() || !u.store.notices.empty())
    return false;
  bool loses =
    std::any_of(u.rules.ims.begin(), u.rules.ims.end(), [](const model_im& x) {
      return x.waits && (x.held() || x.where != model_im::place::disk);
    });
  if (loses || !u.store.reads.empty())
    blame(u, "calls itself idle with something in memory");
  std::erase_if(u.rules.ims, [](const model_im& x) { return !x.waits; });
  for (auto& c : u.rules.choices)
    c.session = 0;
  u.ghosts.clear();
  u.watches.clear();
  u.running.clear();
  u.seen_on_disk = {};
  u.inexact = u.reads_more = false;
  user_head head;
  head.exists = true;
  head.stored = u.store.disk.size();
  if (!u.store.disk.empty())
    head.last = std::prev(u.store.disk.end())->first;
  u.last_order = head.last.value;
  u.in = std::make_unique<inbox>(user_name(u.rules.self), u);
  u.in->load(head);
  return true;
}

void world::check(user& u) {
  if (!u.probed.empty())
    blame(u, "probed without reason");
  uint64_t in_memory = 0;
  for (const auto& x : u.rules.ims) {
    bool on_disk_alone = x.where == model_im::place::disk && !x.held();
    in_memory += x.waits && !on_disk_alone;
    if (!x.waits && x.where != model_im::place::memory && !x.removal_asked)
      blame(u, "left on disk");
    if (!x.waits || x.where != model_im::place::memory)
      continue;
    if (!u.rules.has_connected_target(x))
      blame(u, "not stored although no connected target is there");
    if (!u.running.contains({x.order, 0}))
      blame(u, "in memory alone without a grace time");
  }
  for (const auto& e : u.rules.endpoints)
    check_copies(u, e);
  for (size_t p = 0; p < x_users.size(); ++p) {
    int peer = static_cast<int>(p);
    auto due =
      u.rules.choice_over(peer, x_steady_ms) ? 0 : u.rules.choice(peer);
    if (u.in->chosen(user_name(peer), now(), x_rules).value != due)
      blame(u, "chose otherwise");
  }
  if (x_how.types)
    check_typing(u);
  bool exact = u.store.reads.empty();
  if (u.in->in_memory() < in_memory
    || (exact && u.in->in_memory() != in_memory))
    blame(u, "holds more or less in memory than it should");
  if (!u.inexact && u.in->waiting() != u.rules.waiting())
    blame(u, "counts wrongly what waits");
}

/// Typing notices go where an IM would go.
void world::check_typing(user& u) {
  for (int from = 0; from < static_cast<int>(x_users.size()); ++from) {
    if (u.rules.choices[from].session != 0
      && u.rules.choice_over(from, x_steady_ms))
      continue; // over, but not noticed yet
    for (int to = no_endpoint; to < endpoints_per_user; ++to) {
      model_im x;
      x.order = UINT64_MAX;
      x.from_user = from;
      x.to = to;
      std::vector<session_id> due;
      for (const auto& e : u.rules.endpoints)
        if (e.connected && u.rules.is_target(x, e))
          due.push_back({e.session});
      address from_address{user_name(from), endpoint_of(0)};
      address to_address{user_name(u.rules.self), endpoint_of(to)};
      if (u.in->targets(from_address, to_address, now(), x_rules) != due)
        blame(u, "typing goes elsewhere than IMs");
    }
  }
}

void world::check_copies(user& u, const model_endpoint& e) {
  const auto* real = u.in->find(session_id{e.session});
  if (!real || real->connected != e.connected
    || real->held_messages != u.rules.held_messages(e.session)
    || real->held_bytes != u.rules.held_bytes(e.session)) {
    blame(u, "wrong about what an endpoint holds");
    return;
  }
  if (!e.connected)
    return;
  for (const auto& x : u.rules.ims)
    if (const auto* c = x.copy_of(e.session);
        c && x.waits && c->late && !u.running.contains({x.order, e.session}))
      blame(u, "handed out without a grace time");
  const auto* next = u.rules.next_for(e);
  if (!next || !u.rules.has_room(e, next->bytes)
    || u.stalled.contains(e.session))
    return;
  bool reading = std::any_of(u.store.reads.begin(), u.store.reads.end(),
    [&e](const auto& r) { return r.for_whom.value == e.session; });
  if (!reading)
    blame(u, "lets a target with room starve");
}

void world::finish() {
  using kind = happening::kind;
  auto all = [this](kind what, int arg) {
    bool any = false;
    for (int i = 0; i < static_cast<int>(x_users.size()); ++i)
      for (int n = 0; n < endpoints_per_user; ++n)
        any |= happen({what, i, n, arg});
    return any;
  };
  auto once = [this](kind what) {
    bool any = false;
    for (int i = 0; i < static_cast<int>(x_users.size()); ++i)
      any |= happen({what, i, 0, 0});
    return any;
  };
  all(kind::sign_in, 0);
  all(kind::resume, 0);
  all(kind::show, 0);
  all(kind::priority, 0);
  all(kind::window, 3);
  once(kind::sweep);
  constexpr int enough = 10'000;
  int rounds = 0;
  bool busy = true;
  while (busy && ++rounds < enough) {
    busy = once(kind::write);
    busy |= once(kind::read_now);
    busy |= once(kind::answer);
    busy |= all(kind::acknowledge, 0);
  }
  if (rounds == enough)
    blame(at(0), "never comes to rest");
  all(kind::sign_out, 0);
  while (once(kind::answer)) {
  }
  once(kind::idle);
  once(kind::sweep);
  for (auto& u : x_users) {
    for (const auto& x : u->rules.ims)
      if (x.waits || x.outcomes != 1)
        blame(*u, "an IM was lost, or has two outcomes");
    if (!u->store.disk.empty())
      blame(*u, "something is left on disk");
    if (!u->in->is_idle())
      blame(*u, "is not idle when all is over");
  }
}

std::string to_string(const happening& x) {
  static const char* const names[] = {"sign_in", "sign_out", "suspend",
    "resume", "show", "priority", "window", "copies", "send", "send_large",
    "send_broadcast", "send_payload", "send_private", "acknowledge",
    "acknowledge_late", "grace", "write", "apply", "notify", "read_now",
    "answer", "fail_read", "idle", "sweep", "expire", "remove_account",
    "forget", "stop"};
  return user_name(x.user).str() + "/" + endpoint_of(x.endpoint).str() + " "
    + names[static_cast<int>(x.what)] + " " + std::to_string(x.arg);
}

} // namespace parley::test
