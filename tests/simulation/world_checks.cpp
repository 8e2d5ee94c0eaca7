#include "tests/simulation/world.hpp"

#include <algorithm>
#include <utility>

#include "protocol/defaults.hpp"
#include "tests/actors/engine/halves.hpp"
#include "tests/simulation/presence_model.hpp"

// What has to be true, all along, at each start and in the end.
namespace parley::test {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds minute = 60s;
constexpr size_t longest_body = 20'000;

} // namespace

/// Bytes that wait for a client: what is sent ahead and one event more, beside
/// what has no number.
void world::check_bounds() {
  constexpr auto max = front::output_ahead + longest_body
    + defaults::tight_read_bytes + defaults::stranger_output_max;
  for (auto& w : x_wires)
    if (w->server && !w->server->is_closing()
      && w->server->output_waiting() > max)
      throw broken(
        "bounds", std::to_string(w->server->output_waiting()) + " bytes wait");
  for (const auto& who : x_users)
    if (auto ims = x_server->db->ims(who, im_order{}, SIZE_MAX))
      check_limit(
        who, "IMs that wait", waiting(who, *ims), &policy::im_offline_max);
}

uint64_t world::waiting(
  const user_address& who, const std::vector<stored_im>& there) {
  return static_cast<uint64_t>(
    std::count_if(there.begin(), there.end(), [&](const stored_im& x) {
      const auto* known =
        x_letters.find(x.message->from.user, x.message->id, who);
      return !x_letters.disk_has_refused || !known || known->safe.empty();
    }));
}

// -- at each start

void world::check_start() {
  check_settings();
  check_accounts();
  check_promises();
  check_limits();
  for (auto& d : x_devices) {
    if (x_accounts[owner_of(d->index())].has_ended)
      continue;
    auto there = read(x_server->db->roster(d->self().user)).head.version;
    if (d->answered_version > there || d->screen.version > there)
      throw broken("contacts are kept",
        d->self().str() + " knows a version that is not on disk");
  }
  remember_limits();
}

void world::check_settings() {
  for (const auto& s : settings_table()) {
    auto now = s.value(x_server->rules);
    auto i = x_perhaps.find(std::string{s.name});
    bool may_be = now == s.value(x_rules);
    if (i != x_perhaps.end())
      for (const auto& text : i->second) {
        policy x;
        may_be |= s.assign(x, text) && s.value(x) == now;
      }
    if (!may_be)
      throw broken("settings are kept",
        std::string{s.name} + " is " + now + ", not " + s.value(x_rules));
  }
  x_rules = x_server->rules;
  x_perhaps.clear();
}

/// What was promised is at an endpoint or on disk.
void world::check_promises() {
  std::map<user_address, std::set<std::pair<std::string, std::string>>> stored;
  for (const auto& who : x_users)
    for (const auto& x : read(x_server->db->ims(who, im_order{}, SIZE_MAX)))
      stored[who].insert({x.message->from.user.str(), x.message->id.value});
  for (const auto& x : x_letters.all())
    if (x.is_promised() && x.safe.empty() && !x.is_void
      && !stored[x.to].contains({x.from.str(), x.id.value}))
      throw broken(x.outcome + " is true",
        "'" + x.id.value + "' from " + x.from.str() + " to " + x.to.str()
          + " is at no endpoint and not on disk");
}

/// Beyond a limit is only who was so before it came.
void world::check_limit(const user_address& who, const char* what, uint64_t n,
  uint64_t policy::*limit) {
  auto before = x_before.find({who, what});
  if (n > x_widest.*limit && (before == x_before.end() || n > before->second))
    throw broken(
      "limits", who.str() + " has " + std::to_string(n) + ' ' + what);
  if (before != x_before.end())
    before->second = std::min(before->second, n);
}

void world::check_limits() {
  for (const auto& who : x_users) {
    auto ims = read(x_server->db->ims(who, im_order{}, SIZE_MAX));
    check_limit(
      who, "IMs that wait", waiting(who, ims), &policy::im_offline_max);
    auto roster = read(x_server->db->roster(who));
    uint64_t listed = 0;
    uint64_t watchers = 0;
    uint64_t asking = 0;
    for (const auto& item : roster.items) {
      listed += item.what.listed;
      bool watches =
        item.pretended || item.what.subscription.from == half::active;
      watchers += watches;
      asking += !watches && item.what.subscription.from == half::pending;
    }
    check_limit(who, "contacts", listed, &policy::contacts_max);
    check_limit(who, "watchers", watchers, &policy::watchers_max);
    if (listed != roster.head.contacts || watchers != roster.head.watchers
      || asking != roster.head.requests)
      throw broken("counts of a roster", who.str());
  }
}

