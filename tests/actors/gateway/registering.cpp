#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <sys/socket.h>

#include "protocol/defaults.hpp"
#include "tests/actors/gateway/served.hpp"

// Strangers of XMPP who ask for an account, up to the registrar.
namespace parley::test {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view wish =
  "<?xml version='1.0'?><stream:stream to='example.org' version='1.0' "
  "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
  "<iq type='set' id='r'><query xmlns='jabber:iq:register'>"
  "<username>eve</username><password>secret</password></query></iq>";

class xmpp_stranger {
public:
  explicit xmpp_stranger(served& s) : x_fd(s.dial(0, wire_protocol::xmpp)) {}
  ~xmpp_stranger() { ::close(x_fd); }

  void say(std::string_view text) {
    BOOST_REQUIRE(::send(x_fd, text.data(), text.size(), MSG_NOSIGNAL)
      == static_cast<ssize_t>(text.size()));
  }
  /// What comes up to this.
  std::string hear(std::string_view end) {
    std::string all;
    char c = 0;
    while (all.find(end) == all.npos && ::recv(x_fd, &c, 1, 0) == 1)
      all += c;
    return all;
  }
  /// Says no more, and would hear.
  void half_close() { ::shutdown(x_fd, SHUT_WR); }

private:
  int x_fd;
};

BOOST_AUTO_TEST_SUITE(registering)

BOOST_AUTO_TEST_CASE(where_too_many_passwords_wait_no_account_is_asked_for) {
  served s{1};
  BOOST_REQUIRE(s.line->enter(999'999));
  xmpp_stranger x{s};
  x.say(wish);
  BOOST_TEST(x.hear("</iq>").find("<resource-constraint") != std::string::npos);
  BOOST_TEST(s.registrations == 0);
  BOOST_TEST(s.line->claim(999'999));
  xmpp_stranger other{s};
  other.say(wish);
  BOOST_TEST(eventually([&] { return s.registrations == 1; }));
  BOOST_TEST(s.line->size() == 1u);
}

BOOST_AUTO_TEST_CASE(who_leaves_while_its_account_is_made_leaves_the_line) {
  for (const bool says_more : {false, true}) {
    served s{1};
    xmpp_stranger x{s};
    x.say(wish);
    BOOST_REQUIRE(eventually([&] { return s.registrations == 1; }));
    BOOST_TEST(s.line->size() == 1u);
    const auto ticket = s.last_registration.load();
    const auto left = std::chrono::steady_clock::now();
    if (says_more)
      x.say("<presence/>"); // nobody reads it
    x.half_close();
    const auto is_closed = [&] {
      bool closed = false;
      s.on(0, [&] { closed = s.sockets[0]->counts().signing_in == 0; });
      return closed;
    };
    BOOST_TEST(eventually(is_closed));
    // Long before the time to sign in is over.
    BOOST_TEST((std::chrono::steady_clock::now() - left < 15s));
    BOOST_TEST(!s.line->claim(ticket));
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
