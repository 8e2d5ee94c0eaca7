#include <boost/test/unit_test.hpp>

#include <string>
#include <thread>
#include <vector>

#include "protocol/defaults.hpp"
#include "tests/protocol/connection_fixture.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;
using kind = dialogue::kind;

namespace {

/// Up to the welcome.
void greet(dialogue& d) {
  d.client.magic();
  d.client.hello();
  d.pump();
}

void try_to_sign_in(dialogue& d, const std::string& mechanism,
  std::string_view user, std::string_view password) {
  d.client.authenticate(mechanism, user, password);
  finish_exchange(d);
}

} // namespace

BOOST_AUTO_TEST_CASE(the_servers_magic_waits_from_the_beginning) {
  dialogue d;
  BOOST_TEST(d.server->output() == native::magic);
  BOOST_TEST(d.owner.calls.empty());
  d.pump();
  BOOST_TEST(d.client.magic_seen);
}

BOOST_AUTO_TEST_CASE(a_client_need_not_wait_for_the_magic) {
  dialogue d;
  greet(d);
  BOOST_TEST(d.client.magic_seen);
  BOOST_REQUIRE(d.client.last<native::welcome>());
}

BOOST_AUTO_TEST_CASE(the_welcome_tells_version_domain_mechanisms_and_limits) {
  for (const auto k : {kind::plain, kind::tls}) {
    dialogue d{k};
    greet(d);
    const auto* x = d.client.last<native::welcome>();
    BOOST_REQUIRE(x);
    BOOST_TEST(x->version == 1u);
    BOOST_TEST(x->domain == "example.org");
    BOOST_TEST(x->software == "Parley");
    BOOST_TEST(x->frame_max == defaults::frame_max);
    BOOST_TEST(x->body_max == 32'768u);
    BOOST_TEST(x->broadcast_max == 1'000u);
    BOOST_TEST(x->id_max == defaults::message_id_max);
    BOOST_TEST(x->mechanisms.size() == (k == kind::tls ? 5u : 2u));
  }
}

BOOST_AUTO_TEST_CASE(every_mechanism_signs_in) {
  for (const auto k : {kind::plain, kind::tls}) {
    dialogue offer{k};
    greet(offer);
    for (const auto& mechanism :
      offer.client.last<native::welcome>()->mechanisms) {
      BOOST_TEST_CONTEXT(mechanism) {
        dialogue d{k};
        d.sign_in(mechanism);
        const auto* x = d.client.last<native::session_started>();
        BOOST_REQUIRE(x);
        BOOST_TEST(d.client.sasl->finish(x->sasl).has_value());
        BOOST_TEST(x->what.self.str() == "alice@example.org/desk");
        BOOST_TEST(x->what.token == "token");
        BOOST_TEST(!x->what.resumed);
        BOOST_TEST((x->what.requests == window{64, 1 << 20}));
        BOOST_TEST((x->what.ims == window{32, 1 << 19}));
        BOOST_TEST((x->what.heartbeat == std::chrono::seconds{60}));
        BOOST_TEST((x->what.resume_window == std::chrono::seconds{60}));
        BOOST_TEST(d.owner.proofs.size() == 1u);
        BOOST_TEST(d.owner.proofs[0].first == alice);
        BOOST_TEST(d.owner.proofs[0].second);
        BOOST_TEST(
          d.owner.wish->transport == (k == kind::tls ? "TLSv1.3" : "plain"));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_whole_way_survives_being_cut_at_every_byte) {
  for (const auto k : {kind::plain, kind::tls})
    for (const size_t piece : {1u, 2u, 3u, 5u, 50u}) {
      dialogue d{k};
      d.client.magic();
      d.client.hello();
      d.pump(piece);
      BOOST_REQUIRE(d.client.last<native::welcome>());
      d.client.authenticate("SCRAM-SHA-256", alice, alices_password);
      finish_exchange(d, piece);
      BOOST_REQUIRE(d.server->in_session());
      d.client.say(native::ping{7});
      d.pump(piece);
      BOOST_TEST(d.client.last<native::pong>()->nonce == 7u);
    }
}

BOOST_AUTO_TEST_CASE(the_owner_learns_what_the_client_wishes) {
  dialogue d;
  greet(d);
  d.client.authenticate(
    "SCRAM-SHA-256", "Alice", alices_password, "d\xc3\xa9sk");
  d.client.take();
  // The same once more, with everything that there is.
  native::authenticate x;
  x.mechanism = "SCRAM-SHA-256";
  x.initial = d.client.sasl->initial();
  x.endpoint = "d\xc3\xa9sk";
  x.presence = {show::away, "at lunch", -3};
  x.wanted = {5, 600};
  d.client.say(x);
  finish_exchange(d);
  BOOST_REQUIRE(d.owner.wish.has_value());
  BOOST_TEST(d.owner.asked_for == std::vector<std::string>{std::string{alice}});
  BOOST_TEST(d.owner.wish->user.str() == alice);
  BOOST_TEST(d.owner.wish->endpoint.str() == "d\xc3\xa9sk");
  BOOST_TEST((d.owner.wish->presence == x.presence));
  BOOST_TEST((d.owner.wish->wanted == x.wanted));
  BOOST_TEST(d.owner.wish->software == "test 1.0");
  BOOST_TEST(d.owner.wish->peer == "127.0.0.1:5000");
}

BOOST_AUTO_TEST_CASE(late_answers_of_the_owner_carry_on) {
  for (const std::string mechanism : {"SCRAM-SHA-256-PLUS", "PLAIN"}) {
    dialogue d{kind::tls};
    d.owner.answers_keys = false;
    d.owner.answers_session = false;
    greet(d);
    d.client.authenticate(mechanism, alice, alices_password);
    d.pump();
    BOOST_TEST(!d.owner.wish);
    if (mechanism == "PLAIN") {
      // The wrong kind of answer does nothing.
      d.server->keys_found(&alices_keys());
      d.server->accept(d.owner.grant);
      d.server->password_checked(true);
    } else {
      d.server->password_checked(true);
      d.server->refuse(failure{errc::overloaded});
      d.server->keys_found(&alices_keys());
      d.server->keys_found(&alices_keys());
      finish_exchange(d);
    }
    BOOST_REQUIRE(d.owner.wish.has_value());
    BOOST_TEST(!d.server->in_session());
    d.server->accept(d.owner.grant);
    BOOST_TEST(d.server->in_session());
    d.server->accept(d.owner.grant);
    d.server->refuse(failure{errc::overloaded});
    d.pump();
    BOOST_TEST(d.client.last<native::session_started>());
    BOOST_TEST(!d.client.last<native::refusal>());
  }
}

BOOST_AUTO_TEST_CASE(asking_for_a_session_is_the_last_thing_of_a_call) {
  // The owner may hand the connection to another thread in it.
  for (const auto* mechanism : {"SCRAM-SHA-256", "PLAIN"}) {
    dialogue d{kind::tls};
    d.owner.answers_session = false;
    greet(d);
    d.client.authenticate(mechanism, alice, alices_password);
    finish_exchange(d);
    BOOST_TEST(d.owner.calls.back() == "sign_in_wanted");
    d.server->refuse(failure{errc::too_many_endpoints});
    native::resume_session x;
    x.token = "abc";
    d.client.say(x);
    d.pump();
    BOOST_TEST(d.owner.calls.back() == "resume_wanted");
  }
}

BOOST_AUTO_TEST_CASE(another_thread_may_take_over_where_a_session_is_wanted) {
  // A race would be seen by the thread sanitizer.
  for (const std::string mechanism : {"SCRAM-SHA-256", "PLAIN"}) {
    dialogue d{kind::tls};
    d.owner.answers_session = false;
    greet(d);
    std::thread other;
    d.owner.hook = [&](std::string_view call) {
      if (call == "sign_in_wanted")
        other = std::thread{[&d] {
          d.server->accept(d.owner.grant);
          d.server->output();
        }};
    };
    d.client.authenticate(mechanism, alice, alices_password);
    if (mechanism != "PLAIN") {
      d.pump();
      d.client.respond();
    }
    d.to_server(d.client.take());
    BOOST_REQUIRE(other.joinable());
    other.join();
    d.owner.hook = nullptr;
    d.pump();
    BOOST_TEST(d.client.last<native::session_started>());
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_password_may_be_corrected) {
  for (const auto k : {kind::plain, kind::tls}) {
    dialogue d{k};
    greet(d);
    for (int i = 0; i < 2; ++i) {
      try_to_sign_in(
        d, k == kind::tls && i ? "PLAIN" : "SCRAM-SHA-256", alice, "wrong");
      BOOST_TEST((d.client.refused().scope == error_scope::request));
      BOOST_TEST((d.client.refused().why.code == errc::authentication_failed));
      BOOST_TEST(!d.owner.proofs.back().second);
      BOOST_TEST(d.owner.proofs.back().first == alice);
    }
    try_to_sign_in(d, "SCRAM-SHA-256", alice, alices_password);
    BOOST_TEST(d.server->in_session());
    BOOST_TEST(d.owner.proofs.size() == 3u);
  }
}

BOOST_AUTO_TEST_CASE(a_failure_says_when_a_further_try_is_let_in) {
  for (const auto wait : {std::chrono::milliseconds{0}, 1500ms}) {
    dialogue d;
    d.owner.wait_after_failure = wait;
    greet(d);
    try_to_sign_in(d, "SCRAM-SHA-256", alice, "wrong");
    BOOST_TEST((d.client.refused().why.code == errc::authentication_failed));
    BOOST_TEST((d.client.refused().why.retry_after.value_or(0ms) == wait));
    BOOST_TEST(
      d.client.refused().why.retry_after.has_value() == (wait.count() > 0));
  }
}

BOOST_AUTO_TEST_CASE(the_third_failure_closes) {
  dialogue d;
  greet(d);
  for (int i = 0; i < defaults::sign_in_tries; ++i) {
    BOOST_TEST(!d.server->is_closed());
    try_to_sign_in(d, "SCRAM-SHA-1", alice, "wrong");
  }
  BOOST_TEST((d.client.refused().scope == error_scope::connection));
  BOOST_TEST((d.client.refused().why.code == errc::authentication_failed));
  BOOST_REQUIRE(d.owner.end.has_value());
  BOOST_TEST((d.owner.end->code == errc::authentication_failed));
  BOOST_TEST(d.server->is_closed());
}

BOOST_AUTO_TEST_CASE(exchanges_begun_and_dropped_are_failures) {
  dialogue d;
  greet(d);
  for (int i = 0; i < defaults::sign_in_tries; ++i) {
    d.client.authenticate("SCRAM-SHA-256", alice, alices_password);
    d.pump();
    BOOST_TEST(!d.server->is_closed());
  }
  d.client.authenticate("SCRAM-SHA-256", alice, alices_password);
  d.pump();
  BOOST_TEST(d.server->is_closed());
  BOOST_TEST((d.client.refused().why.code == errc::authentication_failed));
}

BOOST_AUTO_TEST_CASE(nobody_can_tell_whether_an_account_exists) {
  // The same frames, of the same lengths, with the same words.
  const auto transcript_of = [](const std::string& mechanism, kind k,
                               std::string_view user) {
    dialogue d{k};
    greet(d);
    const auto before = d.client.received;
    try_to_sign_in(d, mechanism, user, "wrong");
    BOOST_TEST((d.client.refused().scope == error_scope::request));
    return std::pair{d.client.received - before,
      std::string{to_string(d.client.refused().why.code)} + ": "
        + d.client.refused().why.text};
  };
  const auto check = [&](const std::string& mechanism, kind k) {
    BOOST_TEST_CONTEXT(mechanism) {
      const auto known = transcript_of(mechanism, k, alice);
      const auto unknown = transcript_of(mechanism, k, "alicf@example.org");
      BOOST_TEST(known.first == unknown.first);
      BOOST_TEST(known.second == unknown.second);
      const auto foreign = transcript_of(mechanism, k, "alice@example.net");
      BOOST_TEST(known.first == foreign.first);
      BOOST_TEST(known.second == foreign.second);
    }
  };
  for (const auto* mechanism : {"SCRAM-SHA-256", "SCRAM-SHA-1"})
    check(mechanism, kind::plain);
  for (const auto* mechanism :
    {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "PLAIN"})
    check(mechanism, kind::tls);
}

BOOST_AUTO_TEST_CASE(the_owner_may_refuse_to_look) {
  for (const std::string mechanism : {"SCRAM-SHA-256", "PLAIN"}) {
    dialogue d{kind::tls};
    d.owner.answers_keys = false;
    greet(d);
    d.client.authenticate(mechanism, alice, alices_password);
    d.pump();
    failure why{errc::overloaded, "busy"};
    why.retry_after = std::chrono::milliseconds{1500};
    d.server->authentication_refused(why);
    d.pump();
    BOOST_TEST((d.client.refused().scope == error_scope::request));
    BOOST_TEST((d.client.refused().why == why));
    BOOST_TEST(d.owner.proofs.empty());
    // Too late.
    d.server->keys_found(&alices_keys());
    d.server->password_checked(true);
    BOOST_TEST(!d.owner.wish);
    d.owner.answers_keys = true;
    try_to_sign_in(d, mechanism, alice, alices_password);
    BOOST_TEST(d.server->in_session());
  }
}

BOOST_AUTO_TEST_CASE(a_refused_sign_in_may_be_tried_again) {
  dialogue d;
  greet(d);
  failure why{errc::too_many_endpoints};
  why.limit = 10;
  d.owner.refusal = why;
  try_to_sign_in(d, "SCRAM-SHA-256", alice, alices_password);
  BOOST_TEST((d.client.refused().scope == error_scope::request));
  BOOST_TEST((d.client.refused().why == why));
  d.owner.refusal.reset();
  try_to_sign_in(d, "SCRAM-SHA-256", alice, alices_password);
  BOOST_TEST(d.server->in_session());
}

BOOST_AUTO_TEST_CASE(a_bad_endpoint_name_is_refused_before_any_proof) {
  dialogue d;
  greet(d);
  d.client.authenticate(
    "SCRAM-SHA-256", alice, alices_password, std::string(256, 'x'));
  d.pump();
  BOOST_TEST((d.client.refused().scope == error_scope::request));
  BOOST_TEST((d.client.refused().why.code == errc::bad_address));
  BOOST_TEST(d.owner.asked_for.empty());
  BOOST_TEST(d.owner.proofs.empty());
}

BOOST_AUTO_TEST_CASE(plain_is_not_to_be_had_without_tls) {
  dialogue d;
  greet(d);
  native::authenticate x;
  x.mechanism = "PLAIN";
  x.initial = std::string{"\0alice\0secret", 13};
  d.client.say(x);
  d.pump();
  BOOST_TEST((d.client.refused().why.code == errc::mechanism_unavailable));
  BOOST_TEST((d.client.refused().scope == error_scope::request));
  BOOST_TEST(d.owner.asked_for.empty());
}

BOOST_AUTO_TEST_CASE(a_broken_exchange_is_a_failed_one) {
  dialogue d;
  greet(d);
  native::authenticate x;
  x.mechanism = "SCRAM-SHA-256";
  x.initial = "nonsense";
  d.client.say(x);
  d.pump();
  BOOST_TEST((d.client.refused().why.code == errc::authentication_failed));
  BOOST_TEST(d.owner.proofs.back().first.empty());
  d.client.authenticate("SCRAM-SHA-256", alice, alices_password);
  d.pump();
  d.client.say(native::sasl_response{"nonsense"});
  d.pump();
  BOOST_TEST((d.client.refused().why.code == errc::authentication_failed));
  BOOST_TEST(d.owner.proofs.back().first == alice);
  d.client.authenticate("SCRAM-SHA-256", alice, alices_password);
  d.pump();
  d.client.say(
    native::sasl_response{std::string(defaults::sasl_message_max + 1, 'x')});
  d.pump();
  BOOST_TEST(d.server->is_closed());
}

BOOST_AUTO_TEST_CASE(a_session_resumes_by_its_token) {
  dialogue d;
  d.owner.grant.resumed = true;
  d.owner.grant.last_request.value = 17;
  d.owner.grant.self = address::parse("alice@example.org/desk").value();
  greet(d);
  d.client.say(native::resume_session{std::string{"\0\xff token", 8}, {41}});
  d.pump();
  BOOST_TEST(d.server->in_session());
  BOOST_TEST(d.owner.resumption->token == (std::string{"\0\xff token", 8}));
  BOOST_TEST(d.owner.resumption->last_event.value == 41u);
  BOOST_TEST(d.owner.resumption->transport == "plain");
  BOOST_TEST(d.owner.resumption->peer == "127.0.0.1:5000");
  BOOST_TEST(d.owner.proofs.empty());
  const auto* x = d.client.last<native::session_started>();
  BOOST_REQUIRE(x);
  BOOST_TEST(x->what.resumed);
  BOOST_TEST(x->what.last_request.value == 17u);
  BOOST_TEST(x->sasl.empty());
  // What was sent on the earlier connection may be acknowledged again.
  d.client.say(native::ack{{41}});
  d.pump();
  BOOST_TEST(!d.server->is_closed());
  d.client.say(native::ack{{42}});
  d.pump();
  BOOST_TEST(d.server->is_closed());
}

BOOST_AUTO_TEST_CASE(after_a_refused_resume_the_client_signs_in) {
  dialogue d;
  greet(d);
  d.owner.refusal = failure{errc::resume_failed, "expired"};
  d.client.say(native::resume_session{"old", {3}});
  d.pump();
  BOOST_TEST((d.client.refused().scope == error_scope::request));
  BOOST_TEST((d.client.refused().why.code == errc::resume_failed));
  BOOST_TEST(d.client.refused().why.text == "expired");
  d.owner.refusal.reset();
  // It cost none of the tries.
  for (int i = 1; i < defaults::sign_in_tries; ++i)
    try_to_sign_in(d, "SCRAM-SHA-256", alice, "wrong");
  try_to_sign_in(d, "SCRAM-SHA-256", alice, alices_password);
  BOOST_TEST(d.server->in_session());
  // The numbers of the old session mean nothing.
  d.client.say(native::ack{{3}});
  d.pump();
  BOOST_TEST(d.server->is_closed());
}

BOOST_AUTO_TEST_CASE(tokens_cannot_be_guessed_on_and_on) {
  dialogue d;
  greet(d);
  d.owner.refusal = failure{errc::resume_failed};
  int tries = 0;
  while (!d.server->is_closed() && tries < 100) {
    d.client.say(native::resume_session{"guess", {}});
    d.pump();
    ++tries;
  }
  BOOST_TEST(tries == defaults::sign_in_tries + 1);
}

BOOST_AUTO_TEST_CASE(who_does_not_sign_in_in_time_is_cut_off) {
  for (const auto k : {kind::plain, kind::tls})
    for (int steps = 0; steps < 4; ++steps) {
      dialogue d{k};
      d.owner.answers_keys = steps < 3;
      if (steps > 0)
        d.client.magic();
      if (steps > 1)
        d.client.hello();
      if (steps > 0 || k == kind::plain)
        d.pump();
      if (steps > 2) {
        d.client.authenticate("SCRAM-SHA-256", alice, alices_password);
        d.pump();
      }
      d.wait(defaults::sign_in_timeout - std::chrono::milliseconds{1});
      BOOST_TEST(!d.server->is_closed());
      // What it says does not give it more time.
      if (steps > 1) {
        d.client.say(native::ping{1});
        d.pump();
      }
      d.wait(std::chrono::milliseconds{1});
      BOOST_TEST(d.server->is_closed());
      BOOST_TEST((d.owner.end->code == errc::timed_out));
      d.pump();
      if (steps > 0) {
        BOOST_TEST((d.client.refused().why.code == errc::timed_out));
        BOOST_TEST((d.client.refused().scope == error_scope::connection));
      }
      d.server->keys_found(&alices_keys());
    }
}

BOOST_AUTO_TEST_CASE(pings_are_answered_before_the_sign_in) {
  dialogue d;
  d.owner.answers_keys = false;
  greet(d);
  d.client.say(native::ping{3});
  d.client.say(native::pong{4});
  d.client.authenticate("SCRAM-SHA-256", alice, alices_password);
  d.client.say(native::ping{5});
  d.pump();
  BOOST_TEST(d.client.last<native::pong>()->nonce == 5u);
  BOOST_TEST(!d.server->is_closed());
}
