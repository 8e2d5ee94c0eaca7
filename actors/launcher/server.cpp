#include "actors/launcher/server_impl.hpp"

#include <utility> // Boost 1.74 needs it first

#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <optional>

#include <caf/actor_system.hpp>
#include <spdlog/spdlog.h>

#include "actors/accounts/admission.hpp"
#include "actors/accounts/password.hpp"
#include "actors/accounts/registrar.hpp"
#include "actors/gateway/gateway.hpp"
#include "actors/launcher/admin_server.hpp"
#include "actors/launcher/bound_socket.hpp"
#include "actors/launcher/data_folder.hpp"
#include "actors/launcher/engine_sources.hpp"
#include "actors/launcher/metrics_server.hpp"
#include "actors/launcher/privileges.hpp"
#include "actors/launcher/real_world.hpp"
#include "actors/memory/memory_budget.hpp"
#include "actors/router/router.hpp"
#include "actors/runtime/scheduler.hpp"
#include "actors/settings/settings.hpp"
#include "actors/store/store_reader.hpp"
#include "actors/store/store_sweeper.hpp"
#include "actors/store/store_writer.hpp"
#include "actors/types.hpp"
#include "persistence/store.hpp"
#include "protocol/defaults.hpp"
#include "protocol/tls.hpp"

