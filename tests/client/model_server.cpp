#include "tests/client/model_server.hpp"

#include <algorithm>

#include "protocol/decoys.hpp"

namespace parley::test {

namespace {

constexpr const char* domain = "example.org";
constexpr const char* password = "secret";
const wall_time some_time{std::chrono::milliseconds{1'795'334'400'000}};

std::shared_ptr<const connection_config> make_config(
  std::shared_ptr<tls_context> tls) {
  connection_config x;
  x.domain = domain;
  x.body_max = 1000;
  x.broadcast_max = 100;
  x.decoys = std::make_shared<decoys>("decoy");
  x.tls = std::move(tls);
  return std::make_shared<const connection_config>(std::move(x));
}

} // namespace

// -- link ---------------------------------------------------------------------

model_server::link::link(model_server& server, steady_time now)
  : x_server(server), x_connection(server.x_config, *this, "test", now) {
  x_server.x_links.insert(this);
}

model_server::link::~link() {
  x_server.x_links.erase(this);
  if (auto s = x_server.session_of(*this))
    s->carrier = nullptr;
}

void model_server::link::receive(std::string_view bytes, steady_time now) {
  x_connection.receive({bytes.data(), bytes.size()}, now, some_time);
}

void model_server::link::disconnected() {
  x_connection.disconnected();
}

void model_server::link::tick(steady_time now) {
  x_connection.tick(now);
}

std::string_view model_server::link::output() {
  return x_connection.output();
}

void model_server::link::written(size_t n) {
  x_connection.written(n);
}

void model_server::link::find_keys(const user_address& user) {
  auto known = x_server.x_accounts.count(user.str()) > 0;
  x_connection.keys_found(known ? &x_server.x_keys : nullptr);
}

void model_server::link::check_password(
  const user_address& user, std::string given) {
  x_connection.password_checked(
    given == password && x_server.x_accounts.count(user.str()) > 0);
}

void model_server::link::sign_in_wanted(sign_in what) {
  x_server.start(*this, what);
}

void model_server::link::resume_wanted(resume what) {
  x_server.resume_on(*this, what);
}

void model_server::link::acknowledged(sequence upto) {
  if (auto s = x_server.session_of(*this))
    x_server.acknowledge(*s, upto.value);
}

void model_server::link::window_changed(window what) {
  if (auto s = x_server.session_of(*this)) {
    s->ims = what;
    x_server.post_waiting(*s);
  }
}

void model_server::link::requests_received(std::vector<numbered_request> what) {
  for (auto& x : what)
    if (auto s = x_server.session_of(*this))
      x_server.take(*s, x);
}

void model_server::link::closed(const failure&) {
  x_over = true;
  if (auto s = x_server.session_of(*this))
    s->carrier = nullptr;
}

// -- model_server -------------------------------------------------------------

model_server::model_server(std::shared_ptr<tls_context> tls)
  : x_config(make_config(std::move(tls))), x_keys(*derive_keys(password, 1)) {}

void model_server::add_account(const std::string& user) {
  x_accounts.insert(user);
}

model_server::session* model_server::session_of(const link& x) {
  auto i = x_sessions.find(x.x_token);
  return i == x_sessions.end() || i->second.carrier != &x ? nullptr
                                                          : &i->second;
}

signed_in model_server::grant(const session& s, bool resumed) const {
  signed_in x;
  x.self = s.self;
  x.token = s.token;
  x.resumed = resumed;
  x.last_request = {s.last_request};
  x.requests = s.requests;
  x.ims = s.ims;
  x.heartbeat = heartbeat;
  x.resume_window = std::chrono::minutes{1};
  return x;
}

void model_server::start(link& from, const sign_in& what) {
  if (refuse_sign_ins)
    return from.x_connection.refuse(*refuse_sign_ins);
  address self{what.user, what.endpoint};
  std::vector<std::string> replaced;
  for (auto& [token, s] : x_sessions)
    if (s.self == self)
      replaced.push_back(token);
  for (auto& token : replaced) {
    if (auto carrier = x_sessions[token].carrier)
      carrier->x_connection.close(
        failure{errc::replaced}, error_scope::session);
    end(token);
  }
  ++sign_ins;
  auto token = "token-" + std::to_string(++x_tokens);
  auto& s = x_sessions[token];
  s.self = std::move(self);
  s.token = token;
  s.carrier = &from;
  s.requests = request_window;
  s.ims = im_window;
  s.waiting = std::exchange(x_store[what.user.str()], {});
  from.x_token = token;
  availabilities.push_back(what.presence);
  from.x_connection.accept(grant(s, false));
  from.x_connection.send({}, policy_values{{{"im.client_history", "on"}}});
  s.shown = what.presence;
  show_all(s);
  show(s);
  post_waiting(s);
}

void model_server::resume_on(link& from, const resume& what) {
  auto i = x_sessions.find(what.token);
  if (i == x_sessions.end()) {
    ++refused_resumes;
    return from.x_connection.refuse(failure{errc::resume_failed, "unknown"});
  }
  auto& s = i->second;
  auto old = std::exchange(s.carrier, &from);
  if (old)
    old->x_connection.close(failure{errc::replaced}, error_scope::connection);
  ++resumes;
  from.x_token = what.token;
  acknowledge(s, what.last_event.value);
  from.x_connection.accept(grant(s, true));
  for (auto& x : s.unacknowledged)
    from.x_connection.send({x.number}, x.what);
  from.x_connection.send({}, presence_reset{});
  show_all(s);
  post_waiting(s);
}

void model_server::take(session& s, const numbered_request& x) {
  if (auto t = std::get_if<typing>(&x.what)) {
    typings.push_back(*t);
    for (auto& [token, other] : x_sessions)
      if (other.self.user == t->to.user && other.carrier)
        other.carrier->x_connection.send({}, typing_notice{s.self});
    return;
  }
  if (x.number.value <= s.last_request)
    return;
  s.last_request = x.number.value;
  auto leaves = std::holds_alternative<sign_out>(x.what);
  if (++s.requests_open > s.requests.messages && !leaves)
    ++violations;
  if (refuse_requests) {
    post(s, answer{x.number, *refuse_requests});
  } else if (auto invalid = std::get_if<invalid_request>(&x.what)) {
    post(s, answer{x.number, invalid->why});
  } else if (auto presence = std::get_if<set_availability>(&x.what)) {
    availabilities.push_back(presence->what);
    s.shown = presence->what;
    show(s);
    post(s, answer{x.number, done{}});
  } else if (auto send = std::get_if<send_im>(&x.what)) {
    take_send(s, x.number, *send);
  } else if (auto many = std::get_if<broadcast>(&x.what)) {
    broadcast_outcomes all;
    for (auto& to : many->to)
      all.outcomes.push_back({to, {outcome::kind::stored, {}}});
    post(s, answer{x.number, all});
  } else if (std::get_if<sign_out>(&x.what)) {
    s.shown.show = show::unavailable;
    show(s);
    post(s, answer{x.number, done{}});
    auto carrier = s.carrier;
    end(s.token);
    if (carrier)
      carrier->x_connection.close(
        failure{errc::signed_out}, error_scope::session);
  } else {
    take_contacts(s, x);
  }
}

void model_server::take_send(
  session& s, request_number number, const send_im& x) {
  outcome rejected{outcome::kind::rejected, failure{errc::no_such_user}};
  if (x.to.empty())
    rejected.why.code = errc::bad_address;
  if (x_accounts.count(x.to.user.str()) == 0)
    return post(s, answer{number, rejected});
  key k{s.self.user.str(), x.message->id.value, x.to.user.str()};
  auto [i, fresh] = x_records.try_emplace(k);
  if (i->second.what)
    return post(s, answer{number, *i->second.what});
  i->second.askers.emplace_back(s.token, number);
  if (fresh)
    accept_im(x.message, x.to, i->second);
}

void model_server::accept_im(
  const shared<im>& message, const address& to, record&) {
  std::vector<session*> targets;
  for (auto& [token, other] : x_sessions)
    if (other.self.user == to.user)
      targets.push_back(&other);
  for (auto s : targets) {
    s->waiting.push_back({message, to, false});
    post_waiting(*s);
  }
  if (!targets.empty())
    return;
  x_store[to.user.str()].push_back({message, to, true});
  settle({message->from.user.str(), message->id.value, to.user.str()},
    outcome::kind::stored);
}

void model_server::settle(const key& k, outcome::kind what) {
  auto i = x_records.find(k);
  if (i == x_records.end() || i->second.what)
    return;
  i->second.what = outcome{what, {}};
  for (auto& [token, number] : i->second.askers)
    if (auto s = x_sessions.find(token); s != x_sessions.end())
      post(s->second, answer{number, outcome{what, {}}});
}

void model_server::post(session& s, event what) {
  auto is_answer = std::holds_alternative<answer>(what);
  s.unacknowledged.push_back({++s.last_event, std::move(what), 0, is_answer});
  if (s.carrier)
    s.carrier->x_connection.send({s.last_event}, s.unacknowledged.back().what);
}

void model_server::post_waiting(session& s) {
  while (!s.waiting.empty() && s.ims_open < s.ims.messages) {
    auto x = std::move(s.waiting.front());
    s.waiting.pop_front();
    ++s.ims_open;
    post(s, incoming_im{x.message, x.to, x.offline});
  }
}

void model_server::acknowledge(session& s, uint64_t upto) {
  std::vector<key> settled;
  while (!s.unacknowledged.empty() && s.unacknowledged.front().number <= upto) {
    auto& x = s.unacknowledged.front();
    if (x.is_answer)
      --s.requests_open;
    if (auto i = std::get_if<incoming_im>(&x.what)) {
      --s.ims_open;
      settled.emplace_back(
        i->message->from.user.str(), i->message->id.value, i->to.user.str());
    }
    s.unacknowledged.pop_front();
  }
  for (auto& k : settled)
    settle(k, outcome::kind::delivered);
  post_waiting(s);
}

void model_server::end(const std::string& token) {
  auto i = x_sessions.find(token);
  if (i == x_sessions.end())
    return;
  auto s = std::move(i->second);
  x_sessions.erase(i);
  // What it had not acknowledged goes into the store, in order.
  auto& store = x_store[s.self.user.str()];
  auto keep = [&](const shared<im>& message, const address& to) {
    store.push_back({message, to, true});
    settle({message->from.user.str(), message->id.value, to.user.str()},
      outcome::kind::stored);
  };
  for (auto& x : s.unacknowledged)
    if (auto y = std::get_if<incoming_im>(&x.what))
      keep(y->message, y->to);
  for (auto& x : s.waiting)
    keep(x.message, x.to);
}

void model_server::restart() {
  for (auto x : x_links)
    x->x_connection.disconnected();
  while (!x_sessions.empty())
    end(std::string{x_sessions.begin()->first});
}

void model_server::end_sessions(const std::string& user, errc why) {
  std::vector<std::string> tokens;
  for (auto& [token, s] : x_sessions)
    if (s.self.user.str() == user)
      tokens.push_back(token);
  for (auto& token : tokens) {
    if (auto carrier = x_sessions[token].carrier)
      carrier->x_connection.close(failure{why}, error_scope::session);
    end(token);
  }
}

void model_server::go_away(std::chrono::milliseconds come_back_after) {
  for (auto x : x_links)
    x->x_connection.send_going_away(come_back_after);
}

void model_server::change_request_window(const std::string& user, window what) {
  for (auto& [token, s] : x_sessions)
    if (s.self.user.str() == user) {
      s.requests = what;
      if (s.carrier)
        s.carrier->x_connection.send_window(what);
    }
}

} // namespace parley::test