/// At a start: what is there now, and under which limits it may grow.
void world::remember_limits() {
  x_before.clear();
  x_widest = x_rules;
  for (const auto& who : x_users) {
    x_before[{who, "IMs that wait"}] =
      read(x_server->db->ims(who, im_order{}, SIZE_MAX)).size();
    auto head = read(x_server->db->roster(who)).head;
    x_before[{who, "contacts"}] = head.contacts;
    x_before[{who, "watchers"}] = head.watchers;
  }
}

std::vector<session_info> world::sessions_there() {
  std::vector<session_info> all;
  for (size_t i = 0; i < simulated_server::workers; ++i) {
    auto x =
      x_server->ask<router_report>(x_server->router_at(i), report_atom::value);
    quiesce();
    if (!*x)
      throw broken("rest", "a router does not answer");
    const auto& some = (**x).sessions;
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

void world::check_sessions() {
  std::map<user_address, uint64_t> sessions;
  for (const auto& s : sessions_there())
    ++sessions[s.self.user];
  for (const auto& [who, n] : sessions)
    check_limit(who, "endpoints", n, &policy::session_endpoints_max);
}

// -- in the end

/// All may come in and speak. A disk that has just been mended may refuse for a
/// while yet: RocksDB recovers from a fault in its own time.
void world::lift_limits() {
  for (int left = 100;; --left) {
    bool all = true;
    for (const std::string name : {"session.endpoints_max", "im.rate"}) {
      const auto* row = find_setting(name);
      if (row->value(x_rules) == row->value(policy{})
        && !x_perhaps.contains(name))
        continue;
      all = false;
      set(name, row->value(policy{}));
    }
    advance(2s);
    collect_answers();
    if (!x_settings.empty())
      throw broken("settings are answered", x_settings[0].name);
    if (all)
      return;
    if (left == 0)
      throw broken("settings", "they are refused for good");
  }
}

/// Everybody is there and takes everything.
void world::gather() {
  mend_network();
  mend_disk();
  // A change that is under way keeps others of that setting out.
  quiesce();
  collect_answers();
  check_sessions();
  for (auto& d : x_devices) {
    d->prompt = true;
    d->acknowledge();
    d->set_window({50, 4'000'000});
  }
  lift_limits();
  bring_accounts_back();
  // Once more for those whose sign-out was under way.
  for (int round = 0; round < 2; ++round) {
    bring_everybody_in();
    // Who comes back wants no more than it did.
    for (auto& d : x_devices) {
      d->set_window({50, 4'000'000});
      d->show_itself({show::available, "", 0});
    }
    advance(2s);
  }
}

void world::bring_everybody_in() {
  // Who failed too often has to wait for a turn.
  for (auto waited = 0s;; waited += 1s) {
    bool all = true;
    for (auto& d : x_devices) {
      all &= d->is_in();
      if (!d->is_connected())
        connect(*d, device::way::back);
    }
    if (all)
      return;
    if (waited > 1'000s)
      throw broken("sign-in", "somebody does not get in any more");
    advance(1s);
  }
}

void world::end(uint64_t chance) {
  x_chance = chance;
  random().seed(chance);
  x_tale.tell("-- all comes to an end");
  gather();
  check_ims_at_end();
  check_counts_at_rest();
  check_limits();
  // Some leave, some hide: what others see of them is looked at.
  for (auto& d : x_devices)
    if (below(3) == 0)
      d->sign_out();
    else if (below(2) == 0)
      d->show_itself(some_presence(static_cast<uint16_t>(below(64))));
  advance(2 * minute + 2s);
  check_presence();
  check_nothing_left(chance % 8 == 0);
  if (chance % 4 == 1) {
    stop();
    check_presence();
  }
}

void world::check_ims_at_end() {
  for (auto waited = 0s; waited < 120s; waited += 2s) {
    if (std::all_of(x_devices.begin(), x_devices.end(),
          [](const auto& d) { return d->is_idle(); }))
      break;
    advance(2s);
  }
  advance(milliseconds{x_rules.im_grace_ms} + 1s);
  for (auto& d : x_devices)
    if (!d->is_idle())
      throw broken("one answer",
        d->self().str() + " waits for " + std::to_string(d->under_way())
          + " answers" + (d->is_in() ? "" : ", and is not in"));
  for (auto& x : x_letters.all()) {
    if (x.outcome.empty())
      throw broken("one outcome", "'" + x.id.value + "' has none");
    if (x.is_promised() && x.safe.empty() && !x.is_void)
      throw broken(x.outcome + " is true",
        "'" + x.id.value + "' from " + x.from.str() + " to " + x.to.str()
          + " came to nobody");
  }
  check_drained();
  x_letters.check_orders(x_stage.names);
}

/// Removals that the disk refused are tried again ever more rarely.
void world::check_drained() {
  constexpr auto patience = defaults::removal_retry_max + 2s;
  for (auto waited = milliseconds{};; waited += 2s) {
    std::string left;
    for (const auto& who : x_users)
      for (const auto& x : read(x_server->db->ims(who, im_order{}, 1)))
        left = "'" + x.message->id.value + "' still lies on the disk for "
          + who.str() + ", who has everything";
    if (left.empty())
      return;
    if (waited > patience)
      throw broken("drained", left);
    advance(2s);
  }
}

void world::check_counts_at_rest() {
  auto rules = x_server->in_force();
  quiesce();
  collect_answers();
  if (!*rules || ***rules != x_rules)
    throw broken("settings are in force", "others than were set");
  for (size_t i = 0; i < simulated_server::workers; ++i) {
    auto x =
      x_server->ask<router_counts>(x_server->router_at(i), count_atom::value);
    quiesce();
    if (!*x)
      throw broken("rest", "a router does not answer");
    auto& n = **x;
    if (n.pending_ims + n.pending_bytes + n.unwritten > 0)
      throw broken("nothing is left",
        std::to_string(n.pending_ims) + " IMs without outcome, "
          + std::to_string(n.unwritten) + " operations without answer");
  }
}

void world::check_presence() {
  presence_model model{*x_server->db, x_rules, {}};
  for (const auto& s : sessions_there())
    model.there[s.self.user][s.self.endpoint.str()] = s.what.show;
  for (const auto& wrong : disagreements(*x_server->db, x_users))
    throw broken("both halves agree", wrong);
  if (auto n = open_notes(*x_server->db))
    throw broken("both halves agree", std::to_string(n) + " notes are open");
  for (auto& d : x_devices) {
    if (!d->is_in())
      continue;
    if (auto there = model.there[d->self().user].find(d->self().endpoint.str());
        there == model.there[d->self().user].end()
        || there->second != d->shown().show)
      throw broken("presence is taken", d->self().str());
    if (auto wrong = model.wrong_list(d->self().user, d->screen);
        !wrong.empty())
      throw broken("contact lists converge", d->self().str() + ' ' + wrong);
    for (const auto& whom : x_users)
      if (auto wrong = model.wrong_sight(d->self(), d->screen, whom);
          !wrong.empty())
        throw broken("presence converges", wrong);
  }
}

void world::check_nothing_left(bool for_long) {
  for (auto& d : x_devices)
    if (d->is_in())
      d->sign_out();
  advance(3s);
  for (auto& d : x_devices)
    if (d->has_session())
      throw broken("sign-out", d->self().str() + " still has a session");
  // Ids are remembered for a while, and with them their users.
  if (for_long)
    advance(defaults::delivered_memory + defaults::cleaning_interval + 6s);
  for (size_t i = 0; i < simulated_server::workers; ++i) {
    auto x =
      x_server->ask<router_counts>(x_server->router_at(i), count_atom::value);
    quiesce();
    auto& n = **x;
    if (n.presence.subscriptions + n.presence.rosters + n.connected
        + n.suspended
      > 0)
      throw broken("nothing is left",
        std::to_string(n.presence.subscriptions) + " subscriptions, "
          + std::to_string(n.presence.rosters) + " rosters, "
          + std::to_string(n.connected + n.suspended) + " sessions");
    if (for_long && n.users > 0)
      throw broken(
        "nothing is left", std::to_string(n.users) + " users are known still");
  }
  if (auto held = x_server->budget->total(); for_long && held > 0) {
    std::string kinds;
    for (size_t i = 0; i < held_kinds; ++i)
      if (auto n = x_server->budget->by_kind()[i]; n > 0)
        kinds += ", " + std::to_string(n) + " for "
          + std::string{to_string(static_cast<held_for>(i))};
    throw broken(
      "memory is given back", std::to_string(held) + " bytes" + kinds);
  }
}

} // namespace parley::test
