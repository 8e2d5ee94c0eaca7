#include "tests/simulation/world.hpp"

#include <algorithm>
#include <utility>

#include "actors/launcher/stop_defaults.hpp"
#include "protocol/defaults.hpp"

namespace parley::test {

using namespace std::chrono_literals;

namespace {

/// Beyond this it is taken for running in a circle.
constexpr size_t turns_until_rest = 200'000;

constexpr std::pair<const char*, const char*> narrow_limits[] = {
  {"contacts.max", "2"}, {"watchers.max", "1"}, {"im.offline_max", "3"},
  {"session.endpoints_max", "1"}};

} // namespace

world::world(uint64_t chance, bool in_words) : x_tale(in_words) {
  // Two on each of the server's workers.
  std::array<std::vector<user_address>, simulated_server::workers> found;
  for (int i = 0; x_users.size() < users_there; ++i) {
    auto who =
      user_address::from_prepared('u' + std::to_string(i) + "@example.org");
    auto at = slot_of(who) % found.size();
    if (at == x_users.size() % found.size())
      x_users.push_back(who);
  }
  for (size_t i = 0; i < devices_there; ++i) {
    x_stage.names.push_back({x_users[owner_of(i)],
      endpoint_name::from_prepared(std::string{device_name(i)})});
    x_devices.push_back(std::make_unique<device>(i, x_stage));
  }
  std::vector<std::pair<std::string, std::string>> narrow;
  for (const auto& [name, value] : narrow_limits) {
    if (chance % 4 == 0)
      narrow.emplace_back(name, value);
    chance /= 4;
  }
  make_store(x_disk, x_users);
  x_server = std::make_unique<simulated_server>(x_disk, 1, x_since, narrow);
  x_rules = x_widest = x_server->rules;
  x_stage.now = x_letters.now = x_server->system.now();
}

world::~world() {
  x_disk.files().refuse_writes(lossy_fs::fault::none);
}

// -- turns

bool world::turn() {
  if (x_disk.files().is_off())
    return false;
  ++x_turn;
  auto lines = x_wires.size();
  // Actors are many, connections few: each gets its share.
  bool actors_first = below(3) != 0;
  if (actors_first && x_server->system.step())
    return true;
  auto first = lines == 0 ? 0 : below(lines);
  for (size_t i = 0; i < lines; ++i)
    if (pass(*x_wires[(first + i) % lines]))
      return true;
  return !actors_first && x_server->system.step();
}

bool world::pass(wire& w) {
  if (notice_ends(w))
    return true;
  if (!w.broken && w.server && w.server->has_output()
    && w.down.bytes.size() < wire::room) {
    w.down.bytes += w.server->take(wire::room - w.down.bytes.size());
    return true;
  }
  bool up_first = below(2) == 0;
  return pass(w, up_first) || pass(w, !up_first);
}

bool world::pass(wire& w, bool up) {
  auto& way = up ? w.up : w.down;
  bool taken =
    up ? w.server && w.server->reads() : w.client && w.client->takes();
  if (way.bytes.empty() || w.broken || !taken
    || x_stage.now < way.stalled_until)
    return false;
  auto n = way.bytes.size();
  if (below(2) == 0)
    n = 1 + below(n);
  n = std::min<uint64_t>({n, way.fuse, defaults::tight_read_bytes});
  auto some = way.bytes.substr(0, n);
  way.bytes.erase(0, n);
  if (way.fuse != UINT64_MAX)
    way.fuse -= n;
  if (n > 0) {
    if (up)
      w.server->receive(some);
    else
      w.client->receive(some);
  }
  if (way.fuse == 0)
    break_off(w, below(3) == 0);
  return true;
}

/// One side hears that the other is gone.
bool world::notice_ends(wire& w) {
  bool server_gone = !w.server || w.server->is_gone();
  bool no_more =
    w.broken || server_gone || (w.server->has_finished() && !w.broken);
  if (w.client && no_more && (w.broken || w.down.bytes.empty())) {
    w.client->lost();
    w.client = nullptr;
    return true;
  }
  if (server_gone)
    return false;
  if (!w.client && !w.silent && (w.broken || w.up.bytes.empty())) {
    auto s = std::exchange(w.server, nullptr);
    s->peer_left();
    if (!s->is_gone())
      s->peer_left();
    return true;
  }
  return false;
}

void world::break_off(wire& w, bool silently) {
  w.broken = true;
  w.silent = silently;
  w.up.bytes.clear();
  w.down.bytes.clear();
}

void world::run(size_t turns) {
  for (size_t i = 0; i < turns && turn(); ++i) {
  }
}

void world::quiesce() {
  for (size_t n = 0; turn(); ++n)
    if (n > turns_until_rest)
      throw broken("rest", "it never comes:" + x_server->system.next_steps());
  std::erase_if(x_wires, [](const auto& w) {
    return !w->client && (!w->server || w->server->is_gone());
  });
}

void world::advance(milliseconds d) {
  quiesce();
  for (; d.count() > 0 && !x_disk.files().is_off();
       d -= std::min<milliseconds>(d, defaults::sweep_interval)) {
    x_server->system.advance(
      std::min<milliseconds>(d, defaults::sweep_interval));
    x_stage.now = wire::time_point{} + x_since + x_server->age();
    let_ims_expire();
    auto seconds = static_cast<uint64_t>((x_since + x_server->age()) / 1s);
    if (seconds != x_ticked_s) {
      x_ticked_s = seconds;
      for (auto& x : x_devices)
        x->tick();
    }
    quiesce();
  }
}

// -- connections

void world::connect(device& d, device::way how) {
  auto w = std::make_shared<wire>();
  w->number = ++x_next_wire;
  auto peer = "10.0.0." + std::to_string(d.index() + 1) + ':'
    + std::to_string(1'000 + w->number);
  w->server = x_server->accept(w->number % simulated_server::workers, peer);
  d.come(w, how);
  x_wires.push_back(std::move(w));
}

// -- lives of the server

void world::kill() {
  x_tale.tell("the server dies");
  x_letters.server_ended(true);
  x_disk.files().power_off();
  x_since += x_server->age() + 1s;
  for (auto& w : x_wires) {
    w->server = nullptr;
    break_off(*w, false);
  }
  collect_answers();
  x_server.reset();
  x_disk.files().refuse_writes(lossy_fs::fault::none);
  std::mt19937_64 what_survives{x_chance};
  x_disk.files().power_on(what_survives);
  start();
}

void world::start() {
  for (auto& s : x_settings)
    x_perhaps[s.name].insert(s.value);
  x_settings.clear();
  // Starting is no safer a time than any other.
  if (x_chance % 8 == 3)
    x_disk.files().power_off_after(x_chance / 8 % 80);
  try {
    x_server = std::make_unique<simulated_server>(x_disk, x_chance, x_since);
  } catch (const std::runtime_error&) {
    if (!x_disk.files().is_off())
      throw;
    x_tale.tell("the power fails while it starts");
    std::mt19937_64 what_survives{x_chance};
    x_disk.files().power_on(what_survives);
    x_server = std::make_unique<simulated_server>(x_disk, x_chance, x_since);
  }
  x_stage.now = wire::time_point{} + x_since;
  let_ims_expire();
  check_start();
}

void world::stop() {
  x_tale.tell("the server is asked to stop");
  mend_disk();
  auto answers = x_server->stop();
  auto stopped = [&answers] {
    return std::all_of(answers.begin(), answers.end(),
      [](const auto& x) { return x->has_value(); });
  };
  auto patience = defaults::stop_timeout + defaults::stop_slack;
  for (milliseconds waited{}; !stopped(); waited += 100ms) {
    if (waited > patience)
      throw broken("orderly stop", "a router does not stop in time");
    advance(100ms);
    if (x_disk.files().is_off())
      return kill();
  }
  uint64_t given_up = 0;
  for (auto& x : answers)
    given_up += (*x)->given_up;
  if (given_up > 0)
    throw broken("orderly stop",
      std::to_string(given_up)
        + " IMs were given up, though the disk is sound");
  collect_answers();
  advance(defaults::last_words_wait);
  if (x_disk.files().is_off())
    return kill();
  x_tale.tell("the server has stopped");
  x_letters.server_ended(false);
  x_since += x_server->age() + 1s;
  for (auto& w : x_wires) {
    w->server = nullptr;
    break_off(*w, false);
  }
  x_server.reset();
  if (x_chance % 2 == 0) {
    // What it has synced is all that it needs.
    std::mt19937_64 what_survives{x_chance};
    x_disk.files().power_off();
    x_disk.files().power_on(what_survives);
  }
  start();
}

void world::collect_answers() {
  std::erase_if(x_settings, [this](const wanted_setting& s) {
    if (!s.answer->has_value())
      return false;
    const auto* row = find_setting(s.name);
    if ((**s.answer).why.code == errc::none) {
      static_cast<void>(row->assign(x_rules, s.value));
      x_perhaps.erase(s.name);
    } else {
      x_perhaps[s.name].insert(s.value);
    }
    return true;
  });
  collect_accounts();
}

} // namespace parley::test
