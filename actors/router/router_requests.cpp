#include <utility>

#include "actors/router/router.hpp"

// What clients ask of a router.
namespace parley {

void router_state::requests(session_requests& x) {
  auto at = now();
  roster_requests contacts;
  if (x.what.size() > 1)
    for (const auto& r : x.what)
      if (auto* s = std::get_if<send_im>(&r.what))
        rules->expect(x.from, *s);
  for (auto& r : x.what) {
    if (auto* s = std::get_if<send_im>(&r.what)) {
      rules->submit(x.from, r.number, std::move(*s), at);
    } else if (auto* b = std::get_if<broadcast>(&r.what)) {
      rules->submit(x.from, r.number, std::move(*b), at);
    } else if (auto* t = std::get_if<typing>(&r.what)) {
      rules->type(x.from, t->to, at);
    } else if (auto* p = std::get_if<parley::set_availability>(&r.what)) {
      if (auto* e = find(x.from))
        e->info.what = p->what;
      rules->set_availability(x.from, std::move(p->what), at);
      tell(x.from, event{answer{r.number, done{}}});
      if (auto* e = find(x.from))
        tell_roster(e->self.user, endpoint_changed{x.from, e->info.what});
    } else if (std::holds_alternative<sign_out>(r.what)) {
      tell(x.from, event{answer{r.number, done{}}});
      flush(); // before its session ends
      end(x.from, failure{errc::signed_out});
    } else {
      contacts.what.push_back(std::move(r));
    }
  }
  if (!contacts.what.empty()) {
    contacts.from = x.from;
    ask_roster(std::move(contacts));
  }
}

void router_state::ask_roster(roster_requests what) {
  auto* e = find(what.from);
  if (!e)
    return;
  std::vector<request_number> numbers;
  for (const auto& r : what.what)
    numbers.push_back(r.number);
  auto from = what.from;
  load_roster(e->self.user, std::move(what),
    [this, from, numbers = std::move(numbers)](const result<bool>& exists) {
      for (auto n : numbers)
        tell(from,
          event{
            answer{n, exists ? failure{errc::no_such_user} : exists.error()}});
    });
}

} // namespace parley
