#include "tests/actors/engine/cases.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "actors/roster/privacy_rules.hpp"
#include "actors/roster/roster_change.hpp"
#include "protocol/defaults.hpp"
#include "tests/actors/engine/halves.hpp"

// A few users who subscribe, watch, hide and leave in any order, while
// connections break, the disk refuses, the policy changes and the server
// crashes. What each sees in the end is compared with a plain model.
namespace parley::test {

namespace {

using namespace std::chrono_literals;

class random_presence {
public:
  explicit random_presence(uint64_t seed)
    : x_random(seed), e(std::make_unique<engine>(seed)) {
    for (size_t i = 0; i < 4; ++i) {
      x_names.push_back(engine::name_on(i % 2, i / 2));
      x_users.push_back(engine::user(x_names.back()));
      e->make_account(x_names.back());
    }
    make_clients({});
  }

  void run(int steps) {
    for (auto& c : e->clients)
      if (below(4))
        c->sign_in(some_presence());
    for (int i = 0; i < steps; ++i)
      one();
  }

  /// Who is not there comes or stays away, and all is at rest.
  void end() {
    e->disk.files().refuse_writes(lossy_fs::fault::none);
    e->advance(2s);
    for (auto& c : e->clients) {
      c->set_slow(false);
      if (c->is_in() || below(3) == 0)
        continue;
      if (c->times_in > 0 && c->closed.empty() && below(2))
        c->resume();
      else
        c->sign_in(some_presence());
    }
    e->advance(2 * minute + 2s);
    check();
    e->advance(2 * minute);
    check();
    for (auto& c : e->clients)
      for (auto& [whom, sure] : c->screen.watches)
        if (c->is_in())
          BOOST_TEST(!sure, name_of(*c) << " watches for ever");
    for (auto& c : e->clients) {
      if (!c->is_in())
        c->sign_in();
      e->settle();
      c->sign_out();
    }
    e->advance(3s);
    auto left = e->live_presence();
    BOOST_TEST(left.subscriptions == 0u);
    BOOST_TEST(left.rosters == 0u);
  }

  const std::string& trace() const { return e->trace; }

private:
  static constexpr std::chrono::milliseconds minute = 60s;

  uint64_t below(uint64_t n) { return x_random() % n; }
  template <class T>
  const T& any_of(const std::vector<T>& xs) {
    return xs[below(xs.size())];
  }
  static std::string name_of(const simulated_client& c) {
    return c.name + '/' + c.endpoint;
  }

  availability some_presence() {
    const std::vector<show> shows{show::available, show::available, show::away,
      show::dnd, show::unavailable};
    return {any_of(shows), "", 0};
  }

  /// With the lists that they had.
  void make_clients(const std::vector<client_screen>& before) {
    for (auto& name : x_names)
      for (auto endpoint : {"x", "y"}) {
        auto& c = e->client(name, endpoint);
        c.follows = true;
        if (auto n = e->clients.size(); n <= before.size()) {
          c.screen.contacts = before[n - 1].contacts;
          c.screen.version = before[n - 1].version;
        }
      }
  }

  void crash() {
    std::vector<client_screen> before;
    for (auto& c : e->clients)
      before.push_back(c->screen);
    engine::restart(e, x_rules);
    make_clients(before);
  }

  void flip(const std::string& name, bool policy::*setting) {
    auto now = !(x_rules.*setting);
    if (e->set(name, now ? "on" : "off").why.code == errc::none)
      x_rules.*setting = now;
  }

  void change_policy() {
    switch (below(5)) {
    case 0:
    case 1:
      flip("presence.sharing", &policy::presence_sharing);
      break;
    case 2:
      flip("presence.sharing_override", &policy::presence_sharing_override);
      break;
    case 3:
      flip("presence.auto_approve", &policy::presence_auto_approve);
      break;
    default:
      flip("presence.adhoc", &policy::presence_adhoc);
    }
  }

  std::vector<user_address> some_users() {
    std::vector<user_address> xs;
    for (auto& u : x_users)
      if (below(3) == 0)
        xs.push_back(u);
    std::sort(xs.begin(), xs.end());
    return xs;
  }

  set_privacy some_privacy() {
    set_privacy x;
    switch (below(4)) {
    case 0:
      x.approve = any_of(
        std::vector{approval::by_default, approval::allow, approval::ask});
      break;
    case 1:
      x.sharing =
        any_of(std::vector{sharing::by_default, sharing::on, sharing::off});
      break;
    case 2:
      x.allow = some_users();
      break;
    default:
      x.block = some_users();
    }
    return x;
  }

  void ask(simulated_client& c) {
    auto whom = any_of(x_users);
    auto as_text = [&] { return whom.str(); };
    switch (below(14)) {
    case 0:
    case 1:
    case 2:
      c.request(subscribe{whom});
      break;
    case 3:
      c.request(unsubscribe{whom});
      break;
    case 4:
    case 5:
      c.request(approve{whom});
      break;
    case 6:
      c.request(deny{whom});
      break;
    case 7:
      c.request(add_contacts{{{as_text(), std::to_string(below(9)), {}}}});
      break;
    case 8:
      c.request(remove_contacts{{as_text()}});
      break;
    case 9:
    case 10:
      c.request(watch{whom, below(5) ? 1 + below(180) : 0});
      break;
    case 11:
      c.request(some_privacy());
      break;
    default:
      c.set_availability(some_presence());
    }
  }

