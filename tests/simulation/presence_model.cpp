#include "tests/simulation/presence_model.hpp"

#include <boost/test/unit_test.hpp>

#include "actors/roster/privacy_rules.hpp"
#include "actors/roster/roster_change.hpp"
#include "tests/actors/engine/halves.hpp"

namespace parley::test {

std::string presence_model::wrong_list(
  const user_address& user, const client_screen& screen) const {
  auto stored = db.roster(user);
  BOOST_REQUIRE(stored);
  std::map<user_address, contact> listed;
  for (auto& item : stored->items)
    if (is_visible(item))
      listed[item.what.address] = item.what;
  if (screen.contacts != listed)
    return "has another list";
  return screen.version == stored->head.version ? "" : "has another version";
}

std::string presence_model::truth(
  const user_address& whom, const std::string& but) const {
  std::string s;
  auto found = there.find(whom);
  if (found == there.end())
    return s;
  for (const auto& [endpoint, what] : found->second)
    if (what != show::unavailable && endpoint != but)
      s +=
        (s.empty() ? "" : " ") + endpoint + '=' + std::string{to_string(what)};
  return s;
}

std::string presence_model::wrong_sight(const address& who,
  const client_screen& screen, const user_address& whom) const {
  const auto& self = who.user;
  auto sees = screen.sees(whom);
  auto wrong = [&](const std::string& expected) {
    return who.str() + " sees " + whom.str() + " as '" + sees + "', not '"
      + expected + "'";
  };
  if (whom == self)
    return sees == truth(whom, who.endpoint.str())
      ? ""
      : wrong(truth(whom, who.endpoint.str()));
  auto entry = entry_of(db, whom, self);
  bool subscribed =
    entry_of(db, self, whom).what.subscription.to == half::active;
  bool undecided = entry.what.subscription.from == half::pending;
  auto watch = screen.watches.find(whom);
  bool watches = watch != screen.watches.end();
  if ((!subscribed || undecided) && !watches)
    return sees.empty() || sees == "unknown" ? "" : wrong("");
  auto stored = db.roster(whom);
  BOOST_REQUIRE(stored);
  const auto& p = stored->head.privacy;
  bool shares = p.sharing == sharing::off ? false
    : p.sharing == sharing::on && rules.presence_sharing_override
    ? true
    : rules.presence_sharing;
  bool online = !truth(whom).empty();
  auto expected = !shares ? "unknown" : is_blocked(p, self) ? "" : truth(whom);
  if (sees == expected)
    return "";
  bool may_be_unknown = expected.empty()
    && (!rules.presence_sharing || screen.lost_sight.contains(whom));
  // Of one who is not there nobody asks whether it shares.
  bool may_be_nobody = !shares && rules.presence_sharing && !online;
  bool may_be_over = watches && !watch->second && !subscribed;
  bool fits = (may_be_unknown && sees == "unknown")
    || (may_be_nobody && sees.empty())
    || (may_be_over && (sees.empty() || sees == "unknown"));
  if (fits)
    return "";
  return wrong(expected + (subscribed ? "; subscribed" : "")
    + (watches ? "; watches" : "") + (online ? "; online" : "") + "; shares "
    + std::string{to_string(p.sharing)}
    + (rules.presence_sharing ? ", all do" : "")
    + (rules.presence_sharing_override ? ", override" : ""));
}

} // namespace parley::test
