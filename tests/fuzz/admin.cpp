#include <atomic>
#include <memory>
#include <optional>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

#include <rocksdb/env.h>

#include "actors/launcher/admin_peer.hpp"
#include "actors/launcher/admin_requests.hpp"
#include "actors/launcher/real_world.hpp"
#include "actors/settings/policy.hpp"
#include "actors/types.hpp"
#include "persistence/store.hpp"
#include "protocol/decoys.hpp"
#include "tests/fuzz/input.hpp"

// What an operator's connection brings: the input goes through a socket in
// pieces, whose greatness the first byte says, and each line that comes out is
// answered as the server does. Behind the requests stands one actor for all,
// that says at once what the real ones might say.

using namespace parley;
using namespace parley::fuzz;
using nlohmann::json;

namespace {

bool is_known(const user_address& x) {
  return x.hash() % 2 == 0;
}

failure known_or_not(const user_address& x) {
  return is_known(x) ? failure{} : failure{errc::no_such_user};
}

setting_changed set(const std::string& name, const std::string& value) {
  setting_changed x;
  policy rules;
  const auto* s = find_setting(name);
  if (!s) {
    x.why = failure{errc::bad_request};
    return x;
  }
  x.before = s->value(rules);
  if (auto done = s->assign(rules, value); !done) {
    expect(s->value(rules) == x.before, "a refused value changes nothing");
    x.why = done.error();
    return x;
  }
  x.now = s->value(rules);
  policy again;
  expect(s->assign(again, x.now) && s->value(again) == x.now,
    "a value is taken again as it is told");
  return x;
}

roster_report report(const user_address& whom, const user_address& viewer) {
  roster_report x;
  x.why = known_or_not(whom);
  roster_item item;
  item.what.address = viewer;
  item.what.name = whom.str();
  x.what.items.push_back(std::move(item));
  x.watchers.push_back(viewer);
  return x;
}

contacts_imported import_some(
  const user_address& user, const contacts_import& what) {
  contacts_imported x;
  x.why = known_or_not(user);
  for (const auto& one : what.contacts)
    if (one.address.size() % 3 == 0)
      x.refused.push_back({one.address, failure{errc::no_such_user}, user});
  return x;
}

trace_found trace(const message_id& id) {
  trace_found x;
  auto sender = user_address::from_prepared("alice@example.org");
  if (id.value.size() % 2 == 0)
    x.ims.push_back({sender, sender, 1});
  return x;
}

/// Stands for all actors of the engine.
caf::behavior everyone(caf::event_based_actor* self) {
  self->set_default_handler(caf::drop);
  return {
    [](list_atom, const std::vector<user_address>& users) {
      accounts_found x;
      for (const auto& user : users)
        if (is_known(user))
          x.what.push_back(user);
      return x;
    },
    [](list_atom) {
      return accounts_found{{user_address::from_prepared("a@b")}, {}};
    },
    [](const std::string&, uint64_t) { return keys_derived{}; },
    [](const std::string&) { return keys_derived{}; },
    [](const operations&) { return write_result{}; },
    [](add_atom, const std::vector<user_address>&) { return done_atom::value; },
    [](reload_atom, const user_address&) { return done_atom::value; },
    [](remove_atom, const user_address& user, const audit_entry&) {
      return account_removed{1, known_or_not(user)};
    },
    [](get_atom) { return shared<policy>{policy{}}; },
    [](const std::string& name, const std::string& value, const std::string&) {
      return set(name, value);
    },
    [](report_atom) { return router_report{}; },
    [](report_atom, const user_address& whom, const user_address& viewer) {
      return report(whom, viewer);
    },
    [](const user_address& user, const contacts_import& what) {
      return import_some(user, what);
    },
    [](const rosters_wanted&) { return rosters_found{}; },
    [](const limits_wanted&) { return limits_found{}; },
    [](const trace_wanted& what) { return trace(what.id); },
    [](const trace_of&) { return trace_found{}; },
    [](audit_atom, uint64_t) { return audit_found{}; },
  };
}

struct config : caf::actor_system_config {
  config() { set("scheduler.max-threads", size_t{1}); }
};

/// What the requests reach, made once. Lives to the end: nobody waits for it.
struct engine {
  engine() : system(cfg) {
    auto one = system.spawn(everyone);
    env.reset(rocksdb::NewMemEnv(rocksdb::Env::Default()));
    db = std::move(store::open({"/store", env.get()}).value());
    auto& engine = reach.engine;
    reach.routers.push_back(caf::actor_cast<router_actor>(one));
    reach.writer = caf::actor_cast<store_writer_actor>(one);
    reach.reader = caf::actor_cast<store_reader_actor>(one);
    reach.sweeper = caf::actor_cast<store_sweeper_actor>(one);
    reach.passwords = caf::actor_cast<password_actor>(one);
    reach.settings = caf::actor_cast<settings_actor>(one);
    reach.world = std::make_shared<real_world>();
    reach.domain = "example.org";
    reach.unknown_users = std::make_shared<decoys>("secret");
    reach.folder = "/";
    engine.writer = reach.writer;
    engine.commits = std::make_shared<commit_meter>();
    engine.passwords = std::make_shared<password_line>(8);
    engine.places = std::make_shared<connection_places>(8, 8);
    engine.stage = std::make_shared<server_stage>();
    engine.hits = std::make_shared<limits_hit>();
    engine.db = db.get();
    requests.emplace(system, reach, stopping);
  }

