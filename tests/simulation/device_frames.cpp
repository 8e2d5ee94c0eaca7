#include <algorithm>
#include <utility>

#include "tests/simulation/device.hpp"
#include "tests/simulation/server.hpp"

// What a device makes of the server's frames.
namespace parley::test {

namespace {

std::string text_of(const outcome& x) {
  return std::string{x.what == outcome::kind::rejected ? to_string(x.why.code)
                                                       : to_string(x.what)};
}

} // namespace

void device::take(native::server_frame& what) {
  if (auto* x = std::get_if<native::welcome>(&what))
    take(*x);
  else if (auto* c = std::get_if<native::sasl_challenge>(&what))
    take(*c);
  else if (auto* s = std::get_if<native::session_started>(&what))
    take(*s);
  else if (auto* r = std::get_if<native::refusal>(&what))
    take(*r);
  else if (auto* p = std::get_if<native::ping>(&what))
    say(native::pong{p->nonce});
  else if (auto* w = std::get_if<window>(&what))
    requests = *w;
  else if (auto* e = std::get_if<native::numbered_event>(&what))
    take(*e);
  else if (std::holds_alternative<native::going_away>(what))
    tell("is told that the server stops");
  else if (auto* a = std::get_if<native::answer_part>(&what)) {
    auto whole = x_parts->add(std::move(*a));
    if (!whole)
      broke("frames", whole.error().text);
    if (*whole)
      take(**whole);
  } else if (std::holds_alternative<native::unknown_event>(what)) {
    broke("frames", "an unknown event came");
  }
}

// -- signing in

void device::take(const native::welcome& x) {
  x_mechanisms = x.mechanisms;
  const auto& token = x_way == way::by_old_token ? x_old_token : x_token;
  if (x_way == way::anew || token.empty()) {
    prove();
    return;
  }
  x_state = state::resuming;
  if (x_way == way::by_old_token) {
    say(native::resume_session{token, {}});
    return;
  }
  // Who acknowledges at once calls safe what it has.
  if (prompt)
    acknowledge_by_resume();
  say(native::resume_session{token, sequence{x_acknowledged}});
}

void device::acknowledge_by_resume() {
  // Of what it had before a resume that broke off, not all has come again.
  x_acknowledged = x_highest_event;
  for (auto& [number, letter] : x_unsafe) {
    x_stage.letters.acknowledged(x_index, *letter);
    x_said_safe.push_back(letter);
  }
  x_unsafe.clear();
  x_answers.clear();
}

void device::prove() {
  auto sasl =
    sasl_client::make(x_mechanisms, {}, self().user.str(), everybodys_password);
  if (!sasl)
    broke("sign-in", sasl.error().text);
  x_sasl.emplace(std::move(*sasl));
  x_state = state::proving;
  native::authenticate x;
  x.mechanism = x_sasl->mechanism();
  x.initial = x_sasl->initial();
  x.endpoint = self().endpoint.str();
  x.presence = x_presence;
  x.wanted = x_wanted;
  say(x);
}

void device::take(const native::sasl_challenge& x) {
  if (!x_sasl)
    broke("sign-in", "a challenge came unasked");
  auto response = x_sasl->respond(x.data);
  if (!response)
    broke("sign-in", response.error().text);
  x_asks_since = x_stage.turn;
  say(native::sasl_response{*response});
}

void device::take(const native::session_started& x) {
  const auto& what = x.what;
  if (what.self != self())
    broke("sign-in", "it is somebody else now: " + what.self.str());
  bool asked = x_state == state::resuming;
  if (what.resumed != asked)
    broke("resume", what.resumed ? "unasked" : "a new session unasked");
  if (asked && x_way == way::by_old_token)
    broke("resume", "by an old token");
  if (!asked)
    if (auto proof = x_sasl->finish(x.sasl); !proof)
      broke("sign-in", proof.error().text);
  x_state = state::in;
  x_sasl.reset();
  requests = what.requests;
  x_heartbeat = what.heartbeat;
  tell(asked ? "is back" : "is in");
  if (!asked) {
    if (!x_token.empty())
      x_old_token = x_token;
    x_token = what.token;
    x_ims_max = 0;
    begin_session();
  } else {
    if (what.token != x_token)
      broke("resume", "another token");
    if (what.last_request.value > x_last_number)
      broke("resume", "the server has requests that were not made");
    x_last_event = x_acknowledged;
    for (auto& [number, e] : x_open)
      if (number > what.last_request.value)
        emit(number, e);
    screen.resumed();
    x_asked_before = x_last_number;
  }
  allow(what.ims.messages);
  if (follows)
    list_contacts();
  pump();
}

void device::begin_session() {
  ++x_session;
  x_asked_at = x_asks_since;
  x_last_event = x_highest_event = x_acknowledged = 0;
  x_unsafe.clear();
  x_answers.clear();
  // What it called safe by a resume that was refused nobody has taken note of.
  x_said_safe.clear();
  x_safe_before.clear();
  x_shown = x_presence;
  screen.begin_session();
  requeue();
  x_last_number = x_asked_before = 0;
}

/// In a new session: IMs without outcome are sent again, all else is void.
void device::requeue() {
  std::deque<errand> rest;
  auto keep = [&rest](errand& e) {
    if (!e.letters.empty())
      rest.push_back(std::move(e));
  };
  for (auto& [number, e] : std::exchange(x_open, {})) {
    for (auto* letter : e.letters)
      x_stage.letters.unanswered(*letter);
    keep(e);
  }
  for (auto& e : x_waiting)
    keep(e);
  x_waiting = std::move(rest);
}

void device::take(const native::refusal& x) {
  auto reason = std::string{to_string(x.why.code)};
  last_refusal = reason;
  tell("is refused: " + reason);
  if (x.scope == error_scope::session) {
    if (!is_in())
      broke("sign-in", "the end of a session that was not there");
    x_old_token = std::exchange(x_token, {});
    return;
  }
  if (x.scope == error_scope::connection || is_in())
    return;
  if (x_state == state::resuming && x.why.code == errc::resume_failed) {
    if (x_way == way::back)
      x_old_token = std::exchange(x_token, {});
    prove();
    return;
  }
  leave();
}

// -- events

void device::take(const native::numbered_event& x) {
  auto number = x.number.value;
  if (number == 0) {
    take_unnumbered(x.what);
    return;
  }
  if (!is_in())
    broke("events", "one came outside of a session");
  if (number != x_last_event + 1)
    broke("events",
      std::to_string(number) + " came after " + std::to_string(x_last_event));
  x_last_event = number;
  bool again = number <= x_highest_event;
  x_highest_event = std::max(x_highest_event, number);
  if (auto* i = std::get_if<incoming_im>(&x.what)) {
    if (!again)
      take_im(number, *i);
    else if (auto before = x_unsafe.find(number);
             before == x_unsafe.end() || before->second->id != i->message->id)
      broke("events", "another one came again");
  } else if (again) {
    return;
  } else if (auto* a = std::get_if<answer>(&x.what)) {
    take_answer(number, *a);
  } else if (auto* r = std::get_if<receipt>(&x.what)) {
    x_stage.letters.got_receipt(self().user, *r, x_stage.names);
  }
}

void device::take_im(uint64_t number, const incoming_im& x) {
  tell("gets " + x.message->id.value);
  auto& letter = x_stage.letters.arrived(
    x_index, x_session, x_asked_at, *x.message, self().user);
  x_unsafe.emplace(number, &letter);
  got.push_back(&letter);
  if (x_unsafe.size() > x_ims_max)
    broke("window",
      std::to_string(x_unsafe.size()) + " IMs unacknowledged of "
        + std::to_string(x_ims_max));
}

void device::take_answer(uint64_t number, const answer& x) {
  auto i = x_open.find(x.to.value);
  if (i == x_open.end())
    broke("one answer", "a second one to " + std::to_string(x.to.value));
  x_answers.push_back(number);
  if (auto before = x_safe_before.find(x.to.value);
      before != x_safe_before.end()) {
    for (size_t n = 0; n < before->second; ++n)
      x_stage.letters.confirmed(x_index, *x_said_safe[n]);
    x_safe_before.erase(before);
  }
  auto of = std::move(i->second);
  x_open.erase(i);
  settle(of, x);
}

void device::settle(errand& of, const answer& x) {
  if (auto* o = std::get_if<outcome>(&x.what)) {
    if (of.letters.size() != 1)
      broke("one answer", "an outcome of no IM");
    tell("hears of " + of.letters[0]->id.value + ": " + text_of(*o));
    x_stage.letters.settled(*of.letters[0], text_of(*o), of.altered);
  } else if (auto* b = std::get_if<broadcast_outcomes>(&x.what)) {
    if (b->outcomes.size() != of.letters.size())
      broke("one answer", "another number of outcomes");
    for (size_t n = 0; n < of.letters.size(); ++n) {
      tell("hears of " + of.letters[n]->id.value + " to " + b->outcomes[n].to
        + ": " + text_of(b->outcomes[n].what));
      x_stage.letters.settled(
        *of.letters[n], text_of(b->outcomes[n].what), false);
    }
  } else if (auto* f = std::get_if<failure>(&x.what)) {
    auto reason = std::string{to_string(f->code)};
    tell("is refused a request: " + reason);
    if (f->code == errc::window_exceeded && !of.letters.empty()) {
      for (auto* letter : of.letters)
        x_stage.letters.sent_back(*letter);
      x_waiting.push_front(std::move(of));
      return;
    }
    for (auto* letter : of.letters)
      x_stage.letters.settled(*letter, reason, false);
    show(x, of.what);
  } else {
    if (std::holds_alternative<done>(x.what))
      tell("is answered");
    show(x, of.what);
  }
}

void device::show(const answer& x, const request& to) {
  if (auto* p = std::get_if<parley::set_availability>(&to)) {
    if (std::holds_alternative<done>(x.what))
      x_shown = p->what;
  } else if (std::holds_alternative<parley::list_contacts>(to)) {
    auto* list = std::get_if<contact_list>(&x.what);
    if (list)
      screen.take(*list);
    if (!list || screen.stale)
      list_contacts();
  } else if (auto* w = std::get_if<watching>(&x.what)) {
    screen.take_watch(
      std::get<watch>(to).whom, w->seconds, x.to.value <= x_asked_before);
  } else if (auto* c = std::get_if<contacts_changed>(&x.what)) {
    answered_version = std::max(answered_version, c->version);
  } else if (std::holds_alternative<parley::sign_out>(to)) {
    x_old_token = std::exchange(x_token, {});
  }
}

void device::take_unnumbered(const event& x) {
  if (auto* p = std::get_if<policy_values>(&x)) {
    for (auto& [name, value] : p->values)
      if (name == "session.buffer")
        allow(static_cast<uint32_t>(std::stoul(value) / 2));
    return;
  }
  if (auto* p = std::get_if<presence_event>(&x))
    tell("sees " + p->what->from.str() + " as "
      + std::string{to_string(p->what->what.show)});
  bool was_stale = screen.stale;
  screen.take(x);
  if (screen.stale && !was_stale)
    list_contacts();
}

} // namespace parley::test
