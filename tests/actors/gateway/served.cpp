#include "tests/actors/gateway/served.hpp"

#include <utility> // Boost 1.74 needs it first

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <caf/scoped_actor.hpp>

#include <future>
#include <stdexcept>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/accounts/admission.hpp"
#include "actors/accounts/password.hpp"
#include "protocol/decoys.hpp"
#include "tests/protocol/tls_peer.hpp"

namespace parley::test {

namespace {

using namespace std::chrono_literals;

/// More than any machine needs.
constexpr auto patience = 60s;

/// What a client takes before it reads: little, so that output has to wait.
constexpr int receive_buffer = 4096;

struct nothing {
  nothing() {}
  static inline const char* name = "made-up";
};

using reader_stub =
  caf::typed_actor<caf::reacts_to<user_address, uint64_t, gateway_ref>>;
using router_stub =
  caf::typed_actor<caf::reacts_to<local_sign_in>, caf::reacts_to<local_resume>>;
using session_stub = caf::typed_actor<caf::reacts_to<client_requests>,
  caf::reacts_to<client_acknowledged>, caf::reacts_to<client_window>,
  caf::reacts_to<client_lost>, caf::reacts_to<client_drained>>;

reader_stub::behavior_type read(
  pinned_pointer<reader_stub, nothing> self, const failure* trouble) {
  return {[self, trouble](const user_address& of, uint64_t ticket,
            const gateway_ref& gateway) {
    account_found x{ticket, {}, {}};
    x.why = *trouble;
    if (of.str() == alice)
      x.what = account{of, alices_keys()};
    self->send(gateway, std::move(x));
  }};
}

session_stub::behavior_type attend(
  pinned_pointer<session_stub, nothing>, heard* all) {
  return {
    [all](const client_requests& x) {
      all->first_numbers.push_back(x.what.front().number.value);
      all->requests += static_cast<int>(x.what.size());
      if (!all->takes_its_time)
        all->link->handled(all->holds);
    },
    [all](const client_acknowledged&) { all->link->handled(all->holds); },
    [all](const client_window&) { all->link->handled(all->holds); },
    [all](const client_lost&) { ++all->lost; },
    [all](const client_drained&) { ++all->drained; },
  };
}

router_stub::behavior_type let_in(pinned_pointer<router_stub, nothing>,
  const session_actor& session, heard* all) {
  return {
    [session, all](const local_sign_in& x) {
      signed_in what;
      what.self = {x.what.user, endpoint_name::from_prepared("desk")};
      what.token = "token";
      what.requests = {1'000, 1 << 20};
      what.ims = {1'000, 1 << 20};
      what.heartbeat = 60s;
      x.link->accept(what, session, nullptr);
      all->link = x.link;
      all->is_in = true;
    },
    [](const local_resume& x) { x.link->refuse(failure{errc::resume_failed}); },
  };
}

password_actor::behavior_type let_wait(
  password_actor::stateful_pointer<nothing>, int) {
  return {
    [](const std::string&, const scram_keys&, uint64_t,
      const caf::typed_actor<caf::reacts_to<password_checked>>&) {},
    [](const std::string&, uint64_t) { return keys_derived{}; },
    [](const std::string&) { return keys_derived{}; },
  };
}

registrar_actor::behavior_type note_wishes(
  pinned_pointer<registrar_actor, nothing>, std::atomic<int>* count,
  std::atomic<uint64_t>* last) {
  return {[count, last](const account_wanted& x, const account_asker&) {
    *last = x.ticket;
    ++*count;
  }};
}

class plain_world final : public surroundings {
public:
  wall_time wall_clock() override { return wall_time{1s}; }
  uint64_t wall_clock_us() override { return 1; }
  std::string random_octets(size_t n) override { return std::string(n, 'r'); }
};

/// Handles of stand-ins, which know what is asked of them here.
template <class Handle, class Stub>
Handle pass_for(const Stub& x) {
  return caf::actor_cast<Handle>(caf::actor_cast<caf::strong_actor_ptr>(x));
}

sockaddr_in loopback() {
  sockaddr_in x{};
  x.sin_family = AF_INET;
  x.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return x;
}

void require(bool good, const char* what) {
  if (!good)
    throw std::runtime_error(what);
}

} // namespace

// -- peer ---------------------------------------------------------------------

namespace {

std::shared_ptr<tls_client_context> trust(bool tls) {
  return tls ? trusting_context() : nullptr;
}

} // namespace

peer::peer(int fd, bool tls) : client(trust(tls)), x_fd(fd) {}

peer::peer(peer&& x) noexcept
  : client(std::move(x.client)),
    x_fd(std::exchange(x.x_fd, -1)),
    x_ended(x.x_ended) {}

peer::~peer() {
  if (x_fd >= 0)
    ::close(x_fd);
}

void peer::flush() {
  for (auto bytes = client.take(); !bytes.empty(); bytes = client.take())
    for (std::string_view rest = bytes; !rest.empty();) {
      auto n = ::send(x_fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return;
      rest.remove_prefix(static_cast<size_t>(n));
    }
}

bool peer::read_until(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  flush();
  std::string buffer(64 * 1024, '\0');
  while (!done() && !x_ended) {
    pollfd p{x_fd, POLLIN, 0};
    ::poll(&p, 1, 100);
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    if (p.revents == 0)
      continue;
    auto n = ::recv(x_fd, buffer.data(), buffer.size(), 0);
    if (n <= 0)
      x_ended = true;
    else
      client.receive({buffer.data(), static_cast<size_t>(n)});
    flush(); // of a handshake
  }
  return done();
}

const native::refusal& peer::refusal() {
  read_until([this] { return client.last<native::refusal>() != nullptr; });
  return client.refused();
}

bool peer::read_to_the_end() {
  read_until([] { return false; });
  return x_ended;
}

void peer::greet() {
  client.magic();
  client.hello();
  require(
    read_until([this] { return client.last<native::welcome>() != nullptr; }),
    "no welcome came");
}

void peer::begin_sign_in(const std::string& mechanism) {
  greet();
  client.authenticate(mechanism, alice, alices_password);
  if (mechanism == "PLAIN")
    return flush();
  require(read_until([this] {
    return client.last<native::sasl_challenge>() != nullptr;
  }),
    "no challenge came");
}

void peer::finish_sign_in() {
  client.respond();
  flush();
}

// -- served -------------------------------------------------------------------

served::served(size_t passwords_max, bool tls,
  std::shared_ptr<memory_budget> memory, hashing passwords)
  : budget(std::move(memory)),
    line(std::make_shared<password_line>(passwords_max)) {
  auto config = std::make_shared<connection_config>();
  config->domain = "example.org";
  config->registration = true;
  config->decoys = std::make_shared<decoys>("secret");
  if (tls)
    config->tls = server_context();
  x_config = std::move(config);
  x_places = std::make_shared<connection_places>(100, 0);
  auto& system = x_system.system();
  x_passwords = passwords == hashing::done
    ? system.spawn<caf::detached>(password, 4096u, line)
    : system.spawn<caf::detached>(let_wait, 0);
  x_admission = spawn_on(x_system.at(0), admission, shared<policy>{policy{}});
  x_registrar =
    spawn_on(x_system.at(0), note_wishes, &registrations, &last_registration);
  x_actors = {caf::actor_cast<caf::strong_actor_ptr>(x_passwords),
    caf::actor_cast<caf::strong_actor_ptr>(x_registrar),
    caf::actor_cast<caf::strong_actor_ptr>(x_admission)};
  for (size_t i = 0; i < 2; ++i) {
    pending_bytes.push_back(std::make_shared<uint64_t>(0));
    sockets.push_back(std::make_shared<connections>(uint64_t{i} << 48 | 1));
  }
  for (size_t i = 0; i < 2; ++i)
    start(i);
  x_listening = ::socket(AF_INET, SOCK_STREAM, 0);
  auto at = loopback();
  require(::bind(x_listening, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0
      && ::listen(x_listening, 10) == 0,
    "cannot listen");
}

void served::start(size_t i) {
  auto& home = x_system.at(i);
  auto gateway_of = spawn_on(home, gateway, sockets[i],
    std::function<std::shared_ptr<const connection_config>(const policy&)>{
      [config = x_config](const policy&) { return config; }});
  auto reader = spawn_on(home, read, &trouble);
  auto session = spawn_on(home, attend, &sessions);
  auto router =
    spawn_on(home, let_in, pass_for<session_actor>(session), &sessions);
  for (const auto& x : {caf::actor_cast<caf::strong_actor_ptr>(gateway_of),
         caf::actor_cast<caf::strong_actor_ptr>(reader),
         caf::actor_cast<caf::strong_actor_ptr>(session),
         caf::actor_cast<caf::strong_actor_ptr>(router)})
    x_actors.push_back(x);
  connections::settings with;
  with.home = &home;
  with.all.assign(sockets.begin(), sockets.end());
  with.places = x_places;
  with.line = line;
  with.pending_bytes = pending_bytes[i];
  with.budget = budget;
  with.index = i;
  with.router = pass_for<local_router_actor>(router);
  with.routers = 2;
  with.reader = pass_for<store_reader_actor>(reader);
  with.passwords = x_passwords;
  with.admission = x_admission;
  with.registrar = x_registrar;
  with.world = std::make_shared<plain_world>();
  with.protocol = x_config;
  sockets[i]->start(std::move(with), gateway_of);
}

served::~served() {
  ::close(x_listening);
  on(home(), [this] { sessions.link = nullptr; });
  for (size_t i = 0; i < 2; ++i)
    on(i, [this, i] { sockets[i]->clear(); });
  for (auto& x : x_actors)
    caf::anon_send_exit(x, caf::exit_reason::kill);
}

size_t served::home() const {
  return slot_of(user_address::parse(alice).value()) % 2;
}

void served::on(size_t worker, const std::function<void()>& what) {
  std::promise<void> done;
  boost::asio::post(x_system.at(worker).io(), [&] {
    what();
    done.set_value();
  });
  done.get_future().wait();
}

peer served::connect(size_t worker) {
  return peer{dial(worker), x_config->tls != nullptr};
}

int served::dial(size_t worker, wire_protocol protocol) {
  sockaddr_in at{};
  socklen_t size = sizeof(at);
  ::getsockname(x_listening, reinterpret_cast<sockaddr*>(&at), &size);
  const int mine = ::socket(AF_INET, SOCK_STREAM, 0);
  ::setsockopt(
    mine, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  // What is written later does not wait for what was written before.
  const int at_once = 1;
  ::setsockopt(mine, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
  require(::connect(mine, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0,
    "cannot connect");
  const int theirs = ::accept(x_listening, nullptr, nullptr);
  x_latest = theirs;
  on(worker, [&] {
    sockets[worker]->adopt(theirs, false, "127.0.0.1:5000",
      std::move(*connection_places::take(x_places, "127.0.0.1")), protocol);
  });
  return mine;
}

peer sign_in(served& s) {
  auto p = s.connect(s.home());
  p.begin_sign_in();
  p.finish_sign_in();
  require(p.read_until([&] {
    return p.client.last<native::session_started>() != nullptr;
  }),
    "nobody is let in");
  return p;
}

sign_in_counts served::tries() {
  sign_in_counts out;
  caf::scoped_actor self{x_system.system()};
  self->request(x_admission, caf::infinite, count_atom::value)
    .receive([&out](const sign_in_counts& x) { out = x; },
      [](const caf::error&) { require(false, "no counts came"); });
  return out;
}

} // namespace parley::test
