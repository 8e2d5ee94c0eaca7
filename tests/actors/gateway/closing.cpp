#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"
#include "tests/actors/gateway/served.hpp"

// What becomes of those on the way in when the server stops.
namespace parley::test {

namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(closing)

BOOST_AUTO_TEST_CASE(a_client_gets_in_and_moves_to_its_worker) {
  for (size_t worker : {0, 1}) {
    served s;
    auto p = s.connect(worker);
    p.begin_sign_in();
    p.finish_sign_in();
    BOOST_TEST(p.read_until(
      [&] { return p.client.last<native::session_started>() != nullptr; }));
    s.on(s.home(), [&] { BOOST_TEST(s.sockets[s.home()]->size() == 1u); });
    s.on(s.other(), [&] { BOOST_TEST(s.sockets[s.other()]->size() == 0u); });
  }
}

BOOST_AUTO_TEST_CASE(
  who_proves_itself_during_the_stop_is_told_when_to_come_back) {
  for (size_t worker : {0, 1}) {
    served s;
    auto p = s.connect(worker);
    p.begin_sign_in();
    for (size_t i : {0, 1})
      s.on(i, [&] { s.sockets[i]->stop(); });
    p.finish_sign_in();
    const auto& said = p.refusal();
    BOOST_TEST((said.scope == error_scope::connection));
    BOOST_TEST((said.why.code == errc::server_stopping));
    BOOST_TEST((*said.why.retry_after >= defaults::come_back_min));
    BOOST_TEST((*said.why.retry_after <= defaults::come_back_max));
    BOOST_TEST(p.read_to_the_end());
    BOOST_TEST(!s.sessions.is_in);
  }
}

BOOST_AUTO_TEST_CASE(a_resume_during_the_stop_is_answered_likewise) {
  served s;
  auto p = s.connect(0);
  p.greet();
  s.on(0, [&] { s.sockets[0]->stop(); });
  p.client.say(native::resume_session{std::string(24, 't'), {}});
  p.flush();
  BOOST_TEST((p.refusal().why.code == errc::server_stopping));
}

BOOST_AUTO_TEST_CASE(a_move_to_a_worker_that_has_closed_its_sockets_just_ends) {
  served s;
  auto p = s.connect(s.other());
  p.begin_sign_in();
  s.on(s.home(), [&] { s.sockets[s.home()]->clear(); });
  // The worker it is on knows nothing of a stop yet.
  p.finish_sign_in();
  BOOST_TEST(p.read_to_the_end());
  BOOST_TEST(!s.sessions.is_in);
}

BOOST_AUTO_TEST_CASE(closing_the_sockets_ends_those_in_a_session) {
  served s;
  auto p = s.connect(s.home());
  p.begin_sign_in();
  p.finish_sign_in();
  BOOST_TEST(eventually([&] { return s.sessions.is_in.load(); }));
  s.on(s.home(), [&] { s.sockets[s.home()]->clear(); });
  BOOST_TEST(p.read_to_the_end());
  BOOST_TEST(eventually([&] { return s.sessions.lost == 1; }));
}

BOOST_AUTO_TEST_CASE(nothing_falls_due_where_the_sockets_are_closed) {
  served s;
  auto p = s.connect(s.home());
  p.greet();
  auto& sockets = *s.sockets[s.home()];
  s.on(s.home(), [&] {
    sockets.sweep();
    sockets.clear();
    sockets.sweep();
  });
  BOOST_TEST(p.read_to_the_end());
  s.on(s.home(), [&] { sockets.sweep(); });
  s.on(s.home(), [&] { BOOST_TEST(sockets.size() == 0u); });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
