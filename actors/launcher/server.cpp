#include "actors/launcher/server.hpp"

#include <utility> // Boost 1.74 needs it first

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <filesystem>
#include <future>
#include <thread>

#include <grp.h>
#include <openssl/rand.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/accounts/admission.hpp"
#include "actors/accounts/password.hpp"
#include "actors/gateway/gateway.hpp"
#include "actors/launcher/admin_server.hpp"
#include "actors/router/router.hpp"
#include "actors/runtime/scheduler.hpp"
#include "actors/settings/settings.hpp"
#include "actors/store/store_reader.hpp"
#include "actors/store/store_writer.hpp"
#include "actors/types.hpp"
#include "persistence/store.hpp"
#include "protocol/defaults.hpp"
#include "protocol/tls.hpp"

namespace parley {

namespace fs = std::filesystem;

namespace {

class real_world final : public surroundings {
public:
  wall_time wall_clock() override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now());
  }

  uint64_t wall_clock_us() override {
    return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now().time_since_epoch())
        .count());
  }

  std::string random_octets(size_t n) override {
    std::string x(n, '\0');
    if (RAND_bytes(
          reinterpret_cast<unsigned char*>(x.data()), static_cast<int>(n))
      != 1)
      throw std::runtime_error("OpenSSL has no randomness");
    return x;
  }
};

result<void> make_folder(const fs::path& x) {
  std::error_code ec;
  fs::create_directories(x, ec);
  if (ec)
    return fail(errc::store_unavailable,
      "cannot make the data folder " + x.string() + ": " + ec.message());
  // Only the owner: it holds keys and IMs, and the admin socket.
  if (::chmod(x.c_str(), S_IRWXU) != 0 && errno != EPERM)
    return fail(errc::store_unavailable,
      "cannot restrict the data folder " + x.string() + " to its owner");
  return {};
}

result<void> drop_privileges(const std::string& user) {
  auto* who = ::getpwnam(user.c_str());
  if (!who)
    return fail(errc::bad_request, "there is no system user " + user);
  if (::initgroups(user.c_str(), who->pw_gid) != 0 || ::setgid(who->pw_gid) != 0
    || ::setuid(who->pw_uid) != 0)
    return fail(errc::not_authorised, "cannot become the user " + user);
  return {};
}

} // namespace

struct server::impl {
  serve_options options;
  std::unique_ptr<store> db;
  std::shared_ptr<tls_context> tls;
  std::shared_ptr<surroundings> world = std::make_shared<real_world>();

  caf::actor_system_config cfg;
  std::unique_ptr<caf::actor_system> system;

  store_writer_actor writer;
  std::vector<store_reader_actor> readers;
  password_actor passwords;
  admission_actor admissions;
  std::vector<local_router_actor> routers;
  std::vector<std::shared_ptr<connections>> sockets;
  std::vector<gateway_actor> gateways;
  settings_actor policies;
  std::vector<std::shared_ptr<listener>> listeners;
  std::unique_ptr<admin_server> admin;
  bool stopped = false;

  io_scheduler& scheduler() { return *io_scheduler::of(*system); }

  result<void> prepare_tls();
  std::function<std::shared_ptr<const connection_config>(const policy&)>
  make_connection_config();
  result<void> open_store(
    shared<policy>& rules, std::shared_ptr<const id_filter>& known);
  void spawn_actors(
    const shared<policy>& rules, std::shared_ptr<const id_filter> known);
  result<void> listen();
  void close_sockets();
  void stop();
};

result<void> server::impl::prepare_tls() {
  if (options.plain)
    return {};
  auto certificate = options.certificate;
  auto key = options.key;
  if (certificate.empty()) {
    auto folder = fs::path{options.data} / "tls";
    if (auto ok = make_folder(folder); !ok)
      return ok;
    certificate = folder / "cert.pem";
    key = folder / "key.pem";
    std::error_code ec;
    if (!fs::exists(certificate, ec) && !fs::exists(key, ec)) {
      if (auto ok = make_self_signed(certificate, key, options.domain); !ok)
        return ok;
      SPDLOG_INFO("made a self-signed certificate, {}", certificate);
    }
  }
  auto context = tls_context::load(certificate, key);
  if (!context)
    return tl::unexpected(context.error());
  tls = std::move(*context);
  return {};
}

