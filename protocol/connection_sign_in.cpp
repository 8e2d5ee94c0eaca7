#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "protocol/connection_impl.hpp"
#include "protocol/defaults.hpp"
#include "protocol/overloaded.hpp"
#include "protocol/unicode.hpp"

/// The stages of a connection up to its session.
namespace parley {

namespace {

/// Enough to tell what a peer speaks that does not speak Parley.
constexpr size_t guess_bytes = 16;

} // namespace

connection::impl::verdict connection::impl::match_magic(
  std::string_view& bytes) {
  auto& seen = x_sign_in->first_bytes;
  const auto before = seen.size();
  seen.append(bytes.substr(0, guess_bytes - before));
  const auto matched = native::match_magic(seen);
  if (!matched)
    return tl::unexpected{matched.error()};
  if (!*matched)
    return {};
  bytes.remove_prefix(native::magic.size() - before);
  x_stage = stage::hello;
  return {};
}

connection::impl::verdict connection::impl::before_session(
  native::client_frame what) {
  const auto out_of_turn = [](std::string text) -> verdict {
    return fail(errc::not_signed_in, std::move(text));
  };
  if (std::holds_alternative<native::ignored>(what))
    return {};
  // A request of a newer protocol is answered wherever it comes; so is what
  // cannot be read. None of it breaks the connection.
  if (auto* request = std::get_if<numbered_request>(&what))
    if (auto* invalid = std::get_if<invalid_request>(&request->what)) {
      put_refusal(request->number, invalid->why);
      return {};
    }
  if (auto* hello = std::get_if<native::hello>(&what)) {
    if (x_stage != stage::hello)
      return out_of_turn("hello came twice");
    return said_hello(*hello);
  }
  if (x_stage == stage::hello)
    return out_of_turn("hello must come first");
  if (const auto* ping = std::get_if<native::ping>(&what)) {
    put(native::pong{ping->nonce});
    return {};
  }
  if (std::holds_alternative<native::pong>(what))
    return {};
  if (x_sign_in->exchange.whose() != turn::client)
    return out_of_turn("the sign-in was not answered yet");
  return std::visit(
    overloaded{
      [this](native::authenticate& x) { return begin_exchange(std::move(x)); },
      [this](native::resume_session& x) { return begin_resume(std::move(x)); },
      [this, &out_of_turn](native::sasl_response& x) -> verdict {
        auto& exchange = x_sign_in->exchange;
        if (!exchange.is_under_way())
          return out_of_turn("there is no sign-in to respond to");
        say(exchange.respond(x.data));
        return {};
      },
      [&out_of_turn](
        auto&) { return out_of_turn("this needs a sign-in before"); }},
    what);
}

connection::impl::verdict connection::impl::said_hello(
  const native::hello& what) {
  constexpr auto lowest = defaults::protocol_version_min;
  constexpr auto highest = defaults::protocol_version;
  if (what.version_min > highest || what.version_max < lowest
    || what.version_min > what.version_max)
    return fail(errc::unsupported_version,
      "this server speaks the versions " + std::to_string(lowest) + " to "
        + std::to_string(highest));
  x_sign_in->software = what.software.size() <= defaults::software_max
    ? what.software
    : std::string{first_bytes(what.software, defaults::software_max)};
  x_stage = stage::sign_in;
  native::welcome welcome;
  welcome.version = std::min(what.version_max, highest);
  welcome.software = x_config->software;
  welcome.domain = x_config->domain;
  welcome.mechanisms = sasl_mechanisms(x_bytes.channel());
  welcome.frame_max = defaults::frame_max;
  welcome.body_max = x_config->body_max;
  welcome.broadcast_max = x_config->broadcast_max;
  welcome.id_max = defaults::message_id_max;
  put(welcome);
  return {};
}

// -- SASL ---------------------------------------------------------------------

/// A client that begins anew before the end had a try.
connection::impl::verdict connection::impl::give_up_exchange() {
  auto& exchange = x_sign_in->exchange;
  if (!exchange.is_under_way())
    return {};
  exchange.stop();
  if (!exchange.count_failure())
    return fail(errc::authentication_failed, "too many sign-ins were begun");
  return {};
}

connection::impl::verdict connection::impl::begin_exchange(
  native::authenticate what) {
  if (auto good = give_up_exchange(); !good)
    return good;
  auto& state = *x_sign_in;
  state.endpoint = {};
  if (!what.endpoint.empty()) {
    auto endpoint = endpoint_name::parse(what.endpoint);
    if (!endpoint) {
      try_again(endpoint.error());
      return {};
    }
    state.endpoint = std::move(*endpoint);
  }
  const auto initial = std::move(what.initial);
  state.wish = std::move(what);
  say(state.exchange.begin(*x_config, state.wish.mechanism, x_bytes.channel(),
    x_config->domain, initial));
  return {};
}

/// The last thing that its callers do: it may end the sign-in.
void connection::impl::say(sign_in_exchange::word what) {
  if (!x_sign_in)
    return;
  std::visit(
    overloaded{[](sign_in_exchange::nothing) {},
      [this](sign_in_exchange::challenge& x) {
        put(native::sasl_challenge{std::move(x.data)});
      },
      [this](sign_in_exchange::success& x) { want_session(std::move(x)); },
      [this](const failure& why) { try_again(why); }},
    what);
}

void connection::impl::want_session(sign_in_exchange::success who) {
  auto& state = *x_sign_in;
  state.last_message = std::move(who.data);
  state.exchange.want(
    sign_in{std::move(who.user), state.endpoint, std::move(state.wish.presence),
      state.wish.wanted, state.software, state.peer, x_bytes.transport()});
}

void connection::impl::keys_found(const scram_keys* keys) {
  if (x_sign_in)
    say(x_sign_in->exchange.keys_found(keys));
}

void connection::impl::password_checked(bool fits) {
  const call scope{*this};
  if (x_sign_in)
    say(x_sign_in->exchange.password_checked(fits));
}

void connection::impl::authentication_refused(const failure& why) {
  if (x_sign_in)
    say(x_sign_in->exchange.refused(why));
}

void connection::impl::try_again(const failure& why) {
  auto& state = *x_sign_in;
  // A session that is gone is nobody's fault, once.
  const bool excused = state.exchange.whose() == turn::resumption
    && !std::exchange(state.resume_refused, true);
  state.exchange.stop();
  state.wish = {};
  if (!excused && !state.exchange.count_failure())
    return close(why, error_scope::connection);
  put_refusal({}, why);
}

// -- resume and the session's beginning ---------------------------------------

connection::impl::verdict connection::impl::begin_resume(
  native::resume_session what) {
  if (auto good = give_up_exchange(); !good)
    return good;
  auto& state = *x_sign_in;
  state.exchange.give(turn::resumption);
  state.last_event = what.last_event;
  state.exchange.want(resume{std::move(what.token), what.last_event, state.peer,
    x_bytes.transport(), {}});
  return {};
}

bool connection::impl::waits_for_session() const noexcept {
  return x_sign_in
    && (x_sign_in->exchange.whose() == turn::session
      || x_sign_in->exchange.whose() == turn::resumption);
}

void connection::impl::accept(const signed_in& what) {
  if (!waits_for_session())
    return;
  if (x_sign_in->exchange.whose() == turn::resumption)
    x_highest_sent = x_sign_in->last_event;
  x_origin.from = what.self;
  x_origin.held = x_config->held_ims;
  x_patience.begin_session(what.heartbeat);
  x_told_heartbeat = what.heartbeat;
  const auto last_message = std::move(x_sign_in->last_message);
  x_sign_in.reset();
  x_stage = stage::session;
  x_reader.widen(defaults::frame_max);
  put(native::session_started{what, last_message});
}

void connection::impl::refuse(const failure& why) {
  if (waits_for_session())
    try_again(why);
}

} // namespace parley
