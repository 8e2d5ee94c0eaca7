#include "tests/simulation/server.hpp"

#include <map>
#include <stdexcept>
#include <utility>

#include "actors/accounts/admission.hpp"
#include "actors/store/store_reader.hpp"
#include "actors/store/store_sweeper.hpp"
#include "actors/store/store_writer.hpp"
#include "actors/types.hpp"
#include "protocol/decoys.hpp"
#include "tests/simulation/gate.hpp"
#include "tests/simulation/made_up_world.hpp"

namespace parley::test {

namespace {

constexpr const char* folder = "/store";

template <class T>
T must(result<T> x, const char* what) {
  if (!x)
    throw std::runtime_error(std::string{what} + ": " + x.error().text);
  return std::move(*x);
}

const scram_keys& everybodys_keys() {
  // Few iterations: hashing is not what is looked at here.
  static const auto keys = must(derive_keys(everybodys_password, 1), "no keys");
  return keys;
}

std::shared_ptr<const connection_config> make_protocol(const policy& rules) {
  static const auto strangers = std::make_shared<const decoys>("secret");
  auto x = std::make_shared<connection_config>();
  x->domain = "example.org";
  x->body_max = static_cast<uint32_t>(rules.im_body_max);
  x->broadcast_max = static_cast<uint32_t>(rules.im_broadcast_max);
  x->decoys = strangers;
  return x;
}

std::unique_ptr<store> open_store(lossy_disk& disk) {
  store::options how;
  how.path = folder;
  how.env = disk.env();
  return must(store::open(how), "the store does not open");
}

using files = std::map<std::string, std::string>;

/// Of a store with these accounts. To make one takes RocksDB longer than
/// everything else in a run.
files made_store(const std::vector<user_address>& accounts) {
  lossy_disk disk;
  std::vector<store_operation> made;
  for (const auto& who : accounts)
    made.emplace_back(put_account{who, everybodys_keys()});
  must(open_store(disk)->commit(made), "no accounts");
  std::vector<std::string> names;
  files xs;
  if (!disk.env()->GetChildren(folder, &names).ok())
    throw std::runtime_error("no store");
  for (const auto& name : names)
    if (name != "LOCK")
      if (!rocksdb::ReadFileToString(
            disk.env(), std::string{folder} + '/' + name, &xs[name])
             .ok())
        throw std::runtime_error(name);
  return xs;
}

} // namespace

void make_store(lossy_disk& disk, const std::vector<user_address>& accounts) {
  static const auto all = made_store(accounts);
  auto& env = *disk.env();
  bool done = env.CreateDirIfMissing(folder).ok();
  for (const auto& [name, bytes] : all)
    done = done
      && rocksdb::WriteStringToFile(
        &env, bytes, std::string{folder} + '/' + name, true)
           .ok();
  for (const auto* at : {folder, "/"}) {
    std::unique_ptr<rocksdb::Directory> names;
    done = done && env.NewDirectory(at, &names).ok() && names->Fsync().ok();
  }
  if (!done)
    throw std::runtime_error("no disk");
}

simulated_server::simulated_server(lossy_disk& disk, uint64_t seed,
  std::chrono::microseconds since, const values& settings)
  : db(open_store(disk)),
    system(seed, add_message_types),
    world(std::make_shared<made_up_world>(system, since)) {
  read_store(settings);
  spawn_actors(known_ids());
}

void simulated_server::read_store(const values& settings) {
  std::vector<store_operation> made;
  for (const auto& [name, value] : settings)
    made.emplace_back(put_setting{name, value});
  must(db->commit(made), "no settings");
  std::vector<std::string> ignored;
  rules = policy_from_store(must(db->settings(), "no settings"), ignored);
}

shared<id_filter> simulated_server::known_ids() {
  id_filter filter;
  must(db->each_id({}, SIZE_MAX,
         [&filter](uint64_t hash, wall_time) { filter.insert(hash); }),
    "no ids");
  return shared<id_filter>{std::move(filter)};
}

void simulated_server::spawn_actors(shared<id_filter> known) {
  auto real =
    system.spawn(store_writer, db.get(), std::shared_ptr<commit_meter>{});
  x_writer = system.spawn(gate, real);
  std::vector<store_reader_actor> readers;
  for (size_t i = 0; i < 2; ++i)
    readers.push_back(system.spawn(store_reader, db.get()));
  auto sweeper = system.spawn(store_sweeper, db.get(), uint64_t{known->size()});
  auto admissions = system.spawn(admission, shared<policy>{rules});
  for (size_t i = 0; i < workers; ++i) {
    router_config c;
    c.index = i;
    c.routers = workers;
    c.rules = shared<policy>{rules};
    c.known_ids = known;
    c.writer = x_writer;
    c.readers = readers;
    c.sweeper = sweeper;
    c.world = world;
    c.domain = "example.org";
    c.budget = budget;
    c.traced_ims = 100;
    x_routers.push_back(system.spawn(router, std::move(c)));
  }
  auto all = std::make_shared<directory>();
  policy_followers followers;
  for (auto& r : x_routers) {
    all->routers.emplace_back(r);
    followers.routers.emplace_back(r);
  }
  for (auto& r : x_routers)
    caf::anon_send(r, directory_ptr{all});
  followers.admission = admissions;
  for (size_t i = 0; i < workers; ++i) {
    auto f = std::make_shared<front>();
    f->index = i;
    f->system = &system;
    f->world = world;
    f->protocol = make_protocol(rules);
    f->router = x_routers[i];
    f->reader = readers[i];
    f->admission = admissions;
    f->all = &x_fronts;
    f->self = system.spawn(front_of, f, make_protocol);
    followers.gateways.emplace_back(f->self);
    x_fronts.push_back(std::move(f));
  }
  x_settings =
    system.spawn(settings, rules, x_writer, std::move(followers), world);
}

simulated_server::~simulated_server() {
  for (auto& f : x_fronts) {
    for (auto& [id, s] : std::exchange(f->sockets, {}))
      s->die();
    f->router = nullptr;
    f->reader = nullptr;
    f->admission = nullptr;
    f->self = nullptr;
  }
  x_routers.clear();
  x_writer = nullptr;
  x_settings = nullptr;
  system.end();
}

std::shared_ptr<served> simulated_server::accept(
  size_t worker, const std::string& peer) {
  auto& f = *x_fronts[worker];
  if (f.stopping)
    return nullptr;
  auto s = std::make_shared<served>(f, link_id{++x_links}, peer);
  f.sockets.emplace(s->id().value, s);
  return s;
}

std::chrono::microseconds simulated_server::age() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
    system.now().time_since_epoch());
}

