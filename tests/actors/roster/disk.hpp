#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/roster/roster_rules.hpp"

namespace parley::test {

user_address person(std::string_view text);

/// Of a `contact_table`.
inline bool everything(const contact_brief&) {
  return true;
}

/// What one user's roster has on disk, notes included: a store of one.
struct roster_disk {
  roster_head head;
  std::map<user_address, roster_item> items;
  /// By whom they are for, and whether they are a wish: the latest.
  std::map<std::pair<user_address, bool>, subscription_note> notes;

  void apply(const user_address& owner, const store_operation& what);
  packed_roster read() const;
  /// Whether `x` has these entries and no others; decodes none of them for
  /// good.
  bool holds(const contact_table& x) const;
};

/// What one or several calls of the rules asked for.
struct asked_for {
  struct reply {
    session_id to;
    request_number number;
    roster_rules::answer_content what;
  };
  struct check {
    uint64_t ticket = 0;
    std::vector<user_address> whom;
    bool watched = false;
  };
  std::vector<store_operation> writes;
  std::vector<reply> replies;
  std::vector<contact_list> pushes;
  std::vector<std::pair<session_id, privacy>> privacies;
  std::vector<check> checks;
  std::vector<subscription_note> notes;
  std::vector<subscription_note> confirmed;
  std::vector<std::pair<user_address, bool>> watches;
  std::vector<user_address> views;
  size_t all_views = 0;
  size_t heads = 0;
};

/// Collects it.
class recorder : public roster_rules::effects {
public:
  asked_for take() { return std::exchange(x_now, {}); }

  void write(store_operation what) override;
  void reply(session_id to, request_number number,
    roster_rules::answer_content what) override;
  void push(contact_list what) override;
  void tell_privacy(session_id by, privacy what) override;
  void check(
    uint64_t ticket, std::vector<user_address> whom, bool watched) override;
  void send(subscription_note what) override;
  void confirm(subscription_note what) override;
  void watch(const user_address& whom, bool on) override;
  void view_changed(const user_address& whom) override;
  void views_changed() override { ++x_now.all_views; }
  void head_changed() override { ++x_now.heads; }
  uint64_t adhoc_watchers_beside(const user_address& whom) const override {
    return adhoc.size() - adhoc.count(whom);
  }

  std::set<user_address> adhoc;

private:
  asked_for x_now;
};

/// Counted anew from the entries: contacts, watchers, requests.
std::vector<uint64_t> counted(const roster_rules& x);
/// As the head has them.
std::vector<uint64_t> counts(const roster_head& x);

std::string text_of(const subscription_note& x);

} // namespace parley::test