std::function<std::shared_ptr<const connection_config>(const policy&)>
server::impl::make_connection_config() {
  return [tls = tls, domain = options.domain, secret = db->secret()](
           const policy& rules) -> std::shared_ptr<const connection_config> {
    auto x = std::make_shared<connection_config>();
    x->domain = domain;
    x->body_max = static_cast<uint32_t>(rules.im_body_max);
    x->broadcast_max = static_cast<uint32_t>(rules.im_broadcast_max);
    x->tls = tls;
    x->decoy_secret = secret;
    return x;
  };
}

result<void> server::impl::open_store(
  shared<policy>& rules, std::shared_ptr<const id_filter>& known) {
  store::options how;
  how.path = fs::path{options.data} / "store";
  auto opened = store::open(how);
  if (!opened)
    return tl::unexpected(opened.error());
  db = std::move(*opened);
  auto stored = db->settings();
  if (!stored)
    return tl::unexpected(stored.error());
  std::vector<std::string> ignored;
  rules.reset(policy_from_store(*stored, ignored));
  for (const auto& x : ignored)
    SPDLOG_WARN("the stored setting {} is none any more; the default holds", x);
  auto filter = std::make_shared<id_filter>();
  auto ok =
    db->each_id([&filter](uint64_t hash, wall_time) { filter->insert(hash); });
  if (!ok)
    return ok;
  known = std::move(filter);
  return {};
}

void server::impl::spawn_actors(
  const shared<policy>& rules, std::shared_ptr<const id_filter> known) {
  add_message_types(cfg);
  io_scheduler::configure(cfg, options.threads, options.spin);
  system = std::make_unique<caf::actor_system>(cfg);
  // Waiting for actors is done here, in order and with a deadline.
  system->await_actors_before_shutdown(false);
  auto& workers = scheduler();
  auto n = workers.size();

  writer = system->spawn<caf::detached + caf::hidden>(store_writer, db.get());
  for (size_t i = 0; i < defaults::reader_threads; ++i)
    readers.push_back(
      system->spawn<caf::detached + caf::hidden>(store_reader, db.get()));
  passwords = system->spawn<caf::detached + caf::hidden>(
    password, defaults::scram_iterations);
  admissions = spawn_on(workers.at(0), admission, rules);

  for (size_t i = 0; i < n; ++i)
    routers.push_back(spawn_on(workers.at(i), router,
      router_config{i, n, rules, known, writer, readers, world}));
  auto all = std::make_shared<directory>();
  for (const auto& r : routers)
    all->routers.emplace_back(r);
  for (const auto& r : routers)
    caf::anon_send(r, directory_ptr{all});

  auto make_config = make_connection_config();
  constexpr unsigned index_shift = 48;
  for (size_t i = 0; i < n; ++i)
    sockets.push_back(
      std::make_shared<connections>(uint64_t{i} << index_shift | 1));
  for (size_t i = 0; i < n; ++i)
    gateways.push_back(
      spawn_on(workers.at(i), gateway, sockets[i], make_config));
  for (size_t i = 0; i < n; ++i) {
    connections::settings with;
    with.home = &workers.at(i);
    with.all.assign(sockets.begin(), sockets.end());
    with.router = routers[i];
    with.routers = n;
    with.reader = readers[i % readers.size()];
    with.passwords = passwords;
    with.admission = admissions;
    with.world = world;
    with.protocol = make_config(*rules);
    sockets[i]->start(std::move(with), gateways[i]);
  }

  policy_followers followers;
  followers.routers.assign(all->routers.begin(), all->routers.end());
  followers.gateways = gateways;
  followers.admission = admissions;
  policies = spawn_on(
    workers.at(0), settings, *rules, writer, std::move(followers), world);
}

