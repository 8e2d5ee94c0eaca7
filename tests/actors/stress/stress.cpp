#include <utility> // Boost 1.74 needs it first

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "actors/launcher/admin_socket.hpp"
#include "actors/launcher/data_folder.hpp"
#include "actors/launcher/server.hpp"
#include "protocol/defaults.hpp"
#include "tests/actors/stress/restless_client.hpp"

// A whole server, on its scheduler and with sockets, while everything happens
// at once: sign-ins, sign-outs, moves, kicks, changed settings, and a stop in
// the middle of it.
namespace parley::test {

namespace {

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto stress_time = 2s;
/// Where the machine has no time for it.
constexpr auto stress_time_max = 60s;
constexpr size_t users = 6;
constexpr size_t endpoints = 3;
const std::string password = "correct horse";

std::string name_of(size_t n) {
  return "u" + std::to_string(n) + "@example.org";
}

/// A folder that goes with it.
struct folder {
  folder() {
    path = std::filesystem::temp_directory_path()
      / ("parley-stress-" + std::to_string(::getpid()));
    std::filesystem::remove_all(path);
    std::filesystem::create_directory(path);
  }
  ~folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

/// Clients, on a thread of their own until they are told to end.
class crowd {
public:
  crowd(const std::string& server, uint64_t seed) : x_seed(seed) {
    client_options how;
    how.transport = client_options::protection::plain;
    BOOST_REQUIRE(parse_server(server, how));
    how.core.software = "stress";
    x_target = *client_target::make(how);
    x_thread = std::thread{[this] { run(); }};
  }
  ~crowd() { end(); }

  /// Something of everything has happened.
  bool is_busy() const {
    return x_all.sign_ins > users && x_all.losses > 0 && x_all.messages > 0
      && x_all.outcomes > 0;
  }

  const doings& end() {
    if (x_thread.joinable()) {
      asio::post(x_io, [this] { x_io.stop(); });
      x_thread.join();
    }
    return x_all;
  }

private:
  void run() {
    client_loop loop{x_io};
    std::vector<std::unique_ptr<restless_client>> all;
    std::vector<std::string> names;
    for (size_t n = 0; n < users; ++n)
      names.push_back(name_of(n));
    for (size_t n = 0; n < users * endpoints; ++n) {
      client_account who;
      who.user = names[n % users];
      who.password = password;
      who.endpoint = "e" + std::to_string(n / users);
      all.push_back(std::make_unique<restless_client>(
        loop, x_target, who, names, x_seed + n, x_all));
    }
    asio::steady_timer timer{x_io};
    std::function<void()> round = [&] {
      for (auto& c : all)
        c->act();
      timer.expires_after(2ms);
      timer.async_wait([&](const boost::system::error_code& ec) {
        if (!ec)
          round();
      });
    };
    round();
    x_io.run();
  }

  asio::io_context x_io;
  const uint64_t x_seed;
  std::shared_ptr<const client_target> x_target;
  doings x_all;
  std::thread x_thread;
};

/// What an operator may do meanwhile, again and again.
void operate(const std::string& data, uint64_t seed, steady_clock::duration d) {
  std::mt19937_64 random{seed};
  admin_socket admin{data, defaults::admin_answer_patience};
  const std::vector<std::pair<std::string, std::string>> settings{
    {"session.buffer", "10"}, {"session.buffer", "100"},
    {"presence.sharing", "off"}, {"presence.sharing", "on"},
    {"im.grace", "100ms"}, {"im.grace", "2s"}, {"im.enabled", "off"},
    {"im.enabled", "on"}, {"session.resume_window", "0s"},
    {"session.resume_window", "60s"}, {"presence.auto_approve", "off"},
    {"presence.auto_approve", "on"}};
  for (auto end = steady_clock::now() + d; steady_clock::now() < end;) {
    switch (random() % 5) {
    case 0:
      admin.ask({{"op", "kick"}, {"user", name_of(random() % users)}});
      break;
    case 1:
      admin.ask({{"op", "sessions"}});
      break;
    case 2:
      BOOST_TEST(admin.ask({{"op", "troubleshoot"}}).contains("checks"));
      break;
    case 3:
      admin.ask({{"op", "user.password"}, {"user", name_of(random() % users)},
        {"password", password}});
      break;
    default: {
      const auto& [name, value] = settings[random() % settings.size()];
      admin.ask({{"op", "settings.set"}, {"name", name}, {"value", value}});
    }
    }
    std::this_thread::sleep_for(5ms);
  }
}

BOOST_AUTO_TEST_SUITE(stress)

BOOST_DATA_TEST_CASE(
  everything_at_once_and_then_a_stop, data::make({1, 2, 8}), workers) {
  spdlog::set_level(spdlog::level::off);
  const uint64_t seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  BOOST_TEST_CONTEXT("seed " << seed) {
    folder f;
    serve_options how;
    how.data = f.path / "data";
    how.listen.push_back(*listen_address::parse("127.0.0.1:0"));
    how.plain = true;
    how.domain = "example.org";
    how.threads = static_cast<size_t>(workers);
    auto started = server::start(how);
    BOOST_REQUIRE(started);
    auto& sut = **started;
    {
      admin_socket admin{how.data, defaults::admin_answer_patience};
      for (size_t n = 0; n < users; ++n)
        BOOST_REQUIRE(admin
                        .ask({{"op", "user.add"}, {"user", name_of(n)},
                          {"password", password}})
                        .contains("user"));
    }
    crowd clients{sut.listening().front(), seed};
    operate(how.data, seed, stress_time);
    for (auto spent = stress_time;
         !clients.is_busy() && spent < stress_time_max; spent += stress_time)
      operate(
        how.data, seed + static_cast<uint64_t>(spent.count()), stress_time);
    // Under load.
    auto began = steady_clock::now();
    sut.stop();
    auto took = steady_clock::now() - began;
    const auto& all = clients.end();
    BOOST_TEST(all.sign_ins.load() > users);
    BOOST_TEST(all.losses.load() > 0u);
    BOOST_TEST(all.messages.load() > 0u);
    BOOST_TEST(all.outcomes.load() > 0u);
    BOOST_TEST(all.outcomes_too_many.load() == 0u);
    BOOST_TEST((took < 2 * (defaults::stop_timeout + defaults::stop_slack)));
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