void simulated_server::hold_writes(bool on) {
  caf::anon_send(caf::actor_cast<gate_actor>(x_writer), hold_atom::value, on);
}

std::shared_ptr<std::optional<setting_changed>> simulated_server::set(
  const std::string& name, const std::string& value) {
  return ask<setting_changed>(x_settings, name, value, std::string{"tester"});
}

std::shared_ptr<std::optional<account_removed>> simulated_server::remove(
  const user_address& who) {
  audit_entry line{
    world->wall_clock(), "tester", "user remove " + who.str(), {}, {}};
  return ask<account_removed>(router_of(who), remove_atom::value, who, line);
}

std::shared_ptr<std::optional<failure>> simulated_server::add(
  const user_address& who) {
  auto answer = std::make_shared<std::optional<failure>>();
  operations ops;
  ops.emplace_back(put_account{who, everybodys_keys()});
  system.system().spawn([=, writer = x_writer, router = router_of(who)](
                          caf::event_based_actor* self) {
    self->request(writer, caf::infinite, ops)
      .then(
        [=](const write_result& x) {
          if (x.why.code != errc::none) {
            *answer = x.why;
            return;
          }
          self
            ->request(router, caf::infinite, add_atom::value,
              std::vector<user_address>{who})
            .then([answer](done_atom) { *answer = failure{}; },
              [](const caf::error&) {});
        },
        [](const caf::error&) {});
  });
  return answer;
}

std::vector<std::shared_ptr<std::optional<stop_report>>>
simulated_server::stop() {
  for (auto& f : x_fronts)
    caf::anon_send(f->self, stop_atom::value);
  std::vector<std::shared_ptr<std::optional<stop_report>>> answers;
  for (auto& r : x_routers)
    answers.push_back(ask<stop_report>(router_actor{r}, stop_atom::value));
  return answers;
}

} // namespace parley::test
