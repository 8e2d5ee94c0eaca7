#include <algorithm>

#include "actors/router/inbox.hpp"
#include "protocol/defaults.hpp"

// How an inbox hands out: from memory as long as nothing older may be on disk
// alone, else page by page.
namespace parley {

namespace {

constexpr im_order end_of_time{UINT64_MAX};

} // namespace

void inbox::hand_out(endpoint& e, waiting_im& w, incoming_im::copy copied) {
  bool late = w.order != x_accepting;
  w.holders.push_back({e.session, late});
  if (!e.left_out.empty())
    std::erase(e.left_out, w.order);
  if (late && e.connected)
    x_fx.watch_grace(x_user, w.order, e.session);
  ++e.held_messages;
  e.held_bytes += content_bytes(*w.message);
  x_fx.hand_out(e.session,
    delivery{w.order,
      incoming_im{w.message, address{x_user, w.to},
        w.where == waiting_im::place::disk, copied, w.of_broadcast}});
}

void inbox::hand_out_copies(waiting_im& w, const route& r) {
  const auto& from = w.message->from;
  for (auto& e : x_endpoints)
    if (e.copies && e.what.show != show::unavailable && !r.reaches(e)
      && !(from.user == x_user && from.endpoint == e.name)
      && e.has_room(content_bytes(*w.message)) && has_all_before(e, w))
      hand_out(e, w, incoming_im::copy::received);
}

bool inbox::has_all_before(const endpoint& e, const waiting_im& w) noexcept {
  if (!w.to.empty())
    return true;
  // What is on disk alone may be of any conversation.
  if (disk_holds({}))
    return false;
  return std::none_of(x_log.begin(), x_log.end(), [&](waiting_im& older) {
    return !older.gone && older.order < w.order && older.to.empty()
      && older.message->from.user == w.message->from.user
      && !older.held_by(e.session);
  });
}

bool inbox::pass(endpoint& e, waiting_im& w, const route& r) {
  if (r.reaches(e)) {
    auto bytes = content_bytes(*w.message);
    if (!e.has_room(bytes)) {
      e.cursor = w.order;
      e.blocked = true;
      e.needs = bytes;
      return false;
    }
    hand_out(e, w);
  }
  e.cursor = after(w.order);
  return true;
}

bool inbox::hand_out_upto(endpoint& e, im_order last) {
  last_choice known;
  for (auto i = x_log.from(e.cursor); i != x_log.end() && i->order <= last; ++i)
    if (!i->gone && !i->held_by(e.session) && !pass(e, *i, route_of(*i, known)))
      return false;
  e.cursor = after(last == end_of_time ? x_last : last);
  return true;
}

bool inbox::disk_holds(im_order from) const noexcept {
  return (x_disk_only > 0 || x_disk_doubt) && from <= x_disk_last;
}

void inbox::pump(endpoint& e) {
  if (e.reading || e.what.show == show::unavailable)
    return;
  if (e.blocked && !e.has_room(e.needs))
    return;
  e.blocked = false;
  if (!disk_holds(e.cursor)) {
    hand_out_upto(e, end_of_time);
    return;
  }
  if (!e.connected || e.held_messages >= e.granted.messages)
    return;
  e.reading = true;
  ++x_reads;
  x_fx.read_page(x_user, e.session, e.cursor,
    std::min<size_t>(
      defaults::drain_page, e.granted.messages - e.held_messages));
}

void inbox::offer_again() {
  for (auto& e : x_endpoints) {
    e.cursor = {};
    e.blocked = false;
    pump(e);
  }
}

void inbox::look_again() {
  x_unblocked = false;
  x_read_failed = false;
  for (auto& e : x_endpoints) {
    e.blocked = false;
    pump(e);
  }
}

void inbox::page_read(session_id for_whom, im_order from,
  std::vector<stored_im> page, bool complete, moment, const policy&) {
  --x_reads;
  auto last = complete ? end_of_time
    : page.empty()     ? im_order{}
                       : page.back().order;
  if (complete && from == im_order{}) {
    x_disk_only = 0; // all of it comes into memory now
    x_disk_last = {};
    x_disk_doubt = false;
  }
  for (auto& s : page) {
    auto i = x_log.from(s.order);
    bool is_here = i != x_log.end() && i->order == s.order && !i->gone;
    if (is_here || s.order <= x_cleared || has_departed(s.order))
      continue;
    auto& w = x_log.add(s.order);
    w.message = std::move(s.message);
    w.to = std::move(s.to.endpoint);
    w.where = waiting_im::place::disk;
    w.settled = true;
    if (x_disk_only > 0)
      --x_disk_only;
  }
  if (x_reads == 0)
    std::erase_if(x_departed, [](const auto& x) { return x.confirmed; });
  auto* e = find_endpoint(for_whom);
  bool goes_on = false;
  if (e && e->reading) {
    e->reading = false;
    // Not if it was sent back to before the page meanwhile.
    bool usable = from <= e->cursor && last != im_order{};
    if (usable && e->cursor <= last)
      goes_on = hand_out_upto(*e, last);
    else
      goes_on = usable || from > e->cursor;
  }
  x_read_failed |= last == im_order{};
  // First, lest a long walk gathers all of the disk in memory.
  trim();
  if (goes_on)
    pump(*e);
}

bool inbox::has_departed(im_order order) const noexcept {
  return std::any_of(x_departed.begin(), x_departed.end(),
    [order](const auto& x) { return x.order == order; });
}

void inbox::trim() {
  if (x_reads > 0)
    return;
  for (auto& w : x_log)
    if (!w.gone && w.where == waiting_im::place::disk && w.holders.empty())
      evict(w);
  x_log.compact();
}

void inbox::evict(waiting_im& w) {
  x_disk_last = std::max(x_disk_last, w.order);
  ++x_disk_only;
  x_log.erase(w);
}

} // namespace parley
