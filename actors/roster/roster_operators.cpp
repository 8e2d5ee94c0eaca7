#include <algorithm>
#include <utility>

#include "actors/roster/roster.hpp"

// What operators ask of a roster.
namespace parley {

void roster_state::answer_operator(
  uint64_t number, roster_rules::answer_content what) {
  auto i = x_imports.find(number);
  if (i == x_imports.end())
    return;
  contacts_imported x;
  if (auto* f = std::get_if<failure>(&what))
    x.why = std::move(*f);
  else if (auto* c = std::get_if<contacts_changed>(&what))
    x.refused = std::move(c->refused);
  i->second.deliver(std::move(x));
  x_imports.erase(i);
}

void roster_state::import(
  contacts_import x, caf::typed_response_promise<contacts_imported> promise) {
  auto number = x_next_promise++;
  x_imports.emplace(number, std::move(promise));
  when_loaded(
    [this, number, x = std::move(x)]() mutable {
      if (x_dissolving)
        return answer_operator(number, failure{errc::no_such_user});
      x_rules->add({}, request_number{number}, std::move(x.contacts),
        x.subscribes, *x_policy, now_us());
    },
    [this, number](const failure& why) { answer_operator(number, why); });
}

void roster_state::report(
  user_address viewer, caf::typed_response_promise<roster_report> promise) {
  when_loaded(
    [this, viewer, promise]() mutable {
      roster_report x;
      x.what.head = x_rules->head();
      for (const auto& [whom, item] : x_rules->items().all())
        x.what.items.push_back(item);
      for (const auto& [whom, w] : x_watched)
        x.watched.push_back(whom);
      for (const auto& [who, w] : x_watchers)
        x.watchers.push_back(who);
      std::sort(x.watched.begin(), x.watched.end());
      std::sort(x.watchers.begin(), x.watchers.end());
      x.adhoc_watchers = adhoc_watchers_beside({});
      x.adhoc_watches = adhoc_watches();
      x.view =
        *state_of(viewer == x_rules->user() ? view::truth : view_of(viewer));
      promise.deliver(std::move(x));
    },
    [promise](const failure& why) mutable {
      roster_report x;
      x.why = why;
      promise.deliver(std::move(x));
    });
}

} // namespace parley
