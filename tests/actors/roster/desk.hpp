#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/actors/roster/disk.hpp"

namespace parley::test {

/// One user's roster whose disk is instant and whose questions about others are
/// answered at once.
class desk {
public:
  explicit desk(
    std::string_view owner = "owner@example.org", uint64_t removed_at = 0)
    : x_owner(person(owner)), rules(x_owner, removed_at, x_fx) {}

  /// Contacts that others' rosters refuse, and why.
  std::map<user_address, failure> refused;
  /// Who has no account.
  std::set<user_address> absent;
  policy limits;
  /// All that was asked for by the last call, checks answered.
  asked_for last;
  roster_disk disk;
  uint64_t now = 1;

  contacts_changed add(std::vector<wanted_contact> what);
  contacts_changed add(const std::string& whom) {
    return add({{whom, {}, {}}});
  }
  contacts_changed import(std::vector<wanted_contact> what);
  contacts_changed subscribe(const std::string& whom);
  contacts_changed remove(std::vector<std::string> whom);
  contact_list list(roster_version known = {});
  /// Code none if it is done.
  failure approve(const std::string& whom);
  failure unsubscribe(const std::string& whom);
  failure deny(const std::string& whom);
  void privacy(parley::set_privacy what);
  /// The same where it is refused, and why.
  failure refused_privacy(parley::set_privacy what);
  void review();
  void dissolve();

  /// `from` wishes to see the owner; what it is answered at once, if anything.
  /// `since`: an account of its name was removed then.
  std::optional<subscription_note::kind> asks(
    const std::string& from, uint64_t since = 0);
  void leaves(const std::string& from);
  /// What another half says of the owner's latest wish.
  void says(const std::string& from, subscription_note::kind what);

  const roster_item* find(const std::string& whom) const {
    return rules.items().find(person(whom));
  }
  const roster_head& head() const { return rules.head(); }
  const user_address& owner() const noexcept { return x_owner; }
  /// They watch the owner ad hoc.
  std::set<user_address>& adhoc() noexcept { return x_fx.adhoc; }

private:
  template <class T, class F>
  T call(F act);
  template <class F>
  void run(F act);

  user_address x_owner;
  recorder x_fx;

public:
  roster_rules rules;
};

/// `c0@example.org` and so on.
std::string nth(size_t n);
std::vector<wanted_contact> wanted(size_t from, size_t to);

} // namespace parley::test
