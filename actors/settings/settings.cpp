#include "actors/settings/settings.hpp"

#include <memory>

namespace parley {

namespace {

using settings_pointer = settings_actor::stateful_pointer<settings_state>;
using promise = caf::typed_response_promise<setting_changed>;

/// Tells all followers; answers when the last has it in force.
void publish(settings_pointer self, promise to, setting_changed answer) {
  const auto& f = self->state.followers;
  shared<policy> rules{self->state.now};
  auto open = std::make_shared<size_t>(
    f.routers.size() + f.gateways.size() + (f.admission ? 1 : 0));
  auto one = [open, to, answer]() mutable {
    if (--*open == 0)
      to.deliver(answer);
  };
  if (*open == 0)
    to.deliver(answer);
  // Each of them lives as long as the server: an error only means that it
  // stops, and then there is nobody left to follow the policy.
  auto tell = [self, one, rules](const auto& who) {
    self->request(who, caf::infinite, rules)
      .then([one](done_atom) mutable { one(); },
        [one](const caf::error&) mutable { one(); });
  };
  for (const auto& r : f.routers)
    tell(r);
  for (const auto& g : f.gateways)
    tell(g);
  if (f.admission)
    tell(f.admission);
}

} // namespace

policy policy_from_store(
  const std::vector<std::pair<std::string, std::string>>& stored,
  std::vector<std::string>& ignored) {
  policy x;
  for (const auto& [name, value] : stored) {
    auto* s = find_setting(name);
    if (!s || !s->assign(x, value))
      ignored.push_back(name + "=" + value);
  }
  return x;
}

settings_actor::behavior_type settings(settings_pointer self, policy stored,
  store_writer_actor writer, policy_followers followers,
  std::shared_ptr<surroundings> world) {
  auto& st = self->state;
  st.now = stored;
  st.writer = std::move(writer);
  st.followers = std::move(followers);
  st.world = std::move(world);
  return {
    [self](get_atom) { return shared<policy>{self->state.now}; },
    [self](const std::string& name, const std::string& value,
      const std::string& who) -> caf::typed_response_promise<setting_changed> {
      auto& state = self->state;
      auto to = self->make_response_promise<setting_changed>();
      setting_changed answer;
      auto next = state.now;
      auto* s = find_setting(name);
      if (!s) {
        answer.why = failure{errc::bad_request,
          "there is no setting '" + name + "'; `settings list` has them all"};
      } else {
        answer.before = s->value(next);
        if (auto ok = s->assign(next, value); !ok)
          answer.why = ok.error();
        else
          answer.now = s->value(next);
      }
      if (answer.why.code != errc::none) {
        to.deliver(answer);
        return to;
      }
      operations ops;
      ops.emplace_back(put_setting{name, answer.now});
      ops.emplace_back(audit_entry{state.world->wall_clock(), who,
        "settings set " + name, answer.before, answer.now});
      self->request(state.writer, caf::infinite, std::move(ops))
        .then(
          [self, to, answer, s](const write_result& x) mutable {
            answer.why = x.why;
            if (x.why.code != errc::none) {
              to.deliver(answer);
              return;
            }
            // Another setting may have changed in the meantime.
            auto ok = s->assign(self->state.now, answer.now);
            if (!ok)
              answer.why = ok.error();
            publish(self, to, answer);
          },
          [to, answer](const caf::error&) mutable {
            answer.why = failure{errc::store_failed};
            to.deliver(answer);
          });
      return to;
    },
  };
}

} // namespace parley
