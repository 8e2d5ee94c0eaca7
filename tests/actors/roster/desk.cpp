#include "tests/actors/roster/desk.hpp"

#include <boost/test/unit_test.hpp>

namespace parley::test {

namespace {

constexpr session_id session{7};
constexpr request_number number{9};

template <class T>
void append(std::vector<T>& to, std::vector<T>& xs) {
  to.insert(to.end(), xs.begin(), xs.end());
}

} // namespace

template <class F>
void desk::run(F act) {
  ++now;
  act();
  last = x_fx.take();
  while (!last.checks.empty()) {
    auto c = last.checks.front();
    last.checks.erase(last.checks.begin());
    std::vector<contact_verdict> about;
    for (const auto& whom : c.whom) {
      auto i = refused.find(whom);
      about.emplace_back(
        i == refused.end() ? failure{} : i->second, absent.contains(whom));
    }
    rules.checked(c.ticket, about, limits, now);
    auto more = x_fx.take();
    append(last.writes, more.writes);
    append(last.replies, more.replies);
    append(last.pushes, more.pushes);
    append(last.notes, more.notes);
    append(last.watches, more.watches);
    append(last.views, more.views);
    last.heads += more.heads;
  }
  for (const auto& w : last.writes)
    disk.apply(x_owner, w);
  // What holds after every call.
  BOOST_REQUIRE(disk.holds(rules.items()));
  BOOST_REQUIRE(rules.head() == disk.head);
  BOOST_REQUIRE(counted(rules) == counts(rules.head()));
}

template <class T, class F>
T desk::call(F act) {
  run(act);
  BOOST_REQUIRE(last.replies.size() == 1u);
  BOOST_REQUIRE((last.replies[0].to == session));
  BOOST_REQUIRE((last.replies[0].number == number));
  auto* x = std::get_if<T>(&last.replies[0].what);
  if constexpr (std::is_same_v<T, failure>) {
    if (auto* r = std::get_if<refused_request>(&last.replies[0].what))
      return r->why;
    if (!x) {
      BOOST_REQUIRE(std::get_if<done>(&last.replies[0].what));
      return {};
    }
  }
  BOOST_REQUIRE(x);
  return *x;
}

contacts_changed desk::add(std::vector<wanted_contact> what) {
  return call<contacts_changed>(
    [&] { rules.add(session, number, std::move(what), false, limits, now); });
}

contacts_changed desk::import(std::vector<wanted_contact> what) {
  return call<contacts_changed>(
    [&] { rules.add(session, number, std::move(what), true, limits, now); });
}

contacts_changed desk::subscribe(const std::string& whom) {
  return call<contacts_changed>(
    [&] { rules.subscribe(session, number, person(whom), limits, now); });
}

contacts_changed desk::remove(std::vector<std::string> whom) {
  return call<contacts_changed>(
    [&] { rules.remove(session, number, whom, now); });
}

contact_list desk::list(roster_version known) {
  return call<contact_list>([&] { rules.list(session, number, known); });
}

failure desk::approve(const std::string& whom) {
  return call<failure>(
    [&] { rules.approve(session, number, person(whom), limits, now); });
}

failure desk::unsubscribe(const std::string& whom) {
  return call<failure>(
    [&] { rules.unsubscribe(session, number, person(whom), now); });
}

failure desk::deny(const std::string& whom) {
  return call<failure>([&] { rules.deny(session, number, person(whom)); });
}

void desk::privacy(parley::set_privacy what) {
  auto got = call<parley::privacy>(
    [&] { rules.set_privacy(session, number, std::move(what), limits); });
  BOOST_TEST((got == rules.head().privacy));
}

failure desk::refused_privacy(parley::set_privacy what) {
  return call<failure>(
    [&] { rules.set_privacy(session, number, std::move(what), limits); });
}

void desk::review() {
  run([&] { rules.review(limits); });
}

void desk::dissolve() {
  run([&] { rules.dissolve(); });
}

std::optional<subscription_note::kind> desk::asks(
  const std::string& from, uint64_t since) {
  subscription_note n{
    person(from), x_owner, subscription_note::kind::subscribe, now + 1, since};
  run([&] { rules.receive(n, limits, now); });
  BOOST_REQUIRE((last.confirmed == std::vector{n}));
  if (last.notes.empty())
    return std::nullopt;
  BOOST_REQUIRE(last.notes.size() == 1u);
  BOOST_REQUIRE(last.notes[0].number == n.number);
  return last.notes[0].what;
}

void desk::leaves(const std::string& from) {
  run([&] {
    rules.receive(
      {person(from), x_owner, subscription_note::kind::unsubscribe, now},
      limits, now);
  });
}

void desk::says(const std::string& from, subscription_note::kind what) {
  run([&] {
    rules.receive(
      {person(from), x_owner, what, find(from)->asked}, limits, now);
  });
}

std::string nth(size_t n) {
  return "c" + std::to_string(n) + "@example.org";
}

std::vector<wanted_contact> wanted(size_t from, size_t to) {
  std::vector<wanted_contact> xs;
  for (; from < to; ++from)
    xs.push_back({nth(from), {}, {}});
  return xs;
}

} // namespace parley::test
