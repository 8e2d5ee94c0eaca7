#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocol/vocabulary.hpp"

namespace parley::test {

/// What a client that follows the protocol's README shows its user: the contact
/// list, kept by its versions, and who is there.
class client_screen {
public:
  /// What was told within the last session is void; the list is kept.
  void begin_session();
  /// What is not numbered.
  void take(const event& what);
  /// An answer, or a change. A list that has missed something stays as it was
  /// and is `stale`.
  void take(const contact_list& what);
  /// An ad-hoc watch of `whom` was answered; `late`: perhaps long ago.
  void take_watch(const user_address& whom, uint64_t seconds, bool late);
  /// It may have missed the end of a watch.
  void resumed();

  /// `unknown`, or the endpoints that are there with their shows, as
  /// `desk=away phone=available`; empty: nobody.
  std::string sees(const user_address& whom) const;
  /// What was told of `whom`, in order: `desk=away`, or `=unknown` of it whole.
  std::vector<std::string> told_of(const user_address& whom) const;
  /// Null if it is not in the list.
  const contact* find(const user_address& whom) const;

  std::map<user_address, contact> contacts;
  roster_version version;
  bool stale = false;
  size_t resets = 0;
  /// In force, as far as it knows; false: unless it ended during a suspension.
  std::map<user_address, bool> watches;
  std::vector<user_address> ended;
  /// *Unknown* since a watch ended, and nothing was told of them after that.
  std::set<user_address> lost_sight;

private:
  void take(const presence_notice& x);

  std::map<user_address, std::map<std::string, show>> x_there;
  std::set<user_address> x_unknown;
  std::vector<std::pair<user_address, std::string>> x_told;
};

} // namespace parley::test
