#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <functional>
#include <optional>

#include <unistd.h>

#include "protocol/client/client.hpp"
#include "tests/client/loopback_server.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;

namespace {

/// Writes down what it is told.
class listener : public client_events {
public:
  void on_ready(const address&, bool resumed) override {
    ++readies;
    was_resumed = resumed;
  }
  void on_message(const received_im& x) override {
    bodies.emplace_back(x.body);
  }
  void on_outcome(request_tag, std::string_view, std::string_view,
    const outcome& what) override {
    delivered += what.what == outcome::kind::delivered;
  }
  void on_disconnected(const failure& why, std::chrono::milliseconds) override {
    ++losses;
    last_loss = why;
  }
  void on_gone(const failure& why) override { end = why; }

  size_t readies = 0;
  size_t losses = 0;
  size_t delivered = 0;
  bool was_resumed = false;
  std::vector<std::string> bodies;
  failure last_loss;
  std::optional<failure> end;
};

/// A folder with a fresh certificate for localhost.
class certificate {
public:
  certificate() {
    auto name = "parley-client-test-" + std::to_string(::getpid()) + "-"
      + std::to_string(count()++);
    folder = std::filesystem::temp_directory_path() / name;
    std::filesystem::create_directory(folder);
    BOOST_REQUIRE(make_self_signed(file(), key(), "example.org"));
  }
  ~certificate() { std::filesystem::remove_all(folder); }

  std::string file() const { return folder / "certificate.pem"; }
  std::string key() const { return folder / "key.pem"; }
  std::shared_ptr<tls_context> load() const {
    return *tls_context::load(file(), key());
  }

private:
  static int& count() {
    static int n = 0;
    return n;
  }
  std::filesystem::path folder;
};

struct world {
  explicit world(
    std::shared_ptr<tls_context> tls = nullptr, const char* host = "127.0.0.1")
    : model(std::move(tls)), server(io, model, host), loop(io) {
    options.host = host;
    options.port = server.port();
    options.transport = client_options::protection::plain;
    for (auto name : {"alice@example.org", "bob@example.org"})
      model.add_account(name);
  }

  std::unique_ptr<client> join(const std::string& user, listener& events) {
    auto target = client_target::make(options);
    BOOST_REQUIRE(target);
    auto x = std::make_unique<client>(loop, *target,
      client_account{user + "@example.org", "secret", "desk", {}}, events,
      ++seeds);
    x->start();
    return x;
  }

  /// Runs until `done`; the test fails if that takes very long.
  void until(std::function<bool()> done) {
    auto end = std::chrono::steady_clock::now() + 20s;
    while (!done() && std::chrono::steady_clock::now() < end)
      io.run_one_for(100ms);
    BOOST_REQUIRE(done());
  }

  boost::asio::io_context io;
  model_server model;
  loopback_server server;
  client_loop loop;
  client_options options;
  uint64_t seeds = 0;
};

/// Both sign in, and 50 IMs, long ones among them, go from one to the other.
void talk(world& x) {
  listener alice_hears, bob_hears;
  auto alice = x.join("alice", alice_hears);
  auto bob = x.join("bob", bob_hears);
  x.until([&] { return alice_hears.readies == 1 && bob_hears.readies == 1; });
  std::vector<std::string> bodies;
  for (size_t i = 0; i < 50; ++i) {
    bodies.push_back(std::to_string(i) + std::string(i * i * 80, 'x'));
    (*alice)->send(
      {(*alice)->new_id().value, "bob@example.org", bodies.back(), {}, false});
  }
  x.until([&] { return alice_hears.delivered == 50; });
  BOOST_TEST((bob_hears.bodies == bodies));
  (*alice)->sign_out();
  x.until([&] { return alice_hears.end.has_value(); });
  BOOST_TEST((alice_hears.end->code == errc::signed_out));
  BOOST_TEST(alice_hears.losses == 0u);
}

} // namespace

BOOST_AUTO_TEST_CASE(clients_talk_over_plain_tcp) {
  world x;
  talk(x);
}

