#include "actors/roster/subscription.hpp"

#include <caf/send.hpp>

namespace parley {

subscription::subscription(caf::actor_config& cfg, roster_actor parent,
  std::shared_ptr<const told_sessions> to,
  std::shared_ptr<presence_counters> counters, shared<presentity> first)
  : lean_actor(cfg),
    x_parent(std::move(parent)),
    x_to(std::move(to)),
    x_counters(std::move(counters)),
    x_last(std::move(first)) {
  ++x_counters->subscriptions;
}

void subscription::ended() {
  --x_counters->subscriptions;
  x_parent = nullptr; // which holds this one
}

void subscription::tell(
  const session_actor& to, const std::vector<shared<presence_notice>>& what) {
  session_output x;
  x.what.reserve(what.size());
  for (const auto& n : what)
    x.what.emplace_back(event{presence_event{n}});
  x_counters->notifications += what.size();
  caf::anon_send(to, std::move(x));
}

void subscription::on(const shared<presentity>& x) {
  if (x_last && x->version <= x_last->version)
    return;
  auto news = parley::difference(x_last.get(), *x);
  x_last = x;
  if (!news.empty())
    for (const auto& s : *x_to)
      tell(s, news);
  if (x->endpoints.empty() && !x->unknown)
    caf::anon_send(x_parent, presentity_left{x->who, x->version});
}

void subscription::on(const greet_session& x) {
  if (!x_last)
    return;
  auto all = parley::difference(nullptr, *x_last);
  if (all.empty())
    all.push_back(bare_notice(x_last->who, show::unavailable));
  tell(x.who, all);
}

void subscription::on(const say_to_session& x) {
  session_output words;
  words.what.assign(x.what.begin(), x.what.end());
  caf::anon_send(x.who, std::move(words));
}

void subscription::on(const end_subscription& x) {
  // That it left is not to be told.
  if (x.may_stay_unknown && x_last && x_last->unknown)
    return quit();
  bool answers = x.answers;
  if (x_last) {
    presentity nothing;
    nothing.who = x_last->who;
    auto news = parley::difference(x_last.get(), nothing);
    for (const auto& s : *x_to)
      if (!news.empty())
        tell(s, news);
    answers = answers || !news.empty();
  }
  if (answers)
    caf::anon_send(x_parent, subscription_ended{x.whom});
  quit();
}

} // namespace parley
