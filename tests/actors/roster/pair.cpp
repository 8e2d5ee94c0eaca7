#include "tests/actors/roster/pair.hpp"

#include <algorithm>

namespace parley::test {

namespace {

constexpr std::string_view names[deeds] = {"subscribe", "unsubscribe",
  "approve", "deny", "remove", "add", "block", "unblock", "allow", "disallow",
  "ask by default", "default by default"};

const roster_item& item_of(const roster_disk& x, size_t side) {
  static const auto nothing = [] {
    roster_item i;
    i.what.listed = false;
    return i;
  }();
  auto i = x.items.find(one_of_pair(1 - side));
  return i == x.items.end() ? nothing : i->second;
}

std::string text_of(const roster_item& x) {
  constexpr std::string_view halves[] = {"none", "pending", "active"};
  std::string s{"to "};
  s += halves[static_cast<size_t>(x.what.subscription.to)];
  s += ", from ";
  s += halves[static_cast<size_t>(x.what.subscription.from)];
  if (x.pretended)
    s += ", pretended";
  if (x.what.listed)
    s += ", listed";
  if (x.what.preapproved)
    s += ", preapproved";
  return s + ", asked " + std::to_string(x.asked) + ", heard "
    + std::to_string(x.heard);
}

void set(roster_rules& to, parley::set_privacy what, const policy& rules) {
  to.set_privacy(session_id{1}, {}, std::move(what), rules);
}

} // namespace

std::string_view to_string(deed x) noexcept {
  return names[static_cast<size_t>(x)];
}

const user_address& one_of_pair(size_t side) {
  static const user_address both[] = {
    person("alice@example.org"), person("bob@example.org")};
  return both[side];
}

void perform(roster_rules& to, deed what, const user_address& other,
  const policy& rules, uint64_t now_us) {
  session_id me{1};
  parley::set_privacy p;
  switch (what) {
  case deed::subscribe:
    return to.subscribe(me, {}, other, rules, now_us);
  case deed::unsubscribe:
    return to.unsubscribe(me, {}, other, now_us);
  case deed::approve:
    return to.approve(me, {}, other, rules, now_us);
  case deed::deny:
    return to.deny(me, {}, other);
  case deed::remove:
    return to.remove(me, {}, {other.str()}, now_us);
  case deed::add:
    return to.add(me, {}, {{other.str(), "x", {}}}, false, rules, now_us);
  case deed::block:
    p.block.emplace({other});
    return set(to, p, rules);
  case deed::unblock:
    p.block.emplace();
    return set(to, p, rules);
  case deed::allow:
    p.allow.emplace({other});
    return set(to, p, rules);
  case deed::disallow:
    p.allow.emplace();
    return set(to, p, rules);
  case deed::ask_by_default:
    p.approve = approval::ask;
    return set(to, p, rules);
  case deed::default_by_default:
    p.approve = approval::by_default;
    return set(to, p, rules);
  }
}

failure why_not(const roster_disk& whom, bool watched, const policy& rules) {
  if (whom.head.contacts >= rules.contacts_max)
    return failure{errc::contact_list_full};
  if (watched && whom.head.watchers >= rules.watchers_max)
    return failure{errc::watcher_limit};
  return {};
}

std::optional<std::string> disagreement(
  const roster_disk& watcher, const roster_disk& presentity, size_t watching) {
  const auto& w = item_of(watcher, watching);
  const auto& p = item_of(presentity, 1 - watching);
  auto to = w.what.subscription.to;
  auto from = p.pretended ? half::active : p.what.subscription.from;
  if (to == from)
    return std::nullopt;
  return one_of_pair(watching).str() + " has it that " + text_of(w)
    + "; the other that " + text_of(p);
}

policy pair_state::rules() const {
  policy x;
  x.presence_auto_approve = auto_approve;
  return x;
}

std::string pair_state::key() const {
  std::vector<uint64_t> numbers;
  auto each_number = [&](auto&& f) {
    for (size_t side = 0; side < 2; ++side) {
      const auto& i = item_of(disks[side], side);
      f(i.asked);
      f(i.heard);
      for (const auto& [_, n] : disks[side].notes)
        f(n.number);
      for (const auto& m : net[side])
        f(m.note.number);
    }
  };
  each_number([&](uint64_t n) { numbers.push_back(n); });
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  std::string s;
  auto put = [&s](auto x) { s.push_back(static_cast<char>(x)); };
  put(auto_approve);
  bool has_zero = !numbers.empty() && numbers.front() == 0;
  each_number([&](uint64_t n) {
    auto at = std::lower_bound(numbers.begin(), numbers.end(), n);
    put((at - numbers.begin()) + (has_zero ? 0 : 1));
  });
  for (size_t side = 0; side < 2; ++side) {
    const auto& i = item_of(disks[side], side);
    const auto& p = disks[side].head.privacy;
    put(i.what.listed | i.what.preapproved << 1 | i.pretended << 2
      | !p.block.empty() << 4 | !p.allow.empty() << 5);
    put(p.approve);
    put(i.what.subscription.to);
    put(i.what.subscription.from);
    put(i.what.name.size());
    for (const auto& [_, n] : disks[side].notes)
      put(n.what);
    put(0x7f);
    for (const auto& m : net[side])
      put(static_cast<size_t>(m.note.what) << 1 | m.confirms);
    put(0x7f);
  }
  return s;
}

std::optional<std::string> pair_state::run(
  size_t side, const std::function<void(roster_rules&)>& act) {
  auto& disk = disks[side];
  auto before = item_of(disk, side);
  const auto& other = one_of_pair(1 - side);
  recorder fx;
  roster_rules r{one_of_pair(side), 0, fx};
  r.load(disk.read());
  act(r);
  auto x = fx.take();
  while (true) {
    for (const auto& w : x.writes)
      disk.apply(one_of_pair(side), w);
    for (auto& n : x.notes)
      net[1 - side].push_back({false, n});
    for (auto& n : x.confirmed)
      net[1 - side].push_back({true, n});
    if (x.checks.empty())
      break;
    auto check = x.checks.front();
    r.checked(check.ticket, {why_not(disks[1 - side], check.watched, rules())},
      rules(), now);
    x = fx.take();
  }
  const auto& after = item_of(disk, side);
  if (counted(r) != counts(r.head()))
    return "the head's counts are wrong";
  if (!disk.holds(r.items()) || r.head() != disk.head)
    return "what is on disk is not what is known";
  bool saw = before.what.subscription.to == half::active;
  bool sees = after.what.subscription.to == half::active;
  auto told = x.watches;
  if (saw == sees ? !told.empty() : told != decltype(told){{other, sees}})
    return "is told wrongly whom it sees";
  return std::nullopt;
}

std::optional<std::string> pair_state::perform(size_t side, deed what) {
  ++now;
  return run(side, [&](roster_rules& r) {
    test::perform(r, what, one_of_pair(1 - side), rules(), now);
  });
}

std::optional<std::string> pair_state::turn_auto_approval() {
  auto_approve = !auto_approve;
  for (size_t side = 0; side < 2; ++side)
    if (auto w = run(side, [&](roster_rules& r) { r.review(rules()); }))
      return w;
  return std::nullopt;
}

std::optional<std::string> pair_state::deliver(
  size_t side, size_t place, bool again) {
  auto m = net[side].at(place);
  if (!again)
    net[side].erase(net[side].begin() + static_cast<ptrdiff_t>(place));
  ++now;
  if (m.confirms) {
    disks[side].apply(one_of_pair(side), remove_note{m.note});
    return std::nullopt;
  }
  return run(side, [&](roster_rules& r) { r.receive(m.note, rules(), now); });
}

void pair_state::crash() {
  for (size_t side = 0; side < 2; ++side) {
    net[1 - side].clear();
    for (const auto& [_, n] : disks[side].notes)
      net[1 - side].push_back({false, n});
  }
}

std::optional<std::string> pair_state::meet() {
  for (size_t side = 0; side < 2; ++side) {
    // Where one side is shown to the other, or wants to see it.
    const auto mine = item_of(disks[side], side);
    ++now;
    if (mine.what.subscription.to == half::active)
      if (auto w = run(1 - side,
            [&](roster_rules& r) { r.admit(one_of_pair(side), mine.asked); }))
        return w;
    if (mine.what.subscription.from == half::active || mine.pretended)
      if (auto w = run(1 - side,
            [&](roster_rules& r) { r.expects(one_of_pair(side), now); }))
        return w;
  }
  return std::nullopt;
}

std::optional<std::string> pair_state::settle() {
  while (!is_quiet())
    for (size_t side = 0; side < 2; ++side)
      if (!net[side].empty())
        if (auto w = deliver(side, 0, false))
          return w;
  return std::nullopt;
}

std::optional<std::string> pair_state::wrong_for_good(bool approves) const {
  auto x = *this;
  auto meet_and_settle = [&x]() {
    auto w = x.meet();
    return w ? w : x.settle();
  };
  if (auto w = meet_and_settle())
    return w;
  for (size_t side = 0; side < 2; ++side) {
    auto from = item_of(x.disks[side], side).what.subscription.from;
    auto to = item_of(x.disks[1 - side], 1 - side).what.subscription.to;
    if (from != half::pending || to != half::none)
      continue;
    if (auto w = x.perform(side, approves ? deed::approve : deed::deny))
      return w;
    if (auto w = x.settle())
      return w;
  }
  if (auto w = meet_and_settle())
    return w;
  return x.wrong();
}

std::optional<std::string> pair_state::wrong() const {
  for (size_t side = 0; side < 2; ++side) {
    if (!disks[side].notes.empty())
      return "a note is never confirmed: "
        + test::text_of(disks[side].notes.begin()->second);
    if (auto w = disagreement(disks[side], disks[1 - side], side))
      return w;
  }
  return std::nullopt;
}

std::string pair_state::text() const {
  std::string s;
  for (size_t side = 0; side < 2; ++side) {
    s += "\n  " + one_of_pair(side).str() + ": "
      + text_of(item_of(disks[side], side));
    for (const auto& [_, n] : disks[side].notes)
      s += "\n    keeps " + test::text_of(n);
    for (const auto& m : net[side])
      s += std::string{"\n    will get "} + (m.confirms ? "word of " : "")
        + test::text_of(m.note);
  }
  return s;
}

} // namespace parley::test
