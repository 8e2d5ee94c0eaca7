#include "actors/observation/im_trace.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

#include "protocol/defaults.hpp"

namespace parley::test {

namespace {

using texts = std::vector<std::string>;

user_address user(const std::string& name) {
  return user_address::from_prepared(name + "@example.org");
}

const user_address alice = user("alice");
const user_address bob = user("bob");
constexpr session_id desk{7};

/// One shard that sends, accepts and settles.
struct shard {
  explicit shard(size_t ims) : trace(ims) {}

  im make(const std::string& id, const user_address& from) {
    im x;
    x.id.value = id;
    x.from.user = from;
    return x;
  }

  void submit(const std::string& id, const user_address& from = alice,
    const user_address& to = bob) {
    auto x = make(id, from);
    auto hash = retry_hash(from, x.id, to);
    trace.set_time(++now);
    trace.submitted(x, hash, hash ^ salt, desk, from, to);
  }

  /// The whole way of an IM, handed out so often.
  void send(const std::string& id, size_t copies = 1) {
    submit(id);
    message_id named{id};
    auto hash = retry_hash(alice, named, bob);
    trace.accepted(bob, im_order{++order}, hash ^ salt);
    for (size_t i = 0; i < copies; ++i)
      trace.happened(trace_kind::handed_out, bob, im_order{order}, {100 + i});
    trace.outcome_of(hash, outcome{outcome::kind::delivered, {}});
  }

  address name_of(session_id x) const {
    if (x == desk)
      return {alice, endpoint_name::from_prepared("desk")};
    return {};
  }

  trace_found find(const std::string& id, const user_address& from = {}) {
    return trace.find(
      message_id{id}, from, [this](session_id x) { return name_of(x); });
  }

  /// `event` or `event endpoint`, of all IMs under an id.
  texts story(const std::string& id, const user_address& from = {}) {
    auto found = find(id, from);
    auto more =
      trace.events_of(found.ims, [this](session_id x) { return name_of(x); });
    found.events.insert(found.events.end(), more.begin(), more.end());
    texts xs;
    for (const auto& e : found.events)
      xs.push_back(std::string{to_string(e.what)}
        + (e.endpoint.empty() ? "" : " " + e.endpoint.endpoint.str()));
    return xs;
  }

  static constexpr uint64_t salt = 0x1234'5678'9abc'def1;
  im_trace trace;
  uint64_t now = 1'700'000'000'000'000;
  uint64_t order = 1'700'000'000'000'000;
};

} // namespace

BOOST_AUTO_TEST_SUITE(im_trace_)

BOOST_AUTO_TEST_CASE(an_im_is_found_by_its_id_with_what_became_of_it) {
  shard s{100};
  s.send("other");
  s.send("mine");
  s.send("another");
  BOOST_TEST((s.story("mine")
    == texts{"submitted desk", "accepted", "handed_out", "delivered"}));
  auto found = s.find("mine");
  BOOST_REQUIRE(found.ims.size() == 1u);
  BOOST_TEST((found.ims[0].sender == alice));
  BOOST_TEST((found.ims[0].recipient == bob));
  BOOST_TEST(found.events.at(0).at_us == 1'700'000'000'000'002u);
}

BOOST_AUTO_TEST_CASE(a_sender_tells_apart_who_used_the_same_id) {
  shard s{100};
  s.submit("same", alice);
  s.submit("same", bob, alice);
  BOOST_TEST(s.find("same").ims.size() == 2u);
  auto of_bob = s.find("same", bob).ims;
  BOOST_REQUIRE(of_bob.size() == 1u);
  BOOST_TEST((of_bob[0].recipient == alice));
  BOOST_TEST(s.find("same", user("carol")).ims.empty());
}

BOOST_AUTO_TEST_CASE(the_latest_ims_are_kept_with_all_their_events) {
  // Far beyond one piece of events, with more copies than are usual.
  constexpr size_t kept = 1'000;
  constexpr size_t copies = 15;
  shard s{kept};
  for (size_t i = 0; i < 5 * kept; ++i)
    s.send("im " + std::to_string(i), copies);
  BOOST_TEST(s.story("im 3999").empty());
  for (auto id : {"im 4000", "im 4500", "im 4999"})
    BOOST_TEST(s.story(id).size() == copies + 3, id);
}

BOOST_AUTO_TEST_CASE(memory_is_bounded_whatever_becomes_of_ims) {
  constexpr size_t kept = 1'000;
  shard s{kept};
  for (size_t i = 0; i < kept; ++i)
    s.send("im " + std::to_string(i), 500);
  constexpr size_t event_bytes = 24;
  constexpr size_t im_bytes = 72;
  BOOST_TEST(s.trace.bytes()
    <= kept * (im_bytes + defaults::trace_events_per_im * event_bytes)
      + 3 * defaults::trace_chunk * event_bytes);
}

BOOST_AUTO_TEST_CASE(a_trace_of_nothing_keeps_nothing) {
  shard s{0};
  s.send("im");
  s.trace.loaded(s.make("im", alice), bob, im_order{1});
  BOOST_TEST(s.story("im").empty());
  BOOST_TEST(s.trace.bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(what_comes_from_the_disk_is_known_by_its_place_there) {
  shard s{100};
  s.trace.set_time(5);
  s.trace.loaded(s.make("old", alice), bob, im_order{3});
  s.trace.happened(trace_kind::handed_out, bob, im_order{3}, desk);
  s.trace.happened(trace_kind::acknowledged, bob, im_order{3}, desk);
  // Another place, and the same place of another user.
  s.trace.happened(trace_kind::expired, bob, im_order{4});
  s.trace.happened(trace_kind::expired, alice, im_order{3});
  BOOST_TEST((s.story("old") == texts{"handed_out desk", "acknowledged desk"}));
}

BOOST_AUTO_TEST_CASE(names_of_sessions_outlive_them_for_a_while) {
  shard s{100};
  constexpr session_id gone{8};
  s.trace.loaded(s.make("im", alice), bob, im_order{3});
  s.trace.happened(trace_kind::handed_out, bob, im_order{3}, gone);
  BOOST_TEST((s.story("im") == texts{"handed_out"}));
  s.trace.session_ended(gone, {bob, endpoint_name::from_prepared("phone")});
  BOOST_TEST((s.story("im") == texts{"handed_out phone"}));
  for (uint64_t i = 0; i < defaults::trace_sessions; ++i)
    s.trace.session_ended(session_id{1'000 + i}, {bob, {}});
  BOOST_TEST((s.story("im") == texts{"handed_out"}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
