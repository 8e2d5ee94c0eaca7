#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/gateway/gateway.hpp"
#include "tests/actors/runtime/running_system.hpp"
#include "tests/protocol/connection_fixture.hpp"

/// A gateway on real workers and sockets. What stands behind it, reader and
/// routers, is made up here: it knows one account, alice, and lets all in.
namespace parley::test {

/// What the made-up sessions heard.
struct heard {
  std::atomic<int> requests{0};
  /// The first number of those that came together; on their worker's thread
  /// only.
  std::vector<uint64_t> first_numbers;
  std::atomic<int> lost{0};
  std::atomic<int> drained{0};
  /// The last connection that was let in; on its worker's thread only.
  link_ptr link;
  std::atomic<bool> is_in{false};
  /// It says of no request that it has handled it.
  std::atomic<bool> takes_its_time{false};
  /// Bytes that it says it holds for the client.
  std::atomic<uint64_t> holds{0};
};

/// The client's end of one connection.
class peer {
public:
  explicit peer(int fd, bool tls = false);
  ~peer();
  peer(peer&& x) noexcept;

  /// Writes what the client has to say; must not block for long.
  void flush();
  /// Reads until `done()`, or the end; false if that takes too long.
  bool read_until(const std::function<bool()>& done);
  /// Until a refusal is there.
  const native::refusal& refusal();
  bool read_to_the_end();
  /// Up to the welcome.
  void greet();
  /// Up to the last message before the proof's answer; PLAIN has one alone.
  void begin_sign_in(const std::string& mechanism = "SCRAM-SHA-256");
  void finish_sign_in();

  test_client client;

private:
  int x_fd;
  bool x_ended = false;
};

/// Whether passwords are looked at, or wait for ever.
enum class hashing { done, stalled };

class served {
public:
  explicit served(size_t passwords_max = 10, bool tls = false,
    std::shared_ptr<memory_budget> budget = nullptr,
    hashing passwords = hashing::done);
  ~served();

  /// A connection that is accepted by this worker.
  peer connect(size_t worker);
  /// The client's socket of one.
  int dial(size_t worker, wire_protocol protocol = wire_protocol::native);
  /// The server's socket of the latest connection.
  int latest() const { return x_latest; }
  /// What became of all tries to sign in so far.
  sign_in_counts tries();
  /// Runs it on a worker's thread and waits.
  void on(size_t worker, const std::function<void()>& what);

  /// The worker of alice's sessions, and the other one.
  size_t home() const;
  size_t other() const { return 1 - home(); }

  std::shared_ptr<memory_budget> budget;
  heard sessions;
  /// What reading an account fails with, unless `none`; on the workers'
  /// threads.
  failure trouble;
  /// What came to the registrar, which answers nobody.
  std::atomic<int> registrations{0};
  std::atomic<uint64_t> last_registration{0};
  std::shared_ptr<password_line> line;
  std::vector<std::shared_ptr<uint64_t>> pending_bytes;
  std::vector<std::shared_ptr<connections>> sockets;

private:
  void start(size_t worker);

  running_system x_system{2};
  std::shared_ptr<const connection_config> x_config;
  std::shared_ptr<connection_places> x_places;
  std::vector<gateway_actor> x_gateways;
  std::vector<caf::strong_actor_ptr> x_actors;
  admission_actor x_admission;
  password_actor x_passwords;
  registrar_actor x_registrar;
  int x_listening = -1;
  int x_latest = -1;
};

/// A client in its session.
peer sign_in(served& s);

} // namespace parley::test
