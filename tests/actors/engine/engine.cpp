#include "tests/actors/engine/engine.hpp"

#include <algorithm>

#include "actors/store/store_reader.hpp"
#include "actors/store/store_sweeper.hpp"
#include "actors/store/store_writer.hpp"
#include "actors/types.hpp"
#include "protocol/defaults.hpp"
#include "tests/actors/engine/blind_reader.hpp"

namespace parley::test {

namespace {

using namespace std::chrono_literals;

using hold_atom = caf::atom_constant<caf::atom("hold")>;
using hold_answered_atom = caf::atom_constant<caf::atom("holdansw")>;
using let_one_atom = caf::atom_constant<caf::atom("letone")>;

struct gate_state {
  gate_state() {}
  bool held = false;
  std::vector<std::pair<shared<operations>, router_actor>> waiting;
  bool holds_answered = false;
  std::deque<std::pair<operations, caf::typed_response_promise<write_result>>>
    answered;
  uint64_t writes = 0;
  static inline const char* name = "gate";
};

using gate_actor = store_writer_actor::extend<caf::reacts_to<hold_atom, bool>,
  caf::reacts_to<hold_answered_atom, bool>, caf::reacts_to<let_one_atom>,
  caf::replies_to<count_atom>::with<uint64_t>>;
using gate_pointer = gate_actor::stateful_pointer<gate_state>;

void pass_on(gate_pointer self, const store_writer_actor& writer,
  const operations& what, caf::typed_response_promise<write_result> promise) {
  self->request(writer, caf::infinite, what)
    .then([promise](const write_result& x) mutable { promise.deliver(x); });
}

void let_one_go(gate_pointer self, const store_writer_actor& writer) {
  auto& xs = self->state.answered;
  if (xs.empty())
    return;
  auto [what, promise] = std::move(xs.front());
  xs.pop_front();
  pass_on(self, writer, what, promise);
}

/// Stands before the writer: a disk that stalls.
gate_actor::behavior_type gate(gate_pointer self, store_writer_actor writer) {
  return {
    [self, writer](const shared<operations>& what, const router_actor& who) {
      ++self->state.writes;
      if (self->state.held)
        self->state.waiting.emplace_back(what, who);
      else
        self->send(writer, what, who);
    },
    [self, writer](
      const operations& what) -> caf::typed_response_promise<write_result> {
      auto promise = self->make_response_promise<write_result>();
      ++self->state.writes;
      if (self->state.holds_answered)
        self->state.answered.emplace_back(what, promise);
      else
        pass_on(self, writer, what, promise);
      return promise;
    },
    [](commit_atom) {},
    [self, writer](hold_atom, bool on) {
      self->state.held = on;
      if (on)
        return;
      for (auto& [what, who] : self->state.waiting)
        self->send(writer, what, who);
      self->state.waiting.clear();
    },
    [self, writer](hold_answered_atom, bool on) {
      self->state.holds_answered = on;
      while (!on && !self->state.answered.empty())
        let_one_go(self, writer);
    },
    [self, writer](let_one_atom) { let_one_go(self, writer); },
    [self](count_atom) { return self->state.writes; },
  };
}

std::unique_ptr<store> open(rocksdb::Env* env) {
  store::options how;
  how.path = "/store";
  how.env = env;
  auto db = store::open(how);
  if (!db)
    throw std::runtime_error("no store: " + db.error().text);
  return std::move(*db);
}

} // namespace

wall_time made_up_world::wall_clock() {
  return wall_time{std::chrono::milliseconds{wall_clock_us() / 1'000}};
}

uint64_t made_up_world::wall_clock_us() {
  auto since = x_system.now().time_since_epoch();
  return 1'700'000'000'000'000 + static_cast<uint64_t>(x_since.count())
    + static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

std::string made_up_world::random_octets(size_t n) {
  std::string x(n, '\0');
  for (auto& c : x)
    c = static_cast<char>(x_system.random()());
  return x;
}

engine::engine(uint64_t seed, policy rules, uint64_t budget)
  : engine(seed, rules, std::make_shared<lossy_disk>(), {}, budget) {}

engine::engine(uint64_t seed, policy rules, std::shared_ptr<lossy_disk> there,
  std::chrono::microseconds since, uint64_t bytes)
  : budget(std::make_shared<memory_budget>(bytes, 2)),
    kept_disk(std::move(there)),
    disk(*kept_disk),
    db(open(disk.env())),
    system(seed, add_message_types),
    world(std::make_shared<made_up_world>(system, since)) {
  auto real =
    system.spawn(store_writer, db.get(), std::shared_ptr<commit_meter>{});
  writer = system.spawn(gate, real);
  std::vector<store_reader_actor> readers;
  for (int i = 0; i < 2; ++i)
    readers.push_back(system.spawn(
      blind_reader, system.spawn(store_reader, db.get()), cannot_read_rosters));
  auto sharing_of = std::make_shared<sharing_users>();
  user_address last;
  do {
    auto page = db->rosters(last, defaults::sweep_step);
    BOOST_REQUIRE(page);
    for (auto& x : *page)
      if (x.sharing != sharing::by_default)
        sharing_of->emplace_back(x.user, x.sharing);
  } while (!last.empty());
  auto sweeper = system.spawn(store_sweeper, db.get(), uint64_t{0});
  for (size_t i = 0; i < 2; ++i)
    routers.push_back(system.spawn(router,
      router_config{i, 2, shared<policy>{rules}, {}, writer, readers, sweeper,
        world, std::string{"example.org"}, nullptr, budget, 0, sharing_of}));
  auto all = std::make_shared<directory>();
  policy_followers followers;
  for (auto& r : routers) {
    all->routers.emplace_back(r);
    followers.routers.emplace_back(r);
  }
  for (auto& r : routers)
    caf::anon_send(r, directory_ptr{all});
  settings_of = system.spawn(settings, rules, writer, followers, world);
  settle();
}

engine::~engine() {
  disk.files().refuse_writes(lossy_fs::fault::none);
  let_writes_go();
  let_roster_writes_go();
  stop();
  x_watched.clear();
  for (auto& c : clients)
    c->go_silently();
  clients.clear();
  system.end();
}

void engine::restart(std::unique_ptr<engine>& x, policy rules) {
  auto there = x->kept_disk;
  auto since = std::chrono::microseconds{
    x->world->wall_clock_us() - 1'700'000'000'000'000};
  auto seed = x->system.seed() + 1;
  for (auto& c : x->clients)
    c->go_silently();
  there->files().power_off();
  x->x_stopped = true;
  x.reset();
  std::mt19937_64 random{seed};
  there->files().power_on(random);
  x.reset(new engine(seed, rules, std::move(there), since + 1s));
}

std::string engine::name_on(size_t router, size_t n) {
  for (size_t i = 0;; ++i) {
    auto name = "u" + std::to_string(i);
    if (slot_of(user(name)) % 2 == router && n-- == 0)
      return name;
  }
}

user_address engine::user(const std::string& name) {
  if (name.find('@') != name.npos)
    return user_address::from_prepared(name);
  return user_address::from_prepared(name + "@example.org");
}

void engine::make_account(const std::string& name) {
  auto ok = db->commit({put_account{user(name), {}}});
  BOOST_REQUIRE(ok);
  auto& r = routers[slot_of(user(name)) % 2];
  auto done = ask<done_atom>(
    router_actor{r}, add_atom::value, std::vector<user_address>{user(name)});
  settle();
  BOOST_REQUIRE(done->has_value());
}

account_removed engine::remove_account(const std::string& name) {
  auto& r = routers[slot_of(user(name)) % 2];
  audit_entry line{world->wall_clock(), "tester", "user remove", {}, {}};
  auto done =
    ask<account_removed>(router_actor{r}, remove_atom::value, user(name), line);
  settle();
  BOOST_REQUIRE(done->has_value());
  return **done;
}

simulated_client& engine::client(
  const std::string& user, const std::string& endpoint) {
  clients.push_back(std::make_unique<simulated_client>(*this, user, endpoint));
  return *clients.back();
}

simulated_client& engine::sign_in(const std::string& user,
  const std::string& endpoint, availability what, window wanted) {
  auto& c = client(user, endpoint);
  c.sign_in(what, wanted);
  settle();
  return c;
}

setting_changed engine::set(const std::string& name, const std::string& value) {
  auto answer =
    ask<setting_changed>(settings_of, name, value, std::string{"tester"});
  settle();
  BOOST_REQUIRE(answer->has_value());
  return **answer;
}

void engine::advance(std::chrono::milliseconds d) {
  constexpr std::chrono::milliseconds at_once = 500ms;
  for (; d.count() > 0; d -= std::min(d, at_once)) {
    system.advance(std::min(d, at_once));
    std::erase_if(x_watched, [](const watched& w) {
      if (!w.link->to_be_given_up)
        return false;
      caf::anon_send(
        w.session, client_lost{w.link->id(), failure{errc::timed_out}});
      return true;
    });
  }
  settle();
}

void engine::watch(
  std::shared_ptr<simulated_link> link, session_actor session) {
  x_watched.push_back({std::move(link), std::move(session)});
}

void engine::hold_writes() {
  caf::anon_send(caf::actor_cast<gate_actor>(writer), hold_atom::value, true);
  settle();
}

void engine::let_writes_go() {
  caf::anon_send(caf::actor_cast<gate_actor>(writer), hold_atom::value, false);
  settle();
}

void engine::hold_roster_writes() {
  caf::anon_send(
    caf::actor_cast<gate_actor>(writer), hold_answered_atom::value, true);
  settle();
}

void engine::let_roster_write_go() {
  caf::anon_send(caf::actor_cast<gate_actor>(writer), let_one_atom::value);
  settle();
}

void engine::let_roster_writes_go() {
  caf::anon_send(
    caf::actor_cast<gate_actor>(writer), hold_answered_atom::value, false);
  settle();
}

uint64_t engine::writes() {
  auto n =
    ask<uint64_t>(caf::actor_cast<gate_actor>(writer), count_atom::value);
  settle();
  BOOST_REQUIRE(n->has_value());
  return **n;
}

std::vector<stop_report> engine::stop() {
  std::vector<stop_report> reports;
  if (std::exchange(x_stopped, true))
    return reports;
  std::vector<std::shared_ptr<std::optional<stop_report>>> answers;
  for (auto& r : routers)
    answers.push_back(ask<stop_report>(router_actor{r}, stop_atom::value));
  system.advance(defaults::stop_timeout + 1s);
  for (auto& a : answers) {
    BOOST_TEST(a->has_value(), "a router does not stop");
    if (*a)
      reports.push_back(**a);
  }
  return reports;
}

router_report engine::report(size_t i) {
  auto x = ask<router_report>(router_actor{routers[i]}, report_atom::value);
  settle();
  BOOST_REQUIRE(x->has_value());
  return **x;
}

presence_counters engine::live_presence() {
  presence_counters sum;
  for (auto& r : routers) {
    auto x = ask<router_counts>(router_actor{r}, count_atom::value);
    settle();
    BOOST_REQUIRE(x->has_value());
    sum += (*x)->presence;
  }
  return sum;
}

limits_found engine::at_limits(const limits_wanted& wanted) {
  limits_found all;
  for (auto& r : routers) {
    auto x = ask<limits_found>(router_actor{r}, wanted);
    settle();
    BOOST_REQUIRE(x->has_value());
    for (auto who : {&limits_found::offline, &limits_found::contacts,
           &limits_found::watchers, &limits_found::endpoints}) {
      const auto& some = (**x).*who;
      (all.*who).insert((all.*who).end(), some.begin(), some.end());
    }
  }
  return all;
}

std::vector<std::string> engine::on_disk(const std::string& name) {
  std::vector<std::string> bodies;
  auto page = db->ims(user(name), im_order{}, 1'000);
  BOOST_REQUIRE(page);
  for (auto& x : *page)
    bodies.push_back(x.message->body);
  return bodies;
}

void engine::note(const simulated_client& who, const std::string& what) {
  trace += std::to_string(system.now().time_since_epoch().count()) + ' '
    + who.name + '/' + who.endpoint + ' ' + what + '\n';
}

} // namespace parley::test
