#include <utility>
#include <variant>

#include "protocol/client/core_impl.hpp"

namespace parley {

void client_core::impl::take_frame(std::string_view frame) {
  if (is_ready())
    if (auto hot = peel(frame); hot && take_hot(*hot))
      return;
  auto x = native::decode_server(frame);
  if (!x)
    return lose(std::move(x.error()));
  std::visit([this](auto& y) { handle(y); }, *x);
}

bool client_core::impl::take_hot(const hot_frame& x) {
  if (x.what != hot_frame::kind::im) {
    outcome what;
    what.what = x.what == hot_frame::kind::delivered ? outcome::kind::delivered
                                                     : outcome::kind::stored;
    if (is_next(x.event))
      answered(x.event, x.request, what);
    return true;
  }
  thread_local std::vector<payload_view> payloads;
  received_im message;
  if (!decode_im(x.content, message, payloads))
    return false;
  take_im(x.event, message);
  return true;
}

bool client_core::impl::is_next(sequence number) {
  switch (x_position.look(number)) {
  case event_position::verdict::fresh:
    return true;
  case event_position::verdict::known:
    return false;
  case event_position::verdict::gap:
    break;
  }
  lose(failure{errc::bad_frame, "an event of the server is missing"});
  return false;
}

// -- the sign-in --------------------------------------------------------------

void client_core::impl::handle(const native::welcome& x) {
  if (x_stage != stage::greeting)
    return;
  if (x.version < defaults::protocol_version_min
    || x.version > defaults::protocol_version)
    return finish(
      failure{errc::unsupported_version, "the server speaks another version"});
  x_signing_in->domain = x.domain;
  x_signing_in->mechanisms = x.mechanisms;
  if (x_token.empty())
    return authenticate();
  x_stage = stage::resuming;
  x_signing_in->resumed_at = x_position.safe();
  put(native::resume_session{x_token, x_signing_in->resumed_at});
}

void client_core::impl::authenticate() {
  auto& s = *x_signing_in;
  auto try_as = [&](const std::string& user) {
    return sasl_client::make(s.mechanisms, s.channel, user, x_account.password);
  };
  auto own_domain = "@" + s.domain;
  auto user = x_account.user;
  if (user.find('@') == std::string::npos)
    user += own_domain;
  auto sasl = try_as(user);
  // SASLprep lets no letters from right to left stand beside those of the
  // domain. The server adds its own domain to a name without one.
  if (!sasl && user.ends_with(own_domain))
    sasl = try_as(user.substr(0, user.size() - own_domain.size()));
  if (!sasl)
    return finish(std::move(sasl.error()));
  x_stage = stage::authenticating;
  native::authenticate x;
  x.mechanism = sasl->mechanism();
  x.initial = sasl->initial();
  x.endpoint = x_account.endpoint;
  x.presence = x_account.presence;
  x.wanted = x_config->wanted;
  x_signing_in->sasl = std::move(*sasl);
  x_requests.cover_availability();
  put(x);
}

void client_core::impl::handle(const native::sasl_challenge& x) {
  if (x_stage != stage::authenticating)
    return;
  auto response = x_signing_in->sasl->respond(x.data);
  if (!response)
    return finish(std::move(response.error()));
  put(native::sasl_response{std::move(*response)});
}

void client_core::impl::handle(const native::session_started& x) {
  if (x_stage != stage::authenticating && x_stage != stage::resuming)
    return;
  if (x_stage == stage::authenticating)
    if (auto proof = x_signing_in->sasl->finish(x.sasl); !proof)
      return finish(std::move(proof.error()));
  auto resumed = x_stage == stage::resuming;
  auto resumed_at = x_signing_in->resumed_at;
  x_signing_in.reset();
  x_stage = stage::ready;
  x_was_ready = true;
  x_ready_since = x_now;
  x_self = x.what.self;
  x_token = x.what.token;
  x_heartbeat = x.what.heartbeat;
  x_requests.window_changed(x.what.requests);
  std::vector<request_tag> covered;
  if (resumed) {
    x_acknowledged = resumed_at;
    x_requests.acknowledged(x_acknowledged);
    x_requests.resume(x.what.last_request, [this](const auto& y) { emit(y); });
  } else {
    covered = x_requests.start_session();
    x_position.start_session();
    x_acknowledged = {};
    x_is_leaving = false; // until it asks again
  }
  x_events.on_ready(x_self, resumed);
  begin_following(resumed);
  for (auto tag : covered)
    x_events.on_done(tag);
}

// -- the session --------------------------------------------------------------

void client_core::impl::handle(const native::going_away& x) {
  x_come_back_after = x.come_back_after;
}

void client_core::impl::handle(const native::ping& x) {
  put(native::pong{x.nonce});
}

void client_core::impl::handle(const window& x) {
  x_requests.window_changed(x);
}

void client_core::impl::handle(const native::unknown_event& x) {
  if (x.number.value == 0 || !is_ready() || !is_next(x.number))
    return;
  if (x.to.value > 0)
    return answered(x.number, x.to,
      failure{errc::none, "the server's answer is of an unknown kind"});
  x_position.take(x.number);
}

void client_core::impl::handle(const native::numbered_event& x) {
  if (!is_ready())
    return;
  std::visit([&](auto& what) { take_event(x.number, what); }, x.what);
}

void client_core::impl::handle(native::answer_part& x) {
  // What is told without having been asked for has no number.
  if (!is_ready() || (x.number.value != 0 && !is_next(x.number)))
    return;
  if (!x_parts)
    x_parts.emplace();
  auto whole = x_parts->add(std::move(x));
  if (!whole)
    return lose(std::move(whole.error()));
  if (!*whole)
    return;
  x_parts.reset();
  handle(**whole);
}

void client_core::impl::take_im(sequence number, received_im& message) {
  if (!is_next(number))
    return;
  x_position.take(number);
  auto manual = x_config->acknowledge == acknowledging::manual;
  auto print = x_seen.fingerprint(message.from_user(), message.id);
  if (x_is_leaving) {
    // It cannot be acknowledged any more, and is there at the next sign-in.
    x_position.hold(number, {++x_tickets}, print);
    return;
  }
  if (!x_seen.insert(print)) {
    if (manual)
      x_position.hold_again(number, print);
    return;
  }
  message.ticket = {++x_tickets};
  if (manual)
    x_position.hold(number, message.ticket, print);
  x_events.on_message(message);
}

void client_core::impl::take_event(sequence number, const incoming_im& x) {
  received_im message;
  auto from = x.message->from.str();
  auto to = x.to.str();
  std::vector<payload_view> payloads;
  for (auto& p : x.message->payloads)
    payloads.push_back({p.type, p.data});
  message.from = from;
  message.to = to;
  message.id = x.message->id.value;
  message.body = x.message->body;
  message.payloads = payloads;
  message.sent_at = x.message->sent_at;
  message.offline = x.offline;
  take_im(number, message);
}

void client_core::impl::take_event(sequence number, const receipt& x) {
  if (!is_next(number))
    return;
  x_position.take(number);
  x_events.on_receipt(x.id.value, x.endpoint.str(), x.what);
}

void client_core::impl::take_event(sequence, const typing_notice& x) {
  x_events.on_typing(x.from.str());
}

void client_core::impl::take_event(sequence, const policy_values& x) {
  x_events.on_policy(x.values);
}

void client_core::impl::take_event(sequence number, const answer& x) {
  if (!is_next(number))
    return;
  std::visit([&](auto& what) { answered(number, x.to, what); }, x.what);
}

void client_core::impl::answered(
  sequence number, request_number to, const failure& why) {
  refused(number, to, why, {});
}

void client_core::impl::answered(
  sequence number, request_number to, const refused_request& x) {
  refused(number, to, x.why, x.whose);
}

void client_core::impl::refused(sequence number, request_number to,
  const failure& why, const user_address& whose) {
  x_position.take(number);
  auto x = x_requests.settle(to, number);
  if (!x)
    return;
  // The server's window shrank while this was on its way.
  if (why.code == errc::window_exceeded
    && x->what != pending_request::kind::sign_out)
    return x_requests.give_back(std::move(*x));
  using kind = pending_request::kind;
  switch (x->what) {
  case kind::send: {
    outcome what{outcome::kind::rejected, why};
    return x_events.on_outcome(x->tag, x->id(), x->to(), what);
  }
  case kind::sign_out:
    return finish(why);
  case kind::follow:
    --x_follows;
    return x_events.on_error(why);
  case kind::other:
    forget_ends(*x->other);
    [[fallthrough]];
  default:
    return x_events.on_refused(x->tag, why, whose);
  }
}

void client_core::impl::answered(
  sequence number, request_number to, const outcome& what) {
  x_position.take(number);
  auto x = x_requests.settle(to, number);
  if (x && x->what == pending_request::kind::send)
    x_events.on_outcome(x->tag, x->id(), x->to(), what);
}

void client_core::impl::answered(
  sequence number, request_number to, const broadcast_outcomes& what) {
  x_position.take(number);
  auto x = x_requests.settle(to, number);
  if (x && x->what == pending_request::kind::broadcast)
    x_events.on_broadcast(x->tag, x->list->message.id.value, what.outcomes);
}

void client_core::impl::answered(
  sequence number, request_number to, const done&) {
  x_position.take(number);
  auto x = x_requests.settle(to, number);
  if (!x)
    return;
  if (x->what == pending_request::kind::sign_out)
    return finish(failure{errc::signed_out});
  if (x->what == pending_request::kind::availability
    || x->what == pending_request::kind::other)
    x_events.on_done(x->tag);
}

} // namespace parley
