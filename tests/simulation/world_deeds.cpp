#include "tests/simulation/world.hpp"

#include <algorithm>
#include <utility>

#include "protocol/defaults.hpp"

// What happens, deed by deed.
namespace parley::test {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view elsewhere = "@example.net";

/// Values that settings are given: those that are met soon, and back.
struct choice {
  std::string_view name;
  std::array<std::string_view, 3> values;
};
constexpr choice choices[] = {
  {"contacts.max", {"200", "2", "3"}},
  {"watchers.max", {"200", "1", "2"}},
  {"im.body_max", {"32768", "40", "32768"}},
  {"im.offline_max", {"1000", "2", "6"}},
  {"im.store_offline", {"on", "off", "on"}},
  {"im.enabled", {"on", "off", "on"}},
  {"im.grace", {"2 s", "500 ms", "5 s"}},
  {"im.idle_release", {"600 s", "5 s", "unlimited"}},
  {"im.rate", {"unlimited", "2", "unlimited"}},
  {"im.broadcast_max", {"1000", "2", "1000"}},
  {"presence.sharing", {"on", "off", "on"}},
  {"presence.sharing_override", {"off", "on", "off"}},
  {"presence.auto_approve", {"on", "off", "on"}},
  {"presence.adhoc", {"on", "off", "on"}},
  {"presence.adhoc_max", {"unlimited", "1", "2"}},
  {"presence.adhoc_ttl", {"4080 s", "5 s", "30 s"}},
  {"session.endpoints_max", {"10", "1", "2"}},
  {"session.resume_window", {"60 s", "0", "5 s"}},
  {"session.buffer", {"100", "5", "9"}},
  {"session.heartbeat", {"60 s", "5 s", "20 s"}},
};

/// The greater of both, of what bounds something.
void widen(policy& x, const policy& y) {
  for (auto field :
    {&policy::contacts_max, &policy::watchers_max, &policy::im_offline_max,
      &policy::presence_adhoc_max, &policy::session_endpoints_max})
    x.*field = std::max(x.*field, y.*field);
}

} // namespace

void world::happen(const happening& x) {
  x_chance = x.chance;
  random().seed(x.chance);
  x_tale.tell("-- " + in_words(x));
  if (x.what <= deed::change_privacy)
    do_device(x);
  else if (x.what <= deed::stall)
    do_network(x);
  else
    do_server(x);
  run(x.turns);
  if (x_disk.files().is_off())
    kill();
  collect_answers();
  check_bounds();
}

// -- devices