  config cfg;
  caf::actor_system system;
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<store> db;
  admin_server::actors reach;
  std::atomic<bool> stopping = false;
  std::optional<admin_requests> requests;
};

engine& the_engine() {
  static auto* x = new engine;
  return *x;
}

void check_answer(const std::string& line) {
  expect(line.find('\n') == line.npos, "an answer is one line");
  auto x = json::parse(line, nullptr, false);
  expect(x.is_object(), "an answer is a JSON object");
  auto error = x.find("error");
  expect(error == x.end()
      || (error->is_string()
        && errc_from_string(error->get_ref<const std::string&>())
          != errc::none),
    "an error has a reason");
}

/// An operator who writes, and reads nothing but to make room.
class operator_at {
public:
  operator_at() {
    int ends[2];
    expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0,
      "there is a pair of sockets");
    x_fd = ends[1];
    x_peer.emplace(ends[0], admin_peer::time_point{});
  }
  ~operator_at() {
    the_engine().requests->end_imports(x_peer->who(), x_imports);
    ::close(x_fd);
  }
  operator_at(const operator_at&) = delete;
  operator_at& operator=(const operator_at&) = delete;

  void write(std::string_view bytes) {
    while (!bytes.empty() && !x_peer->is_over()) {
      auto n = ::send(x_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0)
        bytes.remove_prefix(static_cast<size_t>(n));
      turn();
    }
  }

private:
  void turn() {
    x_peer->handle(POLLIN | POLLOUT, {});
    while (auto line = x_peer->take_line()) {
      expect(line->find('\n') == line->npos, "a line is one line");
      auto answer =
        the_engine().requests->answer(*line, x_peer->who(), x_imports);
      check_answer(answer);
      x_peer->put_line(std::move(answer), {});
      drain();
    }
    drain();
  }

  void drain() {
    char buffer[16 * 1024];
    while (::recv(x_fd, buffer, sizeof(buffer), 0) > 0)
      x_peer->handle(POLLOUT, {});
  }

  int x_fd = -1;
  std::optional<admin_peer> x_peer;
  open_imports x_imports;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  the_engine();
  input in{data, size};
  size_t piece = (in.byte() + size_t{1}) * 8;
  operator_at x;
  for (auto bytes = in.take(piece); !bytes.empty(); bytes = in.take(piece))
    x.write(bytes);
  x.write("\n");
  return 0;
}
