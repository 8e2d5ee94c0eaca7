#include "protocol/sign_in_exchange.hpp"

#include <utility>

#include "protocol/defaults.hpp"

namespace parley {

sign_in_exchange::word sign_in_exchange::begin(const connection_config& config,
  std::string_view mechanism, const sasl_channel& channel,
  const std::string& domain, std::string_view initial) {
  auto sasl = sasl_server::make(mechanism, channel, domain, config.decoys);
  if (!sasl)
    return sasl.error();
  x_sasl = std::move(*sasl);
  return respond(initial);
}

sign_in_exchange::word sign_in_exchange::respond(std::string_view message) {
  return advance(x_sasl->respond(message));
}

sign_in_exchange::word sign_in_exchange::keys_found(const scram_keys* keys) {
  if (x_turn != turn::keys)
    return nothing{};
  return advance(x_sasl->keys_found(keys));
}

sign_in_exchange::word sign_in_exchange::password_checked(bool fits) {
  if (x_turn != turn::password)
    return nothing{};
  return advance(x_sasl->password_checked(fits));
}

sign_in_exchange::word sign_in_exchange::refused(const failure& why) {
  if (x_turn != turn::keys && x_turn != turn::password)
    return nothing{};
  return why;
}

/// After the owner was asked nothing here may be in use.
sign_in_exchange::word sign_in_exchange::advance(sasl_server::step next) {
  auto& owner = x_owner;
  const auto user = x_sasl->user();
  switch (next) {
  case sasl_server::step::challenge:
    x_turn = turn::client;
    return challenge{x_sasl->data()};
  case sasl_server::step::find_keys:
    x_turn = turn::keys;
    owner.find_keys(user);
    return nothing{};
  case sasl_server::step::check_password:
    x_turn = turn::password;
    owner.check_password(user, x_sasl->take_password());
    return nothing{};
  case sasl_server::step::succeeded: {
    // Nothing is expected while the owner is told.
    x_turn = turn::session;
    success x{user, x_sasl->data()};
    // Belongs to this thread; the session may live on another.
    x_sasl.reset();
    owner.authenticated(user, true);
    return x;
  }
  case sasl_server::step::failed:
    break;
  }
  x_turn = turn::session;
  failure why{errc::authentication_failed, "wrong user name or wrong password"};
  if (const auto wait = owner.authenticated(user, false); wait.count() > 0)
    why.retry_after = wait;
  return why;
}

void sign_in_exchange::stop() {
  x_sasl.reset();
  x_turn = turn::client;
}

bool sign_in_exchange::count_failure() noexcept {
  return ++x_failures < defaults::sign_in_tries;
}

void sign_in_exchange::want(std::variant<sign_in, resume> what) {
  x_wanted = std::move(what);
}

void sign_in_exchange::ask() {
  auto& owner = x_owner;
  auto what = *std::exchange(x_wanted, std::nullopt);
  if (auto* wish = std::get_if<sign_in>(&what))
    owner.sign_in_wanted(std::move(*wish));
  else
    owner.resume_wanted(std::move(std::get<resume>(what)));
}

} // namespace parley