  void one() {
    auto& c = *e->clients[below(e->clients.size())];
    switch (below(24)) {
    case 0:
      c.cut();
      break;
    case 1:
      if (below(3) == 0)
        c.go_silently();
      break;
    case 2:
    case 3:
    case 4:
      if (!c.is_in() && c.times_in > 0 && c.closed.empty() && below(3))
        c.resume();
      else if (!c.is_in())
        c.sign_in(some_presence());
      break;
    case 5:
      if (c.is_in() && below(2) == 0)
        c.sign_out();
      break;
    case 6:
      e->advance(std::chrono::milliseconds{100 * below(40)});
      break;
    case 7:
      if (below(10) == 0)
        e->advance(minute + 2s);
      break;
    case 8:
      if (below(3) == 0)
        change_policy();
      break;
    case 9:
      c.set_slow(!c.is_slow);
      break;
    case 10:
      e->disk.files().refuse_writes(
        below(6) ? lossy_fs::fault::none : lossy_fs::fault::full);
      break;
    case 11:
      if (below(12) == 0)
        crash();
      break;
    default:
      if (c.times_in > 0 && below(2))
        ask(c);
      else
        for (auto n = below(40); n > 0; --n)
          e->system.step();
    }
  }

  // -- the model

  void check() {
    for (size_t i = 0; i < 2; ++i)
      for (auto& s : e->report(i).sessions)
        x_truth[s.self.user][s.self.endpoint.str()] = s.what.show;
    for (auto& wrong : disagreements(*e->db, x_users))
      BOOST_ERROR(wrong);
    BOOST_TEST(open_notes(*e->db) == 0u);
    for (auto& c : e->clients)
      if (c->is_in()) {
        check_contacts(*c);
        for (auto& whom : x_users)
          check_presence(*c, whom);
      }
    x_truth.clear();
  }

  void check_contacts(const simulated_client& c) {
    auto stored = e->db->roster(engine::user(c.name));
    BOOST_REQUIRE(stored);
    std::map<user_address, contact> there;
    for (auto& item : stored->items)
      if (is_visible(item))
        there[item.what.address] = item.what;
    BOOST_TEST((c.screen.contacts == there), name_of(c) << " has another list");
    BOOST_TEST(c.screen.version.value == stored->head.version.value);
  }

  /// All of `whom` that are there, but for `but`.
  std::string truth(const user_address& whom, const std::string& but = {}) {
    std::string s;
    for (auto& [endpoint, what] : x_truth[whom])
      if (what != show::unavailable && endpoint != but)
        s += (s.empty() ? "" : " ") + endpoint + '='
          + std::string{to_string(what)};
    return s;
  }

  void check_presence(const simulated_client& c, const user_address& whom) {
    auto self = engine::user(c.name);
    auto sees = c.screen.sees(whom);
    auto wrong = [&](const std::string& expected) {
      BOOST_ERROR(name_of(c) << " sees " << whom.str() << " as '" << sees
                             << "', not '" << expected << "'");
    };
    if (whom == self) {
      if (sees != truth(whom, c.endpoint))
        wrong(truth(whom, c.endpoint));
      return;
    }
    auto entry = entry_of(*e->db, whom, self);
    bool subscribed =
      entry_of(*e->db, self, whom).what.subscription.to == half::active;
    bool undecided = entry.what.subscription.from == half::pending;
    auto watch = c.screen.watches.find(whom);
    bool watches = watch != c.screen.watches.end();
    if ((!subscribed || undecided) && !watches) {
      if (!sees.empty() && sees != "unknown")
        wrong("");
      return;
    }
    auto stored = e->db->roster(whom);
    BOOST_REQUIRE(stored);
    const auto& p = stored->head.privacy;
    bool shares = shares_presence(p.sharing, x_rules);
    bool online = !truth(whom).empty();
    auto expected = !shares ? "unknown"
      : is_blocked(p, self) ? ""
                            : truth(whom);
    if (sees == expected)
      return;
    bool may_be_unknown =
      expected.empty() && c.screen.lost_sight.contains(whom);
    bool may_be_over = watches && !watch->second && !subscribed;
    bool fits = (may_be_unknown && sees == "unknown")
      || (may_be_over && (sees.empty() || sees == "unknown"));
    if (!fits)
      wrong(expected + (subscribed ? "; subscribed" : "")
        + (watches ? "; watches" : "") + (online ? "; online" : "")
        + "; shares " + std::string{to_string(p.sharing)}
        + (x_rules.presence_sharing ? ", all do" : "")
        + (x_rules.presence_sharing_override ? ", override" : ""));
  }

  std::mt19937_64 x_random;
  std::vector<std::string> x_names;
  std::vector<user_address> x_users;
  policy x_rules;
  std::unique_ptr<engine> e;
  std::map<user_address, std::map<std::string, show>> x_truth;
};

void live(uint64_t seed) {
  BOOST_TEST_CONTEXT("seed " << seed) {
    random_presence x{seed};
    x.run(150);
    x.end();
  }
}

BOOST_AUTO_TEST_SUITE(presence_random)

BOOST_AUTO_TEST_CASE(everybody_sees_in_the_end_what_is_to_be_seen) {
  auto [first, count] = seeds_to_run(60);
  for (uint64_t seed = first; seed < first + count; ++seed)
    live(seed);
}

BOOST_AUTO_TEST_CASE(what_went_wrong_once_does_not_again) {
  live(86);   // a refused write was tried again without end
  live(1240); // greeted by a list that the disk had refused
  live(1770); // a wish with the number of a forgotten one
  // The end of a watch was told before what was still under way.
  for (uint64_t seed : {1684, 1999, 2176, 2257, 2316, 6927})
    live(seed);
  live(7977); // subscribed before its sessions were told
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