namespace parley {

namespace fs = std::filesystem;

namespace {

/// What the data folder's own certificate consists of. A first start that broke
/// off between the two leaves a key that belongs to nothing; somebody may also
/// have put one there, so that it is kept under another name.
result<void> make_certificate(
  const fs::path& certificate, const fs::path& key, const std::string& domain) {
  std::error_code ec;
  if (fs::exists(certificate, ec))
    return {};
  if (fs::exists(key, ec)) {
    auto old = key.string() + ".old";
    fs::rename(key, old, ec);
    if (ec)
      return fail(errc::store_unavailable,
        "cannot put " + key.string()
          + " aside, which has no certificate: " + ec.message());
    SPDLOG_WARN("{} had no certificate; it is {} now", key.string(), old);
  }
  if (auto ok = make_self_signed(certificate, key, domain); !ok)
    return ok;
  SPDLOG_INFO("made a self-signed certificate, {}", certificate.string());
  return {};
}

} // namespace

result<void> server::impl::prepare_tls() {
  if (options.plain)
    return {};
  certificate = options.certificate;
  auto key = options.key;
  if (certificate.empty()) {
    auto folder = fs::path{options.data} / tls_name;
    if (auto ok = make_private_folder(folder); !ok)
      return ok;
    certificate = folder / "cert.pem";
    key = folder / "key.pem";
    if (auto ok = make_certificate(certificate, key, options.domain); !ok)
      return ok;
  }
  auto context = tls_context::load(certificate, key);
  if (!context)
    return fail(errc::tls_failed, std::move(context.error().text));
  tls = std::move(*context);
  return {};
}

std::function<std::shared_ptr<const connection_config>(const policy&)>
server::impl::make_connection_config(size_t worker) {
  return [tls = tls, domain = options.domain, decoys = unknown_users,
           held = &budget->of(worker)->ims()](
           const policy& rules) -> std::shared_ptr<const connection_config> {
    auto x = std::make_shared<connection_config>();
    x->held_ims = held;
    x->domain = domain;
    x->body_max = static_cast<uint32_t>(rules.im_body_max);
    x->broadcast_max = static_cast<uint32_t>(rules.im_broadcast_max);
    x->registration = rules.account_registration;
    x->tls = tls;
    x->decoys = decoys;
    return x;
  };
}

result<void> server::impl::open_store(
  shared<policy>& rules, shared<id_filter>& known) {
  store::options how;
  how.path = fs::path{options.data} / store_name;
  how.report = [](const failure& x) {
    SPDLOG_ERROR("passed over for good: {}: {}", to_string(x.code), x.text);
  };
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
  id_filter filter;
  auto read = db->each_id(
    {}, SIZE_MAX, [&filter](uint64_t hash, wall_time) { filter.insert(hash); });
  if (!read)
    return tl::unexpected(read.error());
  known.reset(std::move(filter));
  if (auto found = find_sharing(); !found)
    return found;
  unknown_users = std::make_shared<decoys>(db->secret());
  return db->each_account(
    [this](const account& x) { unknown_users->add(x.keys); });
}

result<void> server::impl::find_sharing() {
  auto found = std::make_shared<sharing_users>();
  user_address last;
  do {
    auto page = db->rosters(last, defaults::sweep_step);
    if (!page)
      return tl::unexpected(page.error());
    for (auto& x : *page)
      if (x.sharing != sharing::by_default)
        found->emplace_back(std::move(x.user), x.sharing);
  } while (!last.empty());
  sharing_of = std::move(found);
  return {};
}

void server::impl::spawn_actors(
  const shared<policy>& rules, const shared<id_filter>& known) {
  add_message_types(cfg);
  io_scheduler::configure(cfg, options.threads, options.spin);
  system = std::make_unique<caf::actor_system>(cfg);
  // Waiting for actors is done here, in order and with a deadline.
  system->await_actors_before_shutdown(false);
  auto& workers = scheduler();
  auto n = workers.size();

  constexpr uint64_t mebibyte = 1024 * 1024;
  budget = std::make_shared<memory_budget>(options.memory_mib * mebibyte, n);
  auto commits = std::make_shared<commit_meter>();
  writer =
    system->spawn<caf::detached + caf::hidden>(store_writer, db.get(), commits);
  for (size_t i = 0; i < defaults::reader_threads; ++i)
    readers.push_back(
      system->spawn<caf::detached + caf::hidden>(store_reader, db.get()));
  sweeper = system->spawn<caf::detached + caf::hidden>(
    store_sweeper, db.get(), known->size());
  auto line = std::make_shared<password_line>(defaults::password_queue_max);
  passwords = system->spawn<caf::detached + caf::hidden>(
    password, defaults::scram_iterations, line);
  admissions = spawn_on(workers.at(0), admission, rules);

  std::vector<std::shared_ptr<uint64_t>> pending_bytes;
  for (size_t i = 0; i < n; ++i) {
    pending_bytes.push_back(std::make_shared<uint64_t>(0));
    routers.push_back(spawn_on(workers.at(i), router,
      router_config{i, n, rules, known, writer, readers, sweeper, world,
        options.domain, pending_bytes[i], budget,
        (options.traced_ims + n - 1) / n, sharing_of, options.presence_rate}));
  }
  auto all = std::make_shared<directory>();
  for (const auto& r : routers)
    all->routers.emplace_back(r);
  for (const auto& r : routers)
    caf::anon_send(r, directory_ptr{all});

  registrations = spawn_on(workers.at(0), registrar,
    registrar_config{readers.front(), writer, passwords, line, all->routers,
      world, unknown_users});

  auto places = connection_places::by_descriptors();
  auto hits = std::make_shared<limits_hit>();
  constexpr unsigned index_shift = 48;
  for (size_t i = 0; i < n; ++i)
    sockets.push_back(
      std::make_shared<connections>(uint64_t{i} << index_shift | 1));
  for (size_t i = 0; i < n; ++i)
    gateways.push_back(
      spawn_on(workers.at(i), gateway, sockets[i], make_connection_config(i)));
  for (size_t i = 0; i < n; ++i) {
    connections::settings with;
    with.home = &workers.at(i);
    with.all.assign(sockets.begin(), sockets.end());
    with.places = places;
    with.hits = hits;
    with.line = line;
    with.pending_bytes = pending_bytes[i];
    with.budget = budget;
    with.index = i;
    with.router = routers[i];
    with.routers = n;
    with.reader = readers[i % readers.size()];
    with.passwords = passwords;
    with.admission = admissions;
    with.registrar = registrations;
    with.world = world;
    with.protocol = make_connection_config(i)(*rules);
    sockets[i]->start(std::move(with), gateways[i]);
  }

  policy_followers followers;
  followers.routers.assign(all->routers.begin(), all->routers.end());
  followers.gateways = gateways;
  followers.admission = admissions;
  policies = spawn_on(
    workers.at(0), settings, *rules, writer, std::move(followers), world);
  sources.routers.assign(routers.begin(), routers.end());
  sources.gateways = gateways;
  sources.admission = admissions;
  sources.writer = writer;
  sources.commits = std::move(commits);
  sources.passwords = line;
  sources.places = places;
  sources.hits = hits;
  sources.budget = budget;
  sources.stage = stage;
  sources.db = db.get();
  sources.started = world->wall_clock();
}

result<void> server::impl::prepare() {
  std::optional<system_user> user;
  if (!options.user.empty()) {
    auto found = system_user::find(options.user);
    if (!found)
      return tl::unexpected(found.error());
    user = std::move(*found);
  }
  auto bind = [](const listen_address& at,
                std::vector<bound_socket>& to) -> result<void> {
    auto bound = bound_socket::bind_all(at);
    if (!bound)
      return tl::unexpected(bound.error());
    for (auto& x : *bound)
      to.push_back(std::move(x));
    return {};
  };
  for (const auto& at : options.listen)
    if (auto ok = bind(at, ports); !ok)
      return ok;
  for (const auto& at : options.xmpp)
    if (auto ok = bind(at, xmpp_ports); !ok)
      return ok;
  for (const auto& at : options.xmpp_ws)
    if (auto ok = bind(at, xmpp_ws_ports); !ok)
      return ok;
  if (options.metrics)
    if (auto ok = bind(*options.metrics, metrics_ports); !ok)
      return ok;
  if (auto ok = prepare_data_folder(options.data, user); !ok)
    return ok;
  return user ? become(*user) : result<void>{};
}

result<void> server::impl::listen(
  std::vector<bound_socket>& on, wire_protocol protocol) {
  for (auto& port : on) {
    auto v6 = port.is_v6();
    auto x = listener::listen(
      scheduler().at(0), port.release(), v6, sockets, protocol);
    if (!x)
      return tl::unexpected(x.error());
    listeners.push_back(std::move(*x));
  }
  on.clear();
  return {};
}

std::vector<std::string> server::impl::listening(wire_protocol protocol) const {
  std::vector<std::string> xs;
  for (const auto& x : listeners)
    if (x->protocol() == protocol)
      xs.push_back(x->local_address());
  return xs;
}

result<void> server::impl::listen() {
  if (auto ok = listen(ports, wire_protocol::native); !ok)
    return ok;
  if (auto ok = listen(xmpp_ports, wire_protocol::xmpp); !ok)
    return ok;
  if (auto ok = listen(xmpp_ws_ports, wire_protocol::xmpp_websocket); !ok)
    return ok;
  admin_server::actors reach;
  reach.routers.assign(routers.begin(), routers.end());
  reach.writer = writer;
  reach.reader = readers.front();
  reach.sweeper = sweeper;
  reach.passwords = passwords;
  reach.settings = policies;
  reach.world = world;
  reach.domain = options.domain;
  reach.unknown_users = unknown_users;
  reach.engine = sources;
  reach.folder = options.data;
  reach.tls = tls;
  reach.certificate = certificate;
  reach.traces = options.traced_ims > 0;
  auto opened = admin_server::start(
    *system, fs::path{options.data} / admin_socket_name, std::move(reach));
  if (!opened)
    return tl::unexpected(opened.error());
  admin = std::move(*opened);
  if (!metrics_ports.empty()) {
    auto served =
      metrics_server::start(*system, std::exchange(metrics_ports, {}), sources);
    if (!served)
      return tl::unexpected(served.error());
    metrics = std::move(*served);
  }
  for (auto& x : listeners)
    x->start();
  stage->accepts = true;
  return {};
}

server::server(std::unique_ptr<impl> x) : x_impl(std::move(x)) {}

server::~server() {
  x_impl->stop();
}

result<std::unique_ptr<server>> server::start(const serve_options& how) {
  auto x = std::make_unique<impl>();
  x->options = how;
  if (auto ok = x->prepare(); !ok)
    return tl::unexpected(ok.error());
  shared<policy> rules;
  shared<id_filter> known;
  if (auto ok = x->open_store(rules, known); !ok)
    return tl::unexpected(ok.error());
  if (auto ok = x->prepare_tls(); !ok)
    return tl::unexpected(ok.error());
  x->spawn_actors(rules, known);
  // From here on an end takes the actors along.
  std::unique_ptr<server> all{new server(std::move(x))};
  if (auto ok = all->x_impl->listen(); !ok)
    return tl::unexpected(ok.error());
  return all;
}

std::vector<std::string> server::listening() const {
  return x_impl->listening(wire_protocol::native);
}

std::vector<std::string> server::listening_xmpp() const {
  return x_impl->listening(wire_protocol::xmpp);
}

std::vector<std::string> server::listening_xmpp_ws() const {
  return x_impl->listening(wire_protocol::xmpp_websocket);
}

std::vector<std::string> server::metrics() const {
  return x_impl->metrics ? x_impl->metrics->listening()
                         : std::vector<std::string>{};
}

result<void> server::reload() {
  return x_impl->tls ? x_impl->tls->reload() : result<void>{};
}

void server::stop() {
  x_impl->stop();
}

} // namespace parley
