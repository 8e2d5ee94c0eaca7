#include "actors/roster/presentity.hpp"

#include <algorithm>

namespace parley {

namespace {

/// How much of a line a show is; greater rules.
int weight(show x) noexcept {
  switch (x) {
  case show::dnd:
    return 5;
  case show::chat:
    return 4;
  case show::available:
    return 3;
  case show::away:
    return 2;
  case show::xa:
    return 1;
  case show::unavailable:
  case show::unknown:
    break;
  }
  return 0;
}

const shared<presence_notice>* find(
  const std::vector<shared<presence_notice>>& xs, const address& who) {
  auto i = std::find_if(
    xs.begin(), xs.end(), [&who](const auto& x) { return x->from == who; });
  return i == xs.end() ? nullptr : &*i;
}

shared<presence_notice> gone(const presence_notice& x, show composed,
  const std::string& status, const availability* farewell = nullptr) {
  presence_notice n;
  n.from = x.from;
  if (farewell) {
    n.what.status = farewell->status;
    n.what.extension = farewell->extension;
  }
  n.what.show = show::unavailable;
  n.composed = composed;
  n.composed_status = status;
  return shared<presence_notice>{std::move(n)};
}

} // namespace

availability compose(std::span<const endpoint_presence> endpoints) {
  const availability* best = nullptr;
  for (const auto& e : endpoints) {
    if (e.what.show == show::unavailable)
      continue;
    if (!best || weight(e.what.show) > weight(best->show)
      || (weight(e.what.show) == weight(best->show)
        && e.what.priority > best->priority))
      best = &e.what;
  }
  availability x;
  x.show = best ? best->show : show::unavailable;
  if (best)
    x.status = best->status;
  return x;
}

presentity make_presentity(const user_address& who, uint64_t version,
  std::span<const endpoint_presence> now, const presentity& before) {
  auto line = compose(now);
  presentity x;
  x.who = who;
  x.version = version;
  x.endpoints.reserve(now.size());
  for (const auto& e : now) {
    if (e.what.show == show::unavailable)
      continue;
    presence_notice n{address{who, e.name}, e.what, line.show, line.status};
    auto* old = find(before.endpoints, n.from);
    if (old && **old == n)
      x.endpoints.push_back(*old);
    else
      x.endpoints.emplace_back(std::move(n));
  }
  for (const auto& old : before.endpoints) {
    if (find(x.endpoints, old->from))
      continue;
    auto words = std::find_if(now.begin(), now.end(),
      [&old](const auto& e) { return e.name == old->from.endpoint; });
    x.left.push_back(gone(*old, line.show, line.status,
      words == now.end() ? nullptr : &words->what));
  }
  return x;
}

std::vector<shared<presence_notice>> difference(
  const presentity* before, const presentity& after) {
  std::vector<shared<presence_notice>> xs;
  bool was_unknown = before && before->unknown;
  if (after.unknown) {
    if (!was_unknown)
      xs.push_back(bare_notice(after.who, show::unknown));
    return xs;
  }
  if (before)
    for (const auto& old : before->endpoints) {
      if (find(after.endpoints, old->from))
        continue;
      auto* told = find(after.left, old->from);
      if (told) {
        xs.push_back(*told);
        continue;
      }
      if (after.endpoints.empty()) {
        xs.push_back(gone(*old, show::unavailable, {}));
      } else {
        const auto& line = *after.endpoints.back();
        xs.push_back(gone(*old, line.composed, line.composed_status));
      }
    }
  for (const auto& e : after.endpoints) {
    auto* old = before ? find(before->endpoints, e->from) : nullptr;
    // A composed line alone is no news: who changed it is told of as well.
    if (!old || (!(*old == e) && (*old)->what != e->what))
      xs.push_back(e);
  }
  if (xs.empty() && after.endpoints.empty() && was_unknown)
    xs.push_back(bare_notice(after.who, show::unavailable));
  return xs;
}

shared<presence_notice> bare_notice(const user_address& who, show what) {
  presence_notice n;
  n.from.user = who;
  n.what.show = what;
  n.composed = what;
  return shared<presence_notice>{std::move(n)};
}

} // namespace parley
