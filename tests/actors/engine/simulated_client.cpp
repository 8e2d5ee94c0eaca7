#include "tests/actors/engine/simulated_client.hpp"

#include <algorithm>

#include "tests/actors/engine/engine.hpp"

namespace parley::test {

namespace {

std::string text_of(const outcome& x) {
  return std::string{x.what == outcome::kind::rejected ? to_string(x.why.code)
                                                       : to_string(x.what)};
}

} // namespace

void simulated_client::open(bool anew) {
  if (x_link)
    x_link->break_off();
  x_link = std::make_shared<simulated_link>(*this, x_world.next_link());
  x_anew = anew;
  x_accepted = false;
  closed.clear();
}

void simulated_client::sign_in(availability what, window wanted) {
  x_presence = what;
  x_wanted = wanted;
  open(true);
  parley::sign_in x;
  x.user = engine::user(name);
  x.endpoint = endpoint_name::from_prepared(endpoint);
  x.presence = what;
  x.wanted = wanted;
  auto& router = x_world.routers[slot_of(x.user) % 2];
  caf::anon_send(router, local_sign_in{std::move(x), x_link});
}

void simulated_client::resume() {
  for (auto& [n, body] : x_unsafe)
    claimed.insert(body);
  open(false);
  auto at = router_of(resume_token::parse(x_token).session);
  BOOST_REQUIRE(at < x_world.routers.size());
  caf::anon_send(x_world.routers[at],
    local_resume{
      parley::resume{x_token, sequence{x_last_event}, "", "", {}}, x_link});
}

void simulated_client::cut() {
  if (!is_in())
    return;
  x_link->break_off();
  caf::anon_send(
    x_session, client_lost{x_link->id(), failure{errc::timed_out}});
  x_link = nullptr;
}

void simulated_client::go_silently() {
  if (x_link)
    x_link->break_off();
  x_link = nullptr;
}

uint64_t simulated_client::ask(parley::request what) {
  auto number = ++x_last_request;
  auto [i, is_new] = x_unanswered.emplace(number, std::move(what));
  if (is_in())
    tell({request_number{number}, i->second});
  return number;
}

uint64_t simulated_client::request(parley::request what) {
  return ask(std::move(what));
}

void simulated_client::request_all(std::vector<parley::request> what) {
  client_requests all{x_link->id(), {}};
  for (auto& x : what) {
    const request_number n{++x_last_request};
    x_unanswered.emplace(n.value, x);
    all.what.push_back({n, std::move(x)});
  }
  caf::anon_send(x_session, std::move(all));
}

std::string simulated_client::answer_to(uint64_t number) const {
  auto i = x_answers.find(number);
  return i == x_answers.end() ? "" : i->second;
}

void simulated_client::follow_contacts() {
  follows = true;
  list_contacts();
}

void simulated_client::list_contacts() {
  ask(parley::list_contacts{screen.version});
}

void simulated_client::take_nothing(bool on) {
  takes_nothing = on;
  set_slow(on);
}

void simulated_client::set_slow(bool on) {
  is_slow = on;
  if (!on && is_in())
    caf::anon_send(x_session, client_drained{x_link->id()});
}

void simulated_client::tell(const numbered_request& what) {
  caf::anon_send(x_session, client_requests{x_link->id(), {what}});
}

std::string simulated_client::send(const std::string& to, std::string id) {
  static constexpr size_t digits = 5;
  if (id.empty()) {
    auto n = std::to_string(x_outcomes.size() + 1);
    id = name + '/' + endpoint + ' ' + std::string(digits - n.size(), '0') + n;
  }
  im x;
  x.id.value = id;
  x.from = address{engine::user(name), endpoint_name::from_prepared(endpoint)};
  x.body = id;
  x.sent_at = x_world.world->wall_clock();
  x_outcomes.emplace(id, "");
  auto full = to.find('@') == to.npos ? to + "@example.org" : to;
  auto address = address::parse(full);
  ask(
    send_im{shared<im>{std::move(x)}, address ? *address : parley::address{}});
  return id;
}

void simulated_client::broadcast_to(
  const std::vector<std::string>& to, const std::string& id) {
  im x;
  x.id.value = id;
  x.from = address{engine::user(name), endpoint_name::from_prepared(endpoint)};
  x.body = id;
  broadcast b{shared<im>{std::move(x)}, {}};
  for (auto& t : to)
    b.to.push_back(t + "@example.org");
  x_outcomes.emplace(id, "");
  ask(std::move(b));
}

void simulated_client::set_availability(availability what) {
  x_presence = what;
  ask(parley::set_availability{what});
}

void simulated_client::type(const std::string& to) {
  auto x = address::parse(to + "@example.org");
  tell({request_number{}, typing{*x}});
}

void simulated_client::direct(const std::string& to, directed what) {
  im x;
  x.from = address{engine::user(name), endpoint_name::from_prepared(endpoint)};
  tell({request_number{},
    parley::pass_on{shared<im>{std::move(x)}, *address::parse(to),
      reach::endpoint, false, false, what}});
}

void simulated_client::sign_out() {
  ask(parley::sign_out{});
}

void simulated_client::set_window(window wanted) {
  caf::anon_send(x_session, client_window{x_link->id(), wanted});
}

void simulated_client::acknowledge(uint64_t upto) {
  upto = std::min(upto, x_last_event);
  if (!is_in() || upto <= x_acknowledged)
    return;
  x_acknowledged = upto;
  while (!x_unsafe.empty() && x_unsafe.begin()->first <= upto) {
    safe.insert(x_unsafe.begin()->second);
    x_unsafe.erase(x_unsafe.begin());
  }
  caf::anon_send(x_session, client_acknowledged{x_link->id(), sequence{upto}});
}

std::string simulated_client::outcome_of(const std::string& id) const {
  auto i = x_outcomes.find(id);
  return i == x_outcomes.end() ? "" : i->second;
}

// -- what the server says
// ----------------------------------------------------------

void simulated_client::accepted(const signed_in& what, session_actor session) {
  x_world.note(*this, what.resumed ? "resumed" : "in");
  ++times_in;
  x_session = std::move(session);
  x_accepted = true;
  x_world.watch(x_link, x_session);
  x_token = what.token;
  resumed = what.resumed;
  requests = what.requests;
  granted = what.ims;
  heartbeat = what.heartbeat;
  if (!what.resumed) {
    x_last_event = x_acknowledged = 0;
    x_unsafe.clear();
    x_answers.clear();
    screen.begin_session();
    // Under new numbers, but the same ids.
    auto open = std::exchange(x_unanswered, {});
    x_last_request = x_asked_before = 0;
    for (auto& [number, r] : open)
      if (std::holds_alternative<send_im>(r)
        || std::holds_alternative<broadcast>(r))
        ask(std::move(r));
    if (follows)
      list_contacts();
    return;
  }
  BOOST_TEST(!x_anew, "resumed without asking");
  x_acknowledged = x_last_event;
  for (auto& [n, body] : x_unsafe)
    safe.insert(body);
  x_unsafe.clear();
  BOOST_TEST(what.last_request.value <= x_last_request);
  for (auto& [number, r] : x_unanswered)
    if (number > what.last_request.value)
      tell({request_number{number}, r});
  screen.resumed();
  x_asked_before = x_last_request;
  if (follows)
    list_contacts();
}

void simulated_client::refused(const failure& why) {
  x_world.note(*this, "refused " + std::string{to_string(why.code)});
  closed = to_string(why.code);
  x_link = nullptr;
  if (!x_anew && why.code == errc::resume_failed)
    sign_in(x_presence, x_wanted);
}

void simulated_client::take(sequence number, const event& what) {
  if (number.value == 0) {
    if (auto* p = std::get_if<policy_values>(&what)) {
      policy.clear();
      policy.insert(p->values.begin(), p->values.end());
    }
    typings += std::holds_alternative<typing_notice>(what);
    if (auto* p = std::get_if<passed_on>(&what)) {
      directed_here.push_back(
        p->directed == directed::shown ? "shown" : "taken back");
      x_world.note(*this, directed_here.back());
    }
    if (auto* d = std::get_if<document_event>(&what))
      notices.push_back(d->what->about.bytes);
    if (auto* p = std::get_if<presence_event>(&what))
      x_world.note(*this,
        "told " + p->what->from.str() + ' '
          + std::string{to_string(p->what->what.show)});
    bool was_stale = screen.stale;
    screen.take(what);
    if (screen.stale && !was_stale)
      list_contacts();
    return;
  }
  BOOST_TEST(number.value == x_last_event + 1,
    name << '/' << endpoint << ": event " << number.value << " after "
         << x_last_event);
  x_last_event = number.value;
  if (auto* i = std::get_if<incoming_im>(&what)) {
    auto& body = i->message->body;
    x_world.note(*this, "got " + body);
    x_unsafe.emplace(number.value, body);
    (x_seen.insert(body).second ? got : again).push_back(body);
  } else if (auto* a = std::get_if<answer>(&what)) {
    take(*a);
  } else if (std::holds_alternative<receipt>(what)) {
    ++receipts;
  }
  if (acknowledging == habit::prompt)
    acknowledge();
}

void simulated_client::take(const answer& x) {
  auto i = x_unanswered.find(x.to.value);
  BOOST_REQUIRE_MESSAGE(i != x_unanswered.end(),
    name << '/' << endpoint << ": a second answer to " << x.to.value);
  std::string text = "done";
  if (auto* o = std::get_if<outcome>(&x.what))
    text = text_of(*o);
  else if (auto* f = std::get_if<failure>(&x.what))
    text = to_string(f->code);
  else if (auto* d = std::get_if<documents_found>(&x.what)) {
    text.clear();
    for (auto& one : d->what)
      text += (text.empty() ? "" : ", ") + one.bytes;
  } else if (auto* b = std::get_if<broadcast_outcomes>(&x.what)) {
    text.clear();
    for (auto& r : b->outcomes)
      text += (text.empty() ? "" : ", ") + r.to.substr(0, r.to.find('@')) + ": "
        + text_of(r.what);
  }
  if (auto* s = std::get_if<send_im>(&i->second))
    x_outcomes[s->message->id.value] = text;
  else if (auto* b = std::get_if<broadcast>(&i->second))
    x_outcomes[b->message->id.value] = text;
  else if (auto* c = std::get_if<contacts_changed>(&x.what);
           c && !c->refused.empty())
    text = to_string(c->refused.front().why.code);
  x_answers[x.to.value] = text;
  x_world.note(*this, "answer " + std::to_string(x.to.value) + ' ' + text);
  auto what = std::move(i->second);
  x_unanswered.erase(i);
  show(x, what);
}

void simulated_client::show(const answer& x, const parley::request& to) {
  if (std::holds_alternative<parley::list_contacts>(to)) {
    auto* list = std::get_if<contact_list>(&x.what);
    if (list)
      screen.take(*list);
    if (!list || screen.stale)
      list_contacts();
  } else if (auto* w = std::get_if<watching>(&x.what)) {
    screen.take_watch(
      std::get<watch>(to).whom, w->seconds, x.to.value <= x_asked_before);
  }
}

link_id simulated_client::link() const {
  return x_link ? x_link->id() : link_id{};
}

// -- a connection
// ------------------------------------------------------------------

sequence simulated_link::accept(const signed_in& what, session_actor session,
  std::unique_ptr<connection_legacy>) {
  if (x_client)
    x_client->accepted(what, std::move(session));
  return {};
}

std::unique_ptr<connection_legacy> simulated_link::take_legacy() {
  struct nothing final : connection_legacy {
    size_t memory() const noexcept override { return 0; }
  };
  return x_leaves_legacy ? std::make_unique<nothing>() : nullptr;
}

void simulated_link::refuse(const failure& why) {
  if (x_client)
    x_client->refused(why);
}

bool simulated_link::send(sequence number, const event& what) {
  if (x_client)
    x_client->take(number, what);
  return false;
}

void simulated_link::send_window(const window& requests) {
  if (x_client)
    x_client->requests = requests;
}

void simulated_link::send_going_away(std::chrono::milliseconds) {
  if (x_client)
    ++x_client->going_away;
}

void simulated_link::set_heartbeat(std::chrono::milliseconds interval) {
  if (x_client)
    x_client->heartbeat = interval;
}

void simulated_link::probe(std::chrono::milliseconds) {
  if (x_client)
    ++x_client->probes;
  else
    to_be_given_up = true;
}

void simulated_link::close(const failure& why, error_scope) {
  if (!x_client)
    return;
  auto& c = *x_client;
  break_off();
  c.x_world.note(c, "closed " + std::string{to_string(why.code)});
  c.closed = to_string(why.code);
  c.x_link = nullptr;
}

} // namespace parley::test
