#include "tests/actors/router/desk.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace parley::test {

namespace {

using write_kind = fake_store::write::kind;

/// `alice/home` as an address.
address address_of(const std::string& short_form) {
  auto slash = short_form.find('/');
  address x{
    user_address::from_prepared(short_form.substr(0, slash) + "@example.org"),
    {}};
  if (slash != std::string::npos)
    x.endpoint = endpoint_name::from_prepared(short_form.substr(slash + 1));
  return x;
}

} // namespace

moment desk::now() const {
  auto wall = std::chrono::duration_cast<std::chrono::microseconds>(steady);
  return {std::chrono::steady_clock::time_point{steady},
    static_cast<uint64_t>(wall.count())};
}

session_id desk::session_of(const std::string& name) const {
  return x_sessions.at(name);
}

std::string desk::name_of(session_id session) const {
  for (const auto& [name, x] : x_sessions)
    if (x == session)
      return name;
  return {};
}

session_id desk::join(
  const std::string& name, availability what, window granted) {
  session_id s{x_next_session++};
  x_sessions[name] = s;
  in.join(s, endpoint_name::from_prepared(name), std::move(what), granted,
    now(), rules);
  return s;
}

void desk::leave(const std::string& name) {
  in.leave(session_of(name), now(), rules);
}

void desk::suspend(const std::string& name) {
  in.suspend(session_of(name), now(), rules);
}

void desk::resume(const std::string& name) {
  auto s = session_of(name);
  in.resume(s, in.find(s)->granted, now(), rules);
}

void desk::show(const std::string& name, parley::show what, int priority) {
  in.set_availability(session_of(name),
    availability{what, {}, static_cast<int8_t>(priority)}, now(), rules);
}

void desk::grant(const std::string& name, window granted) {
  in.set_window(session_of(name), granted, now(), rules);
}

void desk::want_copies(const std::string& name, bool wanted) {
  in.set_copies(session_of(name), wanted);
}

std::string desk::send(const std::string& from, const std::string& body,
  const std::string& to_endpoint, bool wants_receipts, bool copies) {
  steady += std::chrono::milliseconds{1};
  im x;
  x.id.value = body;
  x.from = address_of(from);
  x.body = body;
  x.receipts = wants_receipts;
  auto ticket = x_tickets.size() + 1;
  x_tickets[ticket] = body;
  address to{in.user(), endpoint_name::from_prepared(to_endpoint)};
  auto why = in.accept(shared<im>{std::move(x)}, std::move(to),
    origin{0, ticket}, false, now(), rules, copies);
  return why ? std::string{to_string(why->code)} : std::string{};
}

void desk::reply(const std::string& from_endpoint, const std::string& peer) {
  auto to = address_of(peer).user;
  auto s = session_of(from_endpoint);
  if (in.would_choose(s, to, now(), rules))
    in.choose(s, in.find(s)->releases, to, now(), rules);
  else
    in.touch(to, now());
}

void desk::acknowledge(const std::string& name, const std::string& body) {
  auto s = session_of(name);
  auto& held = x_held[s];
  std::vector<acknowledged_im> what;
  std::erase_if(held, [&](const acknowledged_im& x) {
    bool is_it = body.empty() || x.message->body == body;
    if (is_it)
      what.push_back(x);
    return is_it;
  });
  in.acknowledge(s, what, now(), rules);
}

void desk::let_grace_pass(size_t how_many) {
  steady += std::chrono::milliseconds{rules.im_grace_ms};
  for (auto n = std::min(x_graces.size(), how_many); n > 0; --n) {
    auto [order, holder] = x_graces.front();
    x_graces.pop_front();
    in.grace_passed(order, holder, now(), rules);
  }
}

void desk::write_one(bool fails) {
  if (store.notices.empty())
    store.apply(fails);
  auto w = std::move(store.notices.front());
  store.notices.pop_front();
  if (w.what == write_kind::remove)
    in.removed(w.order, now(), rules);
  else if (w.what == write_kind::put)
    in.committed(w.order, w.failed ? failure{errc::store_failed} : failure{},
      now(), rules);
}

void desk::answer_page(bool fails) {
  auto r = std::move(store.reads.front());
  store.reads.pop_front();
  if (fails)
    r.read_so_far = {};
  in.page_read(r.for_whom, r.from, std::move(r.read_so_far.ims),
    r.read_so_far.complete, now(), rules);
}

void desk::let_store_work() {
  constexpr int enough = 10'000;
  for (int i = 0; i < enough; ++i) {
    if (!store.writes.empty() || !store.notices.empty()) {
      write_one();
    } else if (!store.reads.empty()) {
      auto& r = store.reads.front();
      r.read_so_far = store.take(r, false);
      answer_page();
    } else {
      return;
    }
  }
  BOOST_ERROR("the inbox never has enough of the store");
}

bool desk::expire(const std::string& body) {
  return in.expire(x_orders.at(body), now(), rules);
}

texts desk::got(const std::string& name) {
  return std::exchange(x_got[session_of(name)], {});
}

std::string desk::outcome_of(const std::string& body) const {
  auto i = x_outcomes.find(body);
  if (i == x_outcomes.end())
    return {};
  BOOST_TEST(i->second.size() == 1u, body << " has two outcomes");
  return i->second.front();
}

std::string desk::chosen(const std::string& peer) const {
  return name_of(in.chosen(address_of(peer).user, now(), rules));
}

texts desk::typing_goes_to(
  const std::string& from, const std::string& to_endpoint) const {
  address to{in.user(), endpoint_name::from_prepared(to_endpoint)};
  texts names;
  for (auto s : in.targets(address_of(from), to, now(), rules))
    names.push_back(name_of(s));
  return names;
}

void desk::accepted(const origin& from) {
  BOOST_TEST(x_tickets.contains(from.ticket));
}

void desk::hand_out(session_id to, delivery what) {
  const auto& body = what.what.message->body;
  const bool is_copy = what.what.copied != incoming_im::copy::none;
  x_got[to].push_back((is_copy ? "copy of " : "") + body);
  x_held[to].push_back({what.order, what.what.message});
  x_orders[body] = what.order;
}

void desk::settle(const origin& to, const outcome& what) {
  x_outcomes[x_tickets.at(to.ticket)].push_back(
    std::string{what.what == outcome::kind::rejected ? to_string(what.why.code)
                                                     : to_string(what.what)});
}

void desk::put(put_im what) {
  x_orders[what.what.message->body] = what.what.order;
  store.writes.push_back({write_kind::put, what.what.order, what.what, false});
}

void desk::remove(remove_im what) {
  store.writes.push_back({write_kind::remove, what.order, {}, false});
}

void desk::read_page(
  const user_address&, session_id for_whom, im_order from, size_t max) {
  ++pages_asked;
  fake_store::read r{for_whom, from, max, {}};
  r.read_so_far = store.take(r, false);
  store.reads.push_back(std::move(r));
}

void desk::watch_grace(const user_address&, im_order order, session_id holder) {
  x_graces.emplace_back(order, holder);
}

void desk::probe(session_id whom) {
  probed.push_back(name_of(whom));
}

void desk::send_receipt(
  const im& about, const address& endpoint, receipt::kind what) {
  receipts.push_back(
    std::string{to_string(what)} + " " + about.id.value + " " + endpoint.str());
}

} // namespace parley::test