BOOST_AUTO_TEST_CASE(clients_talk_over_ipv6) {
  world x(nullptr, "::1");
  talk(x);
}

BOOST_AUTO_TEST_CASE(clients_talk_to_a_named_host) {
  world x;
  x.options.host = "localhost";
  talk(x);
}

BOOST_AUTO_TEST_CASE(clients_talk_over_tls_with_a_trusted_certificate) {
  certificate c;
  world x(c.load());
  x.options.transport = client_options::protection::tls;
  x.options.ca_file = c.file();
  talk(x);
}

BOOST_AUTO_TEST_CASE(clients_talk_over_tls_with_any_certificate_if_asked_to) {
  certificate c;
  world x(c.load());
  x.options.transport = client_options::protection::tls_unverified;
  talk(x);
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_not_trusted_ends_the_client) {
  certificate c, other;
  world x(c.load());
  x.options.transport = client_options::protection::tls;
  x.options.ca_file = other.file();
  listener hears;
  auto alice = x.join("alice", hears);
  x.until([&] { return hears.end.has_value(); });
  BOOST_TEST((hears.end->code == errc::tls_failed));
  BOOST_TEST(hears.readies == 0u);
}

BOOST_AUTO_TEST_CASE(a_ca_file_that_is_none_is_refused_at_once) {
  client_options x;
  x.host = "localhost";
  x.port = 1;
  x.ca_file = "/nonexistent/ca.pem";
  BOOST_TEST(!client_target::make(x));
}

BOOST_AUTO_TEST_CASE(a_plain_client_at_a_tls_port_is_told_so) {
  certificate c;
  world x(c.load());
  listener hears;
  auto alice = x.join("alice", hears);
  x.until([&] { return hears.end || hears.losses > 0; });
  BOOST_TEST(hears.readies == 0u);
}

BOOST_AUTO_TEST_CASE(a_client_comes_back_by_itself_and_resumes) {
  for (bool tls : {false, true}) {
    certificate c;
    world x(tls ? c.load() : nullptr);
    if (tls)
      x.options.transport = client_options::protection::tls_unverified;
    listener alice_hears, bob_hears;
    auto alice = x.join("alice", alice_hears);
    auto bob = x.join("bob", bob_hears);
    x.until([&] { return alice_hears.readies == 1 && bob_hears.readies == 1; });
    x.server.cut_all();
    (*alice)->send({"m1", "bob@example.org", "still here", {}, false});
    x.until([&] { return alice_hears.delivered == 1; });
    BOOST_TEST(alice_hears.was_resumed);
    BOOST_TEST(bob_hears.bodies.size() == 1u);
    BOOST_TEST(x.model.resumes == 2u);
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_there_is_tried_again) {
  world x;
  x.server.stop_listening();
  listener hears;
  auto alice = x.join("alice", hears);
  x.until([&] { return hears.losses >= 2; });
  BOOST_TEST(!hears.end);
  BOOST_TEST(
    hears.last_loss.text.find("cannot be reached") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_client_may_be_destroyed_at_any_time) {
  certificate c;
  world x(c.load());
  x.options.transport = client_options::protection::tls_unverified;
  listener hears;
  for (int turns = 0; turns < 60; ++turns) {
    auto alice = x.join("alice", hears);
    for (int i = 0; i < turns; ++i)
      x.io.poll_one();
  }
  for (int i = 0; i < 20; ++i)
    x.io.run_one_for(10ms);
}

BOOST_AUTO_TEST_CASE(servers_are_written_as_host_and_port) {
  auto host = [](std::string_view text) {
    client_options x;
    auto ok = parse_server(text, x);
    return ok ? x.host + " " + std::to_string(x.port) : std::string{};
  };
  BOOST_TEST(host("example.org:5222") == "example.org 5222");
  BOOST_TEST(host("127.0.0.1:1") == "127.0.0.1 1");
  BOOST_TEST(host("[::1]:65535") == "::1 65535");
  for (auto text :
    {"", ":1", "x", "x:", "x:0", "x:65536", "x:1x", "::1:5", "[]:5", "x:-1"})
    BOOST_TEST(host(text).empty(), text);
}
