#include "actors/launcher/admin_server.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include "actors/launcher/admin_peer.hpp"
#include "actors/launcher/admin_requests.hpp"
#include "protocol/defaults.hpp"

namespace parley {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

struct connected_operator : admin_peer {
  using admin_peer::admin_peer;
  open_imports imports;
};

/// The modes of folder and socket keep others out; this holds also where
/// somebody has opened them. `become` was called before.
bool may_operate(int fd) {
  ucred who{};
  socklen_t n = sizeof(who);
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0
    && (who.uid == 0 || who.uid == ::geteuid());
}

} // namespace

struct admin_server::impl {
  std::string path;
  int listening = -1;
  int wake[2] = {-1, -1};
  std::atomic<bool> stopping = false;
  std::thread thread;
  std::vector<connected_operator> peers;
  /// Nobody is accepted before: there were no descriptors left.
  steady_clock::time_point accept_again;

  ~impl() {
    for (auto fd : {listening, wake[0], wake[1]})
      if (fd >= 0)
        ::close(fd);
  }

  bool accepts(steady_clock::time_point now) const {
    if (now < accept_again)
      return false;
    return peers.size() < defaults::admin_clients_max
      || now - longest_silent()->last_active() >= defaults::admin_patience;
  }

  std::vector<connected_operator>::const_iterator longest_silent() const {
    return std::min_element(
      peers.begin(), peers.end(), [](const auto& a, const auto& b) {
        return a.last_active() < b.last_active();
      });
  }

  milliseconds time_to_wait(steady_clock::time_point now) const {
    if (std::any_of(peers.begin(), peers.end(),
          [](const auto& p) { return p.has_line(); }))
      return milliseconds{0};
    return accepts(now) ? milliseconds{-1}
                        : milliseconds{defaults::accept_pause};
  }

  void accept_one(steady_clock::time_point now, admin_requests& requests) {
    auto fd =
      ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (errno == EINTR || errno == EAGAIN || errno == ECONNABORTED)
        return;
      SPDLOG_WARN("cannot accept an operator: {}", std::strerror(errno));
      accept_again = now + defaults::accept_pause;
      return;
    }
    if (!may_operate(fd)) {
      constexpr std::string_view refusal =
        "{\"error\":\"not_authorised\",\"text\":\"only the server's user and "
        "root may operate it\"}\n";
      (void)!::send(fd, refusal.data(), refusal.size(), MSG_NOSIGNAL);
      ::close(fd);
      return;
    }
    if (peers.size() >= defaults::admin_clients_max) {
      auto silent = peers.begin() + (longest_silent() - peers.cbegin());
      requests.end_imports(silent->who(), silent->imports);
      peers.erase(silent);
    }
    peers.emplace_back(fd, now);
  }

  /// What can be done without waiting; false when it is time to end.
  bool turn(admin_requests& requests) {
    auto now = steady_clock::now();
    std::vector<pollfd> fds{
      {wake[0], POLLIN, 0}, {accepts(now) ? listening : -1, POLLIN, 0}};
    for (const auto& p : peers)
      fds.push_back({p.fd(), p.wanted_events(), 0});
    auto ms = static_cast<int>(time_to_wait(now).count());
    auto n = ::poll(fds.data(), fds.size(), ms);
    // A signal interrupts: giving up privileges is one, for the C library.
    if (n < 0 && errno != EINTR) {
      SPDLOG_ERROR("waiting for operators: {}", std::strerror(errno));
      std::this_thread::sleep_for(defaults::accept_pause);
    }
    if (n < 0)
      return !stopping;
    now = steady_clock::now();
    for (size_t i = 0; i < peers.size() && !stopping; ++i) {
      auto& p = peers[i];
      p.handle(fds[i + 2].revents, now);
      if (p.is_over())
        continue;
      if (auto line = p.take_line())
        p.put_line(
          requests.answer(*line, p.who(), p.imports), steady_clock::now());
    }
    for (auto& p : peers)
      if (p.is_over())
        requests.end_imports(p.who(), p.imports);
    std::erase_if(peers, [](const auto& p) { return p.is_over(); });
    if (fds[1].revents != 0)
      accept_one(now, requests);
    return !stopping;
  }

  void run(caf::actor_system& system, actors reach) {
    admin_requests requests{system, std::move(reach), stopping};
    while (turn(requests))
      continue;
    for (auto& p : peers)
      requests.end_imports(p.who(), p.imports);
    peers.clear();
  }
};

admin_server::admin_server(std::unique_ptr<impl> x) : x_impl(std::move(x)) {}

void admin_server::stop_soon() {
  x_impl->stopping = true;
  char end = 0;
  (void)!::write(x_impl->wake[1], &end, 1);
}

admin_server::~admin_server() {
  stop_soon();
  x_impl->thread.join();
  ::unlink(x_impl->path.c_str());
}

result<std::unique_ptr<admin_server>> admin_server::start(
  caf::actor_system& system, std::string path, actors reach) {
  auto refuse = [&path] {
    return fail(errc::store_unavailable,
      "cannot make the admin socket " + path + ": " + std::strerror(errno));
  };
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.size() >= sizeof(at.sun_path))
    return fail(errc::store_unavailable,
      "the path of the admin socket is too long: " + path);
  path.copy(at.sun_path, sizeof(at.sun_path) - 1);
  auto x = std::make_unique<impl>();
  x->path = path;
  x->listening =
    ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (x->listening < 0 || ::pipe2(x->wake, O_CLOEXEC | O_NONBLOCK) != 0)
    return refuse();
  // The store's lock says that no other server is here: a socket is a
  // left-over.
  ::unlink(path.c_str());
  auto mask = ::umask(S_IRWXG | S_IRWXO | S_IXUSR);
  auto bound =
    ::bind(x->listening, reinterpret_cast<const sockaddr*>(&at), sizeof(at));
  ::umask(mask);
  if (bound != 0 || ::listen(x->listening, SOMAXCONN) != 0)
    return refuse();
  x->thread = std::thread{[raw = x.get(), &system, reach = std::move(reach)] {
    raw->run(system, reach);
  }};
  return std::unique_ptr<admin_server>{new admin_server(std::move(x))};
}

} // namespace parley
