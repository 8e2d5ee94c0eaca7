#include <algorithm>

#include <spdlog/spdlog.h>

#include "actors/accounts/guessing.hpp"
#include "actors/gateway/client_socket.hpp"
#include "protocol/defaults.hpp"

// A connection on its way to a session.
namespace parley {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// What a stranger is told of the server's trouble: no more than that there is
/// some. The words of a store may name files, or an account.
failure for_strangers(const failure& why) {
  switch (why.code) {
  case errc::store_unavailable:
  case errc::store_corrupt:
  case errc::store_failed:
    return failure{
      errc::store_unavailable, "the server cannot read its accounts"};
  default:
    return why;
  }
}

/// The same of who asks for an account: that the disk takes none is no secret.
failure for_who_registers(const failure& why) {
  if (why.code == errc::store_failed)
    return failure{errc::store_failed, "the server can make no accounts now"};
  return for_strangers(why);
}

} // namespace

// -- tries

void client_socket::ask_for_keys(const user_address& user) {
  give_up_try(); // of an exchange that was begun and left
  x_trying = trying::waiting;
  x_who = user;
  caf::anon_send(x_home->with().admission, user, source_of(x_peer), x_id.value,
    caf::actor_cast<caf::typed_actor<caf::reacts_to<parley::admitted>>>(
      x_home->actor()));
}

void client_socket::end_try(try_end how) {
  caf::anon_send(x_home->with().admission,
    sign_in_ended{x_id.value, x_who, source_of(x_peer), how});
  x_trying = trying::not_at_all;
  x_who = {};
}

void client_socket::give_up_try() {
  switch (x_trying) {
  case trying::waiting:
    return end_try(try_end::left);
  case trying::in_exchange:
    // Also of who left before the password was looked at: it counts as wrong.
    x_home->with().line->leave(x_id.value);
    return end_try(try_end::wrong);
  case trying::not_at_all:
    return;
  }
}

void client_socket::refuse_try(const failure& why) {
  end_try(try_end::undecided);
  x_pending.reset();
  x_connection->authentication_refused(for_strangers(why));
}

void client_socket::give_up_registration() {
  if (std::exchange(x_registers, false))
    x_home->with().line->leave(x_id.value);
}

std::optional<failure> client_socket::enter_line() {
  if (x_home->with().line->enter(x_id.value))
    return std::nullopt;
  failure why{errc::overloaded, "too many passwords wait to be hashed"};
  why.retry_after = defaults::password_retry_after;
  x_home->count_password_full();
  return why;
}

bool client_socket::refuse_for_stop() {
  if (!x_home->stopping())
    return false;
  x_pending.reset();
  // Not all at once.
  constexpr auto spread =
    milliseconds{defaults::come_back_max - defaults::come_back_min}.count();
  failure why{errc::server_stopping};
  why.retry_after =
    defaults::come_back_min + milliseconds{x_id.value * 97 % spread};
  x_connection->close(why, error_scope::connection);
  return true;
}

// -- what the connection asks for

void client_socket::find_keys(const user_address& user) {
  x_pending = std::make_unique<pending_sign_in>();
  x_pending->user = user;
  ask_for_keys(user);
}

void client_socket::check_password(
  const user_address& user, std::string password) {
  x_pending = std::make_unique<pending_sign_in>();
  x_pending->user = user;
  x_pending->password = std::move(password);
  x_pending->with_password = true;
  ask_for_keys(user);
}

milliseconds client_socket::authenticated(
  const user_address& user, bool success) {
  const bool was_admitted = x_trying != trying::not_at_all;
  x_who = user;
  end_try(success ? try_end::right : try_end::wrong);
  if (success || !was_admitted)
    return milliseconds{0};
  return std::max(milliseconds{0},
    std::chrono::ceil<milliseconds>(x_next_try - steady_clock::now()));
}

void client_socket::sign_in_wanted(sign_in what) {
  if (refuse_for_stop())
    return;
  auto index = slot_of(what.user) % x_home->with().routers;
  x_pending = std::make_unique<pending_sign_in>();
  x_pending->what = std::move(what);
  if (auto there = elsewhere(index))
    leave_for(there);
  else
    ask_router();
}

void client_socket::resume_wanted(resume what) {
  if (refuse_for_stop())
    return;
  auto index = router_of(resume_token::parse(what.token).session);
  x_pending = std::make_unique<pending_sign_in>();
  x_pending->again = std::move(what);
  if (auto there = elsewhere(index))
    leave_for(there);
  else
    ask_router();
}

// -- what it is answered

void client_socket::admitted(const failure& why) {
  if (x_closed || !x_pending)
    return;
  if (why.code == errc::none && x_home->is_short()) {
    ++x_home->with().budget->refused_sign_ins;
    return refuse_try(x_home->out_of_memory());
  }
  if (why.code != errc::none)
    return refuse_try(why);
  caf::anon_send(x_home->with().reader, x_pending->user, x_id.value,
    caf::actor_cast<gateway_ref>(x_home->actor()));
}

void client_socket::found(const account_found& x) {
  if (x_closed || !x_pending)
    return;
  if (x.why.code != errc::none) {
    spdlog::error(
      "an account could not be read: {} {}", to_string(x.why.code), x.why.text);
    return refuse_try(x.why);
  }
  auto pending = std::move(x_pending);
  x_trying = trying::in_exchange;
  if (!pending->with_password)
    return x_connection->keys_found(x.what ? &x.what->keys : nullptr);
  if (auto why = enter_line())
    return refuse_try(*why);
  // Without an account the same work is done for nothing.
  auto keys = x.what
    ? x.what->keys
    : x_home->with().protocol->decoys->keys_of(pending->user.str());
  caf::anon_send(x_home->with().passwords, std::move(pending->password),
    std::move(keys), x_id.value,
    caf::actor_cast<caf::typed_actor<caf::reacts_to<password_checked>>>(
      x_home->actor()));
}

void client_socket::checked(const password_checked& x) {
  if (!x_closed)
    x_connection->password_checked(x.fits);
}

void client_socket::register_wanted(
  const user_address& user, std::string password) {
  const auto& with = x_home->with();
  // As of now, whatever the connection was told when it began.
  if (!with.registrar || !with.protocol->registration)
    return x_connection->registered(
      failure{errc::not_authorised, "accounts are made by operators here"});
  // Here, so that who leaves at once is known to have left. No try to sign in
  // enters under the same ticket meanwhile: this connection waits.
  if (auto why = enter_line())
    return x_connection->registered(*why);
  x_registers = true;
  caf::anon_send(with.registrar,
    account_wanted{x_id.value, user, std::move(password), source_of(x_peer)},
    caf::actor_cast<account_asker>(x_home->actor()));
}

void client_socket::registered(const failure& why) {
  x_registers = false;
  x_home->with().hits->registrations += why.code == errc::rate_limited;
  if (!x_closed)
    x_connection->registered(for_who_registers(why));
}

void client_socket::refuse(const failure& why) {
  if (x_closed)
    return;
  if (why.code == errc::server_stopping)
    x_connection->close(why, error_scope::connection);
  else
    x_connection->refuse(for_strangers(why));
}

} // namespace parley
