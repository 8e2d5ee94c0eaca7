#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "protocol/connection_impl.hpp"
#include "protocol/defaults.hpp"
#include "protocol/unicode.hpp"

/// The stages of a connection up to its session.
namespace parley {

namespace {

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
// Clang 14 makes no such guide by itself.
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

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
  if (x_sign_in->waits_for != waits::client)
    return out_of_turn("the sign-in was not answered yet");
  return std::visit(
    overloaded{
      [this](native::authenticate& x) { return begin_exchange(std::move(x)); },
      [this](native::resume_session& x) { return begin_resume(std::move(x)); },
      [this, &out_of_turn](native::sasl_response& x) -> verdict {
        if (!x_sign_in->sasl)
          return out_of_turn("there is no sign-in to respond to");
        advance(x_sign_in->sasl->respond(x.data));
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
  welcome.mechanisms = sasl_mechanisms(channel());
  welcome.frame_max = defaults::frame_max;
  welcome.body_max = x_config->body_max;
  welcome.broadcast_max = x_config->broadcast_max;
  welcome.id_max = defaults::message_id_max;
  put(welcome);
  return {};
}

sasl_channel connection::impl::channel() const {
  if (!x_tls)
    return {};
  return {true, x_tls->tls_exporter(), x_tls->tls_unique()};
}

std::string connection::impl::transport() const {
  return x_tls ? x_tls->version() : "plain";
}

// -- SASL ---------------------------------------------------------------------

/// A client that begins anew before the end had a try.
connection::impl::verdict connection::impl::give_up_exchange() {
  auto& state = *x_sign_in;
  if (!state.sasl)
    return {};
  state.sasl.reset();
  if (++state.failures >= defaults::sign_in_tries)
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
  auto sasl = sasl_server::make(
    what.mechanism, channel(), x_config->domain, x_config->decoys);
  if (!sasl) {
    try_again(sasl.error());
    return {};
  }
  state.sasl = std::move(*sasl);
  state.wish = std::move(what);
  advance(state.sasl->respond(state.wish.initial));
  return {};
}

/// The last thing that its callers do: the owner may answer at once, and what
/// it answers may end the sign-in, or the connection.
void connection::impl::advance(sasl_server::step next) {
  auto& state = *x_sign_in;
  switch (next) {
  case sasl_server::step::challenge:
    state.waits_for = waits::client;
    return put(native::sasl_challenge{state.sasl->data()});
  case sasl_server::step::find_keys: {
    state.waits_for = waits::keys;
    const auto user = state.sasl->user();
    return x_owner.find_keys(user);
  }
  case sasl_server::step::check_password: {
    state.waits_for = waits::password;
    const auto user = state.sasl->user();
    return x_owner.check_password(user, state.sasl->take_password());
  }
  case sasl_server::step::succeeded: {
    // Nothing is expected while the owner is told.
    state.waits_for = waits::session;
    const auto user = state.sasl->user();
    x_owner.authenticated(user, true);
    if (x_sign_in && x_sign_in->sasl)
      want_session();
    return;
  }
  case sasl_server::step::failed: {
    state.waits_for = waits::session;
    const auto user = state.sasl->user();
    failure why{
      errc::authentication_failed, "wrong user name or wrong password"};
    if (const auto wait = x_owner.authenticated(user, false); wait.count() > 0)
      why.retry_after = wait;
    return try_again(why);
  }
  }
}

void connection::impl::want_session() {
  auto& state = *x_sign_in;
  state.last_message = state.sasl->data();
  state.wanted =
    sign_in{state.sasl->user(), state.endpoint, std::move(state.wish.presence),
      state.wish.wanted, state.software, state.peer, transport()};
  // Belongs to this thread; the session may live on another.
  state.sasl.reset();
}

void connection::impl::ask_owner() {
  auto what = *std::exchange(x_sign_in->wanted, std::nullopt);
  auto& o = x_owner;
  if (auto* wish = std::get_if<sign_in>(&what))
    o.sign_in_wanted(std::move(*wish));
  else
    o.resume_wanted(std::move(std::get<resume>(what)));
}

void connection::impl::keys_found(const scram_keys* keys) {
  if (x_sign_in && x_sign_in->waits_for == waits::keys)
    advance(x_sign_in->sasl->keys_found(keys));
}

void connection::impl::password_checked(bool fits) {
  const call scope{*this};
  if (x_sign_in && x_sign_in->waits_for == waits::password)
    advance(x_sign_in->sasl->password_checked(fits));
}

void connection::impl::authentication_refused(const failure& why) {
  if (x_sign_in
    && (x_sign_in->waits_for == waits::keys
      || x_sign_in->waits_for == waits::password))
    try_again(why);
}

void connection::impl::try_again(const failure& why) {
  if (is_closed())
    return;
  auto& state = *x_sign_in;
  // A session that is gone is nobody's fault, once.
  const bool excused = state.waits_for == waits::resumption
    && !std::exchange(state.resume_refused, true);
  state.waits_for = waits::client;
  state.sasl.reset();
  state.wish = {};
  if (!excused && ++state.failures >= defaults::sign_in_tries)
    return close(why, error_scope::connection);
  put_refusal({}, why);
}

// -- resume and the session's beginning ---------------------------------------

connection::impl::verdict connection::impl::begin_resume(
  native::resume_session what) {
  if (auto good = give_up_exchange(); !good)
    return good;
  auto& state = *x_sign_in;
  state.waits_for = waits::resumption;
  state.last_event = what.last_event;
  state.wanted =
    resume{std::move(what.token), what.last_event, state.peer, transport()};
  return {};
}

void connection::impl::accept(const signed_in& what) {
  if (!x_sign_in
    || (x_sign_in->waits_for != waits::session
      && x_sign_in->waits_for != waits::resumption))
    return;
  if (x_sign_in->waits_for == waits::resumption)
    x_highest_sent = x_sign_in->last_event;
  x_origin.from = what.self;
  x_origin.held = x_config->held_ims;
  x_heartbeat = what.heartbeat;
  x_told_heartbeat = what.heartbeat;
  x_last_heard = x_now;
  const auto last_message = std::move(x_sign_in->last_message);
  x_sign_in.reset();
  x_stage = stage::session;
  x_reader.widen(defaults::frame_max);
  put(native::session_started{what, last_message});
}

void connection::impl::refuse(const failure& why) {
  if (x_sign_in
    && (x_sign_in->waits_for == waits::session
      || x_sign_in->waits_for == waits::resumption))
    try_again(why);
}

} // namespace parley
