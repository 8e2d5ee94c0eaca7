#include <algorithm>

#include "tests/simulation/world.hpp"

// Two users talk while all else rests: who gets what is then known for sure.
namespace parley::test {

using namespace std::chrono_literals;

namespace {

bool has_got(const device& d, const letter& x) {
  return std::find(d.got.begin(), d.got.end(), &x) != d.got.end();
}

/// Gets what is sent to the bare address.
bool is_eligible(const device& d) {
  return d.is_in() && d.presence().show != show::unavailable
    && d.presence().priority >= 0;
}

} // namespace

std::vector<device*> world::devices_of_user(size_t n) {
  std::vector<device*> xs;
  for (auto& d : x_devices)
    if (d->self().user == user(n))
      xs.push_back(d.get());
  return xs;
}

/// Fork, collapse, release, as the contract has them.
void world::converse(size_t one, size_t other, uint16_t how) {
  if (one == other)
    return;
  mend_network();
  mend_disk();
  auto senders = devices_of_user(one);
  auto takers = devices_of_user(other);
  auto& from = *senders[how % senders.size()];
  if (!from.is_in())
    connect(from, device::way::back);
  for (auto* d : takers) {
    d->prompt = true;
    if (!d->is_in())
      connect(*d, device::way::back);
  }
  from.prompt = true;
  quiesce();
  // A setting that was asked for just before is in force by now.
  collect_answers();
  for (auto* d : takers)
    if (d->is_in()) {
      d->show_itself({show::available, "", 0});
      d->set_window({50, 4'000'000});
    }
  // What waits is offered first, and taken.
  advance(3s);
  for (auto* d : takers)
    d->acknowledge();
  from.acknowledge();
  quiesce();
  std::vector<device*> there;
  for (auto* d : takers)
    if (is_eligible(*d) && d->is_idle())
      there.push_back(d);
  if (!from.is_in() || !from.is_idle() || there.size() < 2
    || there.size() != takers.size())
    return;

  auto say = [this](device& d, const user_address& whom) -> letter& {
    auto& x = d.send(whom.str(), whom, "to " + whom.str(), true, false);
    quiesce();
    return x;
  };
  // `void` where the policy has its own word.
  auto goes_through = [](const letter& x) { return x.is_promised(); };
  auto expect = [&](const letter& x, const std::vector<device*>& to,
                  const char* when) {
    for (auto* d : takers) {
      bool should = std::find(to.begin(), to.end(), d) != to.end();
      if (has_got(*d, x) != should)
        throw broken("targets",
          std::string{when} + ": " + d->self().str()
            + (should ? " gets nothing" : " gets it too"));
    }
  };

  auto& chosen = *there[how / 4 % there.size()];
  if (auto& reply = say(chosen, from.self().user); !goes_through(reply))
    return;
  if (auto& x = say(from, user(other)); goes_through(x))
    expect(x, {&chosen}, "after a reply");
  else
    return;
  auto& second = *there[(how / 4 + 1) % there.size()];
  if (auto& reply = say(second, from.self().user); !goes_through(reply))
    return;
  if (auto& x = say(from, user(other)); goes_through(x))
    expect(x, {&second}, "after another's reply");
  else
    return;

  auto rest = there;
  std::erase(rest, &second);
  switch (how / 16 % 6) {
  case 0:
    second.show_itself({show::away, "", 0});
    quiesce();
    rest = there; // away is available still
    break;
  case 1:
    second.sign_out();
    quiesce();
    break;
  case 2:
    break_off(*second.line(), false);
    quiesce();
    break;
  case 3:
    second.show_itself({show::available, "", -1});
    quiesce();
    break;
  case 4:
    second.prompt = false;
    if (auto& x = say(from, user(other)); x.outcome.empty()) {
      expect(x, {&second}, "before the grace time is over");
      advance(milliseconds{x_rules.im_grace_ms} + 300ms);
      if (goes_through(x))
        expect(x, there, "when the grace time is over");
    }
    second.prompt = true;
    second.acknowledge();
    quiesce();
    return;
  default:
    if (x_rules.im_idle_release_ms > 5'000)
      return;
    advance(milliseconds{x_rules.im_idle_release_ms} + 6s);
    rest = there;
  }
  if (auto& x = say(from, user(other)); goes_through(x) && from.is_in())
    expect(x, rest, "after a release");
}

} // namespace parley::test
