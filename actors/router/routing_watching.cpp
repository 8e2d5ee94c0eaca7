#include <algorithm>

#include "actors/router/routing_state.hpp"

// What operators see of a shard: counters, and what became of an IM.
namespace parley {

void routing_counters::count_rejected(errc why) {
  ++rejected;
  auto i = static_cast<size_t>(why);
  if (rejected_by.size() <= i)
    rejected_by.resize(i + 1);
  ++rejected_by[i];
}

routing_counters& routing_counters::operator+=(const routing_counters& x) {
  auto y = x;
  if (rejected_by.size() < y.rejected_by.size())
    rejected_by.resize(y.rejected_by.size());
  y.rejected_by.resize(rejected_by.size());
  std::transform(rejected_by.begin(), rejected_by.end(), y.rejected_by.begin(),
    rejected_by.begin(), std::plus{});
  auto add = [](auto& to, const auto& what) {
    if constexpr (std::is_integral_v<std::decay_t<decltype(to)>>)
      to += what;
  };
  auto to = fields();
  auto what = y.fields();
  [&]<size_t... I>(std::index_sequence<I...>) {
    (add(std::get<I>(to), std::get<I>(what)), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<decltype(to)>>{});
  return *this;
}

void routing::choice_changed(choice_change what) {
  switch (what) {
  case choice_change::made:
    ++x_counters.choices_made;
    break;
  case choice_change::moved:
    ++x_counters.choices_moved;
    break;
  case choice_change::released:
    ++x_counters.choices_released;
    break;
  }
}

uint64_t routing::waiting_of(const user_address& user) const {
  const auto* u = find(user);
  return u ? u->in.waiting() : 0;
}

std::vector<user_address> routing::with_waiting(uint64_t ims) const {
  std::vector<user_address> xs;
  for (const auto& [name, u] : x_users)
    if (u->exists && u->in.in_memory() > 0 && u->in.waiting() >= ims)
      xs.push_back(name);
  return xs;
}

std::vector<user_address> routing::with_endpoints(uint64_t n) const {
  std::vector<user_address> xs;
  for (const auto& [name, u] : x_users)
    if (u->exists && u->in.endpoints().size() >= n)
      xs.push_back(name);
  return xs;
}

address routing::name_of(session_id session) const {
  auto* u = of_session(session);
  const auto* e = u ? u->in.find(session) : nullptr;
  return e ? address{u->in.user(), e->name} : address{};
}

trace_found routing::find_traced(
  const message_id& id, const user_address& sender) const {
  return x_trace.find(id, sender, [this](session_id x) { return name_of(x); });
}

std::vector<traced_event> routing::traced_events(
  std::span<const traced_im> of) const {
  return x_trace.events_of(of, [this](session_id x) { return name_of(x); });
}

} // namespace parley
