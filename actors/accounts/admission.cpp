#include "actors/accounts/admission.hpp"

#include <spdlog/spdlog.h>

namespace parley {

void admission_state::limit_rate(const policy& rules) noexcept {
  if (rules.signin_rate == unlimited)
    tries.limit_rate(std::nullopt);
  else
    tries.limit_rate(rules.signin_rate);
}

admitted admission_state::judge(
  const user_address& user, const std::string& source, uint64_t ticket) {
  auto now = self->clock().now();
  admitted x;
  x.ticket = ticket;
  auto turn = tries.begin(user, source, ticket, now);
  x.delay = turn.wait;
  x.pause = turn.pause;
  x.why = std::move(turn.why);
  if (x.why.code != errc::none)
    ++(turn.is_over_rate ? counts.over_rate : counts.overloaded);
  return x;
}

void admission_state::ended(const sign_in_ended& x) {
  auto now = self->clock().now();
  tries.end(x.ticket, x.how, now);
  if (x.how == try_end::wrong && x.user.empty())
    tries.fail(x.source, now);
  switch (x.how) {
  case try_end::right:
    ++counts.right;
    break;
  case try_end::wrong:
    ++counts.wrong;
    log_failure(x);
    break;
  case try_end::undecided:
  case try_end::left:
    ++counts.undecided;
    break;
  }
}

void admission_state::log_failure(const sign_in_ended& x) {
  if (auto others = log.pass(self->clock().now())) {
    spdlog::warn("sign-in of {} from {} failed; {} since the start, {} of them "
                 "not shown before this one",
      x.user.empty() ? "nobody" : x.user.str(), x.source, counts.wrong,
      *others);
    return;
  }
  if (!std::exchange(log_is_due, true))
    self->delayed_send(self, defaults::stranger_log_interval, tick_atom::value);
}

void admission_state::log_rest() {
  log_is_due = false;
  if (auto others = log.rest(self->clock().now()))
    spdlog::warn(
      "{} more sign-ins failed; {} since the start", others, counts.wrong);
}

admission_actor::behavior_type admission(
  pinned_pointer<admission_actor, admission_state> self, shared<policy> rules) {
  self->state.limit_rate(*rules);
  return {
    [self](const user_address& user, const std::string& source, uint64_t ticket,
      const caf::typed_actor<caf::reacts_to<admitted>>& gateway) {
      self->send(gateway, self->state.judge(user, source, ticket));
    },
    [self](const sign_in_ended& x) { self->state.ended(x); },
    [self](tick_atom) { self->state.log_rest(); },
    [self](const shared<policy>& x) {
      self->state.limit_rate(*x);
      return done_atom::value;
    },
    [self](count_atom) {
      auto x = self->state.counts;
      x.under_way = self->state.tries.under_way();
      return x;
    },
  };
}

} // namespace parley
