#include "actors/accounts/admission.hpp"

#include <algorithm>

namespace parley {

using std::chrono::milliseconds;

admitted admission_state::judge(
  const user_address& user, const std::string& source, uint64_t ticket) {
  auto now = self->clock().now();
  admitted x;
  x.ticket = ticket;
  if (rate != unlimited) {
    auto per_second = static_cast<double>(rate);
    auto since = std::chrono::duration<double>(now - tokens_at).count();
    tokens = tokens_at.time_since_epoch().count() == 0
      ? per_second
      : std::min(per_second, tokens + since * per_second);
    tokens_at = now;
    if (tokens < 1) {
      x.why = failure{errc::rate_limited, "too many sign-ins at once"};
      x.why.limit = rate;
      x.why.retry_after = milliseconds{
        static_cast<int64_t>((1 - tokens) / per_second * 1'000) + 1};
      return x;
    }
    tokens -= 1;
  }
  x.delay =
    std::max(accounts.delay(user.str(), now), sources.delay(source, now));
  return x;
}

admission_actor::behavior_type admission(
  pinned_pointer<admission_actor, admission_state> self, shared<policy> rules) {
  self->state.rate = rules->signin_rate;
  return {
    [self](const user_address& user, const std::string& source, uint64_t ticket,
      const caf::typed_actor<caf::reacts_to<admitted>>& gateway) {
      self->send(gateway, self->state.judge(user, source, ticket));
    },
    [self](const user_address& user, const std::string& source, bool success) {
      auto& st = self->state;
      if (success) {
        st.accounts.succeeded(user.str());
        st.sources.relent(source);
        return;
      }
      auto now = self->clock().now();
      st.accounts.failed(user.str(), now);
      st.sources.failed(source, now);
    },
    [self](const shared<policy>& x) {
      self->state.rate = x->signin_rate;
      return done_atom::value;
    },
  };
}

} // namespace parley
