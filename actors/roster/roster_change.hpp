#pragma once

#include <map>
#include <optional>
#include <vector>

#include "actors/roster/roster_rules.hpp"

namespace parley {

/// What it has touched is compared with what it was at the end: that is what is
/// written, counted, pushed and told.
class roster_rules::change {
public:
  explicit change(roster_rules& rules) : x_rules(rules) {}

  /// The entry of `whom`, made if it is not there.
  roster_item& make(const user_address& whom);
  /// Null if it is not there.
  roster_item* get(const user_address& whom);
  /// To be kept and sent.
  void note(subscription_note what) { x_notes.push_back(std::move(what)); }
  /// Is answered: need not be kept any more.
  void forget(subscription_note what) {
    x_forgotten.push_back(std::move(what));
  }
  void confirm(const subscription_note& what) { x_confirmed.push_back(what); }
  /// The head has changed beside its counts.
  void head() { x_head = true; }
  /// Entries that count now, with what this change has done so far.
  uint64_t contacts() const noexcept { return x_rules.x_head.contacts; }

  /// Counts an entry anew; to be called after each of its changes that others
  /// of the same change have to reckon with.
  void count(const roster_item& x);
  /// Writes and tells; answers come after this.
  void commit();

private:
  struct touched {
    std::optional<roster_item> before;
    /// As it is counted in the head.
    roster_item counted;
  };
  touched& touch(const user_address& whom, const roster_item* now);
  void recount(touched& t, const roster_item& now);
  /// What of it clients have to hear.
  static void collect(const user_address& whom, const touched& t,
    const roster_item* now, contact_list& push);

  roster_rules& x_rules;
  std::map<user_address, touched> x_touched;
  std::vector<subscription_note> x_notes;
  std::vector<subscription_note> x_forgotten;
  std::vector<subscription_note> x_confirmed;
  bool x_head = false;
};

/// Whether clients hear of an entry.
bool is_visible(const roster_item& x) noexcept;
bool is_visible(const contact_standing& x) noexcept;

} // namespace parley