void world::do_device(const happening& x) {
  auto& d = *x_devices[x.who];
  const auto& whom = user(x.whom);
  switch (x.what) {
  case deed::come:
    if (!d.is_connected())
      connect(d, device::way::back);
    break;
  case deed::come_anew:
    connect(d, device::way::anew);
    break;
  case deed::come_by_old_token:
    if (d.has_old_token())
      connect(d, device::way::by_old_token);
    break;
  case deed::leave:
    d.leave();
    break;
  case deed::sign_out:
    if (d.is_in())
      d.sign_out();
    break;
  case deed::send:
    send(d, x.whom, x.amount);
    break;
  case deed::send_again:
    send_again(d, x.amount, false);
    break;
  case deed::send_altered:
    send_again(d, x.amount, true);
    break;
  case deed::broadcast:
    broadcast(d, x.amount);
    break;
  case deed::show:
    d.show_itself(some_presence(x.amount));
    break;
  case deed::type:
    d.type_to(whom);
    break;
  case deed::acknowledge:
    d.acknowledge();
    break;
  case deed::turn_prompt:
    d.prompt = true;
    d.acknowledge();
    break;
  case deed::turn_silent:
    d.prompt = false;
    break;
  case deed::stop_reading:
    d.stops_reading = true;
    break;
  case deed::read_on:
    d.stops_reading = false;
    break;
  case deed::change_window:
    d.set_window(x.amount % 4 == 0 ? window{}
        : x.amount % 4 == 1        ? window{1 + x.amount % 7u, 100'000}
                                   : window{50, 4'000'000});
    break;
  case deed::ask_contacts:
    ask_contacts(d, whom, x.amount);
    break;
  case deed::watch:
    d.ask(watch{whom, x.amount % 6 == 0 ? 0u : 1u + x.amount % 180u});
    break;
  default:
    change_privacy(d, x.amount);
  }
}

void world::send(device& d, size_t to, uint16_t how) {
  const auto& whom = user(to);
  std::string body = "to " + whom.str();
  bool receipts = how % 5 == 0;
  switch (how / 8 % 16) {
  case 0:
    d.send("nobody@example.org",
      user_address::from_prepared("nobody@example.org"), body, true, receipts);
    break;
  case 1:
    d.send("no address", {}, body, true, receipts);
    break;
  case 2:
    d.send(
      whom.str(), whom, body + std::string(how % 20'000, '.'), true, receipts);
    break;
  case 3:
  case 4: {
    auto endpoint = device_name(how % devices_there);
    d.send(
      whom.str() + '/' + std::string{endpoint}, whom, body, false, receipts);
    break;
  }
  default:
    d.send(whom.str(), whom, body, true, receipts);
  }
}

void world::send_again(device& d, uint16_t which, bool altered) {
  std::vector<letter*> own;
  for (auto& x : x_letters.all()) {
    bool known = altered ? x.outcome == "stored" : !x.outcome.empty();
    // A conflict is certain only for what is remembered for long.
    if (x.from == d.self().user && !x.to.empty() && x.bare && known
      && !x.is_void && x.open == 0)
      own.push_back(&x);
  }
  if (!own.empty())
    d.send_again(*own[which % own.size()], altered);
}

void world::broadcast(device& d, uint16_t how) {
  std::vector<user_address> to;
  for (size_t i = 0; i < users_there; ++i)
    if (how >> i & 1)
      to.push_back(user(i));
  if (to.empty())
    return;
  if (how & 16)
    to.push_back(to.front());
  if (how & 32)
    to.push_back(user_address::from_prepared("nobody@example.org"));
  d.broadcast_to(to, "to all");
}

availability world::some_presence(uint16_t how) {
  constexpr show shows[] = {show::available, show::available, show::available,
    show::away, show::dnd, show::chat, show::xa, show::unavailable};
  auto priority = static_cast<int8_t>(how / 8 % 7 == 0 ? -1 : how / 8 % 3);
  return {shows[how % 8], how % 3 == 0 ? "busy" : "", priority};
}

void world::ask_contacts(device& d, const user_address& whom, uint16_t how) {
  auto stranger = 'x' + std::to_string(how / 16 % 4) + std::string{elsewhere};
  switch (how % 12) {
  case 0:
  case 1:
  case 2:
  case 3:
    d.ask(subscribe{whom});
    break;
  case 4:
    d.ask(unsubscribe{whom});
    break;
  case 5:
  case 6:
    d.ask(approve{whom});
    break;
  case 7:
    d.ask(deny{whom});
    break;
  case 8:
    d.ask(add_contacts{{{whom.str(), std::to_string(how / 16 % 9), {}}}});
    break;
  case 9:
    d.ask(add_contacts{{{stranger, "", {"far"}}, {whom.str(), "", {}},
      {"nobody@example.org", "", {}}}});
    break;
  default:
    d.ask(remove_contacts{{how % 2 ? whom.str() : stranger}});
  }
}

void world::change_privacy(device& d, uint16_t how) {
  set_privacy x;
  std::vector<user_address> some;
  for (size_t i = 0; i < users_there; ++i)
    if (how >> (4 + 2 * i) & 1 && how >> (5 + 2 * i) & 1)
      some.push_back(user(i));
  std::sort(some.begin(), some.end());
  switch (how % 4) {
  case 0:
    x.approve = how & 8 ? approval::ask : approval::allow;
    break;
  case 1:
    x.sharing = how & 8 ? sharing::by_default
      : how & 16        ? sharing::on
                        : sharing::off;
    break;
  case 2:
    x.allow = some;
    break;
  default:
    x.block = some;
  }
  d.ask(std::move(x));
}

// -- the network

void world::do_network(const happening& x) {
  auto* w = x_devices[x.who]->line();
  if (!w || w->broken)
    return;
  if (x.what == deed::cut) {
    break_off(*w, x.amount % 3 == 0);
    return;
  }
  auto& way = x.amount & 1 ? w->up : w->down;
  if (x.what == deed::cut_after_bytes)
    way.fuse = 1 + x.amount / 2 % (x.amount & 2 ? 40 : 400);
  else
    way.stalled_until = x_stage.now + milliseconds{x.amount % 8'000};
}

void world::mend_network() {
  for (auto& w : x_wires)
    for (auto* way : {&w->up, &w->down}) {
      way->fuse = UINT64_MAX;
      way->stalled_until = {};
    }
  for (auto& d : x_devices)
    d->stops_reading = false;
}

// -- the server

void world::do_server(const happening& x) {
  switch (x.what) {
  case deed::change_setting:
    change_setting(x.amount);
    break;
  case deed::hold_writes:
    x_server->hold_writes(true);
    break;
  case deed::let_writes_go:
    x_server->hold_writes(false);
    break;
  case deed::disk_fails:
    fail_disk(x.amount);
    break;
  case deed::disk_mends:
    x_disk.files().refuse_writes(lossy_fs::fault::none);
    break;
  case deed::kill:
    kill();
    break;
  case deed::power_fails:
    x_disk.files().power_off_after(x.amount % 24);
    break;
  case deed::stop:
    stop();
    break;
  case deed::kick:
    for (size_t i = 0; i < simulated_server::workers; ++i)
      x_server->ask<uint64_t>(
        x_server->router_at(i), kick_atom::value, address{user(x.whom), {}});
    break;
  case deed::remove_account:
    remove_account(x.whom);
    break;
  case deed::add_accounts:
    add_accounts();
    break;
  case deed::expire:
    expire();
    break;
  case deed::wait:
    advance(milliseconds{x.amount % 4'000});
    break;
  case deed::wait_long:
    advance(milliseconds{x.amount % 2 ? 62'000 : 20'000});
    break;
  default:
    converse(x.whom, owner_of(x.who), x.amount);
  }
}

void world::fail_disk(uint16_t how) {
  constexpr lossy_fs::fault faults[] = {lossy_fs::fault::broken,
    lossy_fs::fault::unsynced, lossy_fs::fault::full, lossy_fs::fault::filling};
  x_disk.files().refuse_writes(faults[how % 4]);
  x_letters.disk_has_refused = true;
}

void world::mend_disk() {
  x_disk.files().power_off_after(UINT64_MAX);
  x_disk.files().refuse_writes(lossy_fs::fault::none);
  x_server->hold_writes(false);
}

void world::change_setting(uint16_t which) {
  const auto& c = choices[which % std::size(choices)];
  set(std::string{c.name},
    std::string{c.values[which / std::size(choices) % c.values.size()]});
}

void world::set(const std::string& name, const std::string& value) {
  // Which of two would come first nobody can say.
  if (std::any_of(x_settings.begin(), x_settings.end(),
        [&name](const auto& s) { return s.name == name; }))
    return;
  auto wide = x_rules;
  static_cast<void>(find_setting(name)->assign(wide, value));
  widen(x_widest, wide);
  x_settings.push_back({name, value, x_server->set(name, value)});
}

} // namespace parley::test
