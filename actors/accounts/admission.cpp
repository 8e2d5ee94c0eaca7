#include "actors/accounts/admission.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace parley {

using std::chrono::milliseconds;

std::optional<failure> admission_state::over_rate(
  std::chrono::steady_clock::time_point now) {
  if (rate == unlimited)
    return std::nullopt;
  auto per_second = static_cast<double>(rate);
  auto since = std::chrono::duration<double>(now - tokens_at).count();
  tokens = tokens_at.time_since_epoch().count() == 0
    ? per_second
    : std::min(per_second, tokens + since * per_second);
  tokens_at = now;
  if (tokens < 1) {
    failure why{errc::overloaded, "too many sign-ins at once"};
    why.retry_after =
      milliseconds{static_cast<int64_t>((1 - tokens) / per_second * 1'000) + 1};
    return why;
  }
  tokens -= 1;
  return std::nullopt;
}

admitted admission_state::judge(
  const user_address& user, const std::string& source, uint64_t ticket) {
  auto now = self->clock().now();
  admitted x;
  x.ticket = ticket;
  if (auto why = over_rate(now)) {
    tries.end(ticket, try_end::wrong, now);
    ++counts.over_rate;
    x.why = std::move(*why);
    return x;
  }
  auto turn = tries.begin(user, source, ticket, now);
  x.delay = turn.wait;
  x.pause = turn.pause;
  x.why = std::move(turn.why);
  counts.overloaded += x.why.code != errc::none;
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
  self->state.rate = rules->signin_rate;
  return {
    [self](const user_address& user, const std::string& source, uint64_t ticket,
      const caf::typed_actor<caf::reacts_to<admitted>>& gateway) {
      self->send(gateway, self->state.judge(user, source, ticket));
    },
    [self](const sign_in_ended& x) { self->state.ended(x); },
    [self](tick_atom) { self->state.log_rest(); },
    [self](const shared<policy>& x) {
      self->state.rate = x->signin_rate;
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