result<void> server::impl::listen() {
  for (const auto& at : options.listen) {
    auto x = listener::bind(scheduler().at(0), at, sockets);
    if (!x)
      return tl::unexpected(x.error());
    listeners.push_back(std::move(*x));
  }
  admin_server::actors reach;
  reach.routers.assign(routers.begin(), routers.end());
  reach.writer = writer;
  reach.reader = readers.front();
  reach.passwords = passwords;
  reach.settings = policies;
  reach.world = world;
  auto opened = admin_server::start(
    *system, fs::path{options.data} / "admin.sock", std::move(reach));
  if (!opened)
    return tl::unexpected(opened.error());
  admin = std::move(*opened);
  if (!options.user.empty())
    if (auto ok = drop_privileges(options.user); !ok)
      return ok;
  for (auto& x : listeners)
    x->start();
  return {};
}

/// On their own threads. They hold handles of detached actors, whose threads
/// end only when the last handle is gone.
void server::impl::close_sockets() {
  for (size_t i = 0; i < sockets.size(); ++i) {
    std::promise<void> done;
    boost::asio::post(scheduler().at(i).io(), [&done, &x = *sockets[i]] {
      x.clear();
      done.set_value();
    });
    done.get_future().wait();
  }
}

void server::impl::stop() {
  if (std::exchange(stopped, true) || !system)
    return;
  for (auto& x : listeners)
    x->stop();
  admin.reset();
  {
    caf::scoped_actor self{*system, true};
    auto patience =
      caf::duration{std::chrono::duration_cast<std::chrono::milliseconds>(
        defaults::stop_timeout + std::chrono::seconds{2})};
    for (auto& g : gateways)
      self->request(g, patience, stop_atom::value)
        .receive([](done_atom) {}, [](const caf::error&) {});
    // All routers at once: each may wait for what another has under way.
    uint64_t given_up = 0;
    uint64_t sessions = 0;
    std::vector<decltype(self->request(
      routers.front(), patience, stop_atom::value))>
      pending;
    for (auto& r : routers)
      pending.push_back(self->request(r, patience, stop_atom::value));
    for (auto& p : pending)
      p.receive(
        [&](const stop_report& x) {
          sessions += x.sessions;
          given_up += x.given_up;
        },
        [](const caf::error&) {
          SPDLOG_ERROR("a router did not stop in time");
        });
    SPDLOG_INFO("stopped: {} sessions ended, {} IMs without outcome rejected",
      sessions, given_up);
  }
  // The last words are written by the workers; then the sockets close.
  std::this_thread::sleep_for(defaults::last_writes_time);
  close_sockets();
  auto end = [](auto& x) {
    if (x)
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
    x = nullptr;
  };
  for (size_t i = 0; i < gateways.size(); ++i) {
    end(gateways[i]);
    end(routers[i]);
  }
  end(policies);
  end(admissions);
  end(passwords);
  for (auto& r : readers)
    end(r);
  end(writer);
  gateways.clear();
  routers.clear();
  readers.clear();
  listeners.clear();
  system.reset();
  sockets.clear();
  db.reset();
}

server::server(std::unique_ptr<impl> x) : x_impl(std::move(x)) {}

server::~server() {
  x_impl->stop();
}

result<std::unique_ptr<server>> server::start(const serve_options& how) {
  auto x = std::make_unique<impl>();
  x->options = how;
  if (auto ok = make_folder(how.data); !ok)
    return tl::unexpected(ok.error());
  shared<policy> rules;
  std::shared_ptr<const id_filter> known;
  if (auto ok = x->open_store(rules, known); !ok)
    return tl::unexpected(ok.error());
  if (auto ok = x->prepare_tls(); !ok)
    return tl::unexpected(ok.error());
  x->spawn_actors(rules, std::move(known));
  // From here on an end takes the actors along.
  std::unique_ptr<server> all{new server(std::move(x))};
  if (auto ok = all->x_impl->listen(); !ok)
    return tl::unexpected(ok.error());
  return all;
}

std::vector<std::string> server::listening() const {
  std::vector<std::string> xs;
  for (const auto& x : x_impl->listeners)
    xs.push_back(x->local_address());
  return xs;
}

result<void> server::reload() {
  return x_impl->tls ? x_impl->tls->reload() : result<void>{};
}

void server::stop() {
  x_impl->stop();
}

} // namespace parley
