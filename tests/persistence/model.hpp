#pragma once

#include "tests/persistence/fixture.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace parley::test {

/// What a store should hold, in maps.
class store_model {
public:
  void commit(const std::vector<store_operation>& batch) {
    for (auto& x : batch)
      std::visit([this](auto& what) { apply(what); }, x);
  }

  uint64_t forget_ids(wall_time before) {
    return std::erase_if(x_ids, [&](auto& x) {
      auto& [key, id] = x;
      if (id.what.stored_at >= before)
        return false;
      auto im = x_ims.find({key.recipient, id.order});
      return im == x_ims.end() || im->second.message->id != key.id
        || im->second.message->from.user != key.sender;
    });
  }

  /// Through every reading function.
  void expect_same(store& db) const {
    for (auto& user : users())
      expect_same(db, user);

    std::map<uint64_t, wall_time> ids;
    each_id(
      db, [&](uint64_t hash, wall_time t) { ids[hash] = t; }, 3);
    BOOST_REQUIRE(ids.size() == x_ids.size());
    for (auto& [key, id] : x_ids) {
      auto found = must(db.find_id(key));
      BOOST_REQUIRE(found.has_value());
      BOOST_REQUIRE(found->content_hash == id.what.content_hash);
      BOOST_REQUIRE((found->stored_at == id.what.stored_at));
      BOOST_REQUIRE((ids.at(retry_hash(key)) == id.what.stored_at));
    }

    std::map<user_address, scram_keys> accounts;
    for (user_address last;;) {
      auto page = must(db.accounts(last, 2));
      for (auto& user : page)
        accounts[user] = must(db.find_account(user)).value().keys;
      if (page.size() < 2)
        break;
      last = page.back();
    }
    BOOST_REQUIRE((accounts == x_accounts));

    auto with_roster = rosters(db, 2);
    BOOST_REQUIRE(with_roster.size() == x_rosters.size());
    for (size_t i = 0; auto& [user, head] : x_rosters) {
      auto& counts = with_roster[i++];
      BOOST_REQUIRE((counts.user == user));
      BOOST_REQUIRE(counts.contacts == head.contacts);
      BOOST_REQUIRE(counts.watchers == head.watchers);
      BOOST_REQUIRE(counts.requests == head.requests);
    }

    auto owed = notes(db, 2);
    BOOST_REQUIRE(owed.size() == x_notes.size());
    for (auto& x : owed) {
      auto i = x_notes.find(slot_of(x));
      BOOST_REQUIRE(i != x_notes.end());
      BOOST_REQUIRE((i->second == x));
    }

    auto settings = must(db.settings());
    BOOST_REQUIRE((std::map(settings.begin(), settings.end()) == x_settings));

    auto lines = must(db.audit(SIZE_MAX));
    BOOST_REQUIRE(lines.size() == x_audit.size());
    for (size_t i = 0; i < lines.size(); ++i)
      BOOST_REQUIRE(lines[i].what == x_audit[lines.size() - 1 - i].what);

    for (uint64_t ms : {0, 3, 9, 100}) {
      auto expired = ims_before(db, at(static_cast<int64_t>(ms)), 2);
      std::sort(expired.begin(), expired.end());
      std::vector<std::pair<user_address, im_order>> expected;
      for (auto& [key, im] : x_ims)
        if (key.second.value < ms * 1000)
          expected.push_back(key);
      BOOST_REQUIRE((expired == expected));
    }
  }

  /// Nothing but the end of `batch` after its first `n` operations is missing.
  bool same_audit(store& db) const {
    return must(db.audit(SIZE_MAX)).size() == x_audit.size();
  }

  static std::vector<user_address> users() {
    return {alice, bob, carol, user("a@b"), user("a@bc")};
  }

private:
  struct id_entry {
    stored_id what;
    im_order order;
  };
  using place = std::pair<user_address, im_order>;
  /// Documents by collection and number: greater is later.
  using kept = std::map<std::string, std::map<uint64_t, document>>;
  using note_slot = std::tuple<user_address, user_address, bool>;

  static note_slot slot_of(const subscription_note& x) {
    return {x.from, x.to, x.is_wish()};
  }

  static bool blocks_anybody(const privacy& x) {
    for (auto& [domain, rule] : x.domains)
      if (rule == approval::block)
        return true;
    return !x.block.empty();
  }

  void apply(const put_im& x) {
    auto& message = *x.what.message;
    x_ims[{x.what.recipient, x.what.order}] = x.what;
    if (x_accounts.contains(message.from.user))
      x_ids[{message.from.user, message.id, x.what.recipient}] = {
        {x.content_hash, message.sent_at}, x.what.order};
    auto& last = x_last[x.what.recipient];
    last = std::max(last, x.what.order);
  }
  void apply(const remove_im& x) { x_ims.erase({x.recipient, x.order}); }
  void apply(const put_account& x) { x_accounts[x.user] = x.keys; }
  void apply(const remove_account& x) {
    bool existed = x_accounts.erase(x.user) > 0;
    if (existed && !x.line.what.empty())
      x_audit.push_back(x.line);
    if (existed)
      x_removed_at[x.user] = std::max(x_removed_at[x.user], x.at_us);
    x_last.erase(x.user);
    for (auto& [place, im] : x_ims)
      if (auto id = x_ids.find({im.message->from.user, im.message->id, x.user});
          place.first == x.user && id != x_ids.end()
          && id->second.order == place.second)
        x_ids.erase(id);
    std::erase_if(x_ims, [&](auto& y) { return y.first.first == x.user; });
    std::erase_if(x_ids, [&](auto& y) { return y.first.sender == x.user; });
    x_rosters.erase(x.user);
    x_contacts.erase(x.user);
    x_kept.erase(x.user);
    x_last_number.erase(x.user);
  }
  void apply(const put_roster& x) { x_rosters[x.user] = x.what; }
  void apply(const put_contact& x) {
    x_contacts[x.user][x.what.what.address] = x.what;
  }
  void apply(const remove_contact& x) { x_contacts[x.user].erase(x.contact); }
  void apply(const put_note& x) { x_notes[slot_of(x.what)] = x.what; }
  void apply(const remove_note& x) {
    auto i = x_notes.find(slot_of(x.what));
    if (i == x_notes.end() || i->second.number != x.what.number)
      return;
    if (i->second.what == x.what.what || (i->second.wants() && x.what.wants()))
      x_notes.erase(i);
  }
  // Without limits, and of collections that take any number.
  void apply(const change_documents& x) {
    if (x_accounts.contains(x.owner))
      std::visit(
        [&](auto& what) { apply(x_kept[x.owner], x.owner, what); }, x.what);
  }
  void apply(kept& k, const user_address& owner, const write_document& x) {
    auto& c = k[x.collection];
    std::erase_if(c, [&](auto& y) { return y.second.id == x.what.id; });
    c[++x_last_number[owner]] = x.what;
  }
  void apply(kept& k, const user_address&, const remove_document& x) {
    if (auto c = k.find(x.collection); c != k.end())
      std::erase_if(c->second, [&](auto& y) { return y.second.id == x.id; });
  }
  void apply(kept& k, const user_address&, const make_collection& x) {
    k[x.collection];
  }
  void apply(kept&, const user_address&, const change_collection&) {}
  void apply(kept& k, const user_address&, const remove_collection& x) {
    if (!x.stays)
      k.erase(x.collection);
    else if (auto c = k.find(x.collection); c != k.end())
      c->second.clear();
  }
  void apply(const put_setting& x) {
    if (x.value.empty())
      x_settings.erase(x.name);
    else
      x_settings[x.name] = x.value;
  }
  void apply(const audit_entry& x) { x_audit.push_back(x); }

  void expect_same(store& db, const user_address& user) const {
    std::vector<stored_im> expected;
    for (auto i = x_ims.lower_bound({user, {}});
         i != x_ims.end() && i->first.first == user; ++i)
      expected.push_back(i->second);
    auto last = x_last.find(user);

    auto head = must(db.head(user));
    BOOST_REQUIRE(head.exists == x_accounts.contains(user));
    BOOST_REQUIRE(head.stored == expected.size());
    BOOST_REQUIRE(
      head.last.value == (last == x_last.end() ? 0 : last->second.value));
    auto removed = x_removed_at.find(user);
    BOOST_REQUIRE(
      head.removed_at == (removed == x_removed_at.end() ? 0 : removed->second));
    expect_same_roster(db, user, head);
    expect_same_documents(db, user);

    std::vector<stored_im> found;
    im_order next;
    for (;;) {
      auto page = must(db.ims(user, next, 3));
      BOOST_REQUIRE(page.size() <= 3u);
      found.insert(found.end(), page.begin(), page.end());
      if (page.size() < 3)
        break;
      next.value = page.back().order.value + 1;
    }
    BOOST_REQUIRE(std::equal(found.begin(), found.end(), expected.begin(),
      expected.end(), [](auto& a, auto& b) { return equal(a, b); }));
  }

  void expect_same_documents(store& db, const user_address& user) const {
    document_totals totals;
    std::vector<std::string> names;
    if (auto i = x_kept.find(user); i != x_kept.end())
      for (auto& [name, all] : i->second) {
        names.push_back(name);
        totals.count += 1 + all.size();
        totals.bytes += name.size();
        std::vector<document> expected;
        for (auto& [number, x] : all) {
          expected.insert(expected.begin(), x);
          totals.bytes += x.id.size() + x.bytes.size();
        }
        auto found =
          must(db.documents(user, {name, {}, any_number}, any_number));
        BOOST_REQUIRE((found.what == expected));
      }
    auto found = must(db.collections(user, ""));
    std::sort(found.begin(), found.end());
    BOOST_REQUIRE((found == names));
    BOOST_REQUIRE((must(db.documents_of(user)) == totals));
  }

  void expect_same_roster(
    store& db, const user_address& user, const user_head& head) const {
    auto i = x_rosters.find(user);
    auto expected = i == x_rosters.end() ? roster_head() : i->second;
    BOOST_REQUIRE(head.roster == (i != x_rosters.end()));
    BOOST_REQUIRE(head.contacts == expected.contacts);
    BOOST_REQUIRE(head.watchers == expected.watchers);
    BOOST_REQUIRE(head.requests == expected.requests);
    BOOST_REQUIRE(bool(head.blocks) == blocks_anybody(expected.privacy));
    if (head.blocks)
      BOOST_REQUIRE((*head.blocks == expected.privacy));

    auto roster = must(db.roster(user));
    BOOST_REQUIRE((roster.head == expected));
    std::vector<roster_item> items;
    if (auto j = x_contacts.find(user); j != x_contacts.end())
      for (auto& [address, item] : j->second)
        items.push_back(item);
    BOOST_REQUIRE((roster.items == items));
  }

  std::map<place, stored_im> x_ims;
  std::map<user_address, im_order> x_last;
  std::map<retry_key, id_entry> x_ids;
  std::map<user_address, scram_keys> x_accounts;
  std::map<user_address, uint64_t> x_removed_at;
  std::map<user_address, roster_head> x_rosters;
  std::map<user_address, std::map<user_address, roster_item>> x_contacts;
  std::map<note_slot, subscription_note> x_notes;
  std::map<user_address, kept> x_kept;
  std::map<user_address, uint64_t> x_last_number;
  std::map<std::string, std::string> x_settings;
  std::vector<audit_entry> x_audit;
};

/// Random batches over few users, ids and orders, so that they meet.
class operation_source {
public:
  explicit operation_source(uint64_t seed) : x_random(seed) {}

  std::vector<store_operation> batch() {
    std::vector<store_operation> out;
    for (auto n = 1 + draw(8); n > 0; --n)
      add(out);
    return out;
  }

  bool one_in(uint64_t n) { return draw(n) == 0; }
  wall_time some_time() { return at(static_cast<int64_t>(draw(1000))); }
  std::mt19937_64& random() { return x_random; }

private:
  uint64_t draw(uint64_t n) { return x_random() % n; }

  user_address some_user() {
    auto users = store_model::users();
    return users[draw(users.size())];
  }

  uint64_t some_order() { return 1 + draw(40) * 400; }

  shared<im> some_message() {
    auto x = make_im(some_user(), "m" + std::to_string(draw(6)),
      std::string(draw(200), static_cast<char>('a' + draw(3))), some_time());
    if (one_in(3))
      x.payloads = {{"read", std::to_string(draw(3))}};
    x.receipts = one_in(2);
    return shared<im>(std::move(x));
  }

  std::string some_text(const char* what) {
    return std::string(draw(3), 'x') + what;
  }

  std::vector<user_address> some_users() {
    auto users = store_model::users();
    std::erase_if(users, [this](auto&) { return one_in(2); });
    std::sort(users.begin(), users.end());
    return users;
  }

  roster_head some_roster() {
    roster_head x;
    x.version.value = draw(1000);
    x.since.value = draw(1000);
    for (auto& user : some_users())
      x.removals.emplace_back(roster_version{draw(1000)}, user);
    x.privacy.approve = static_cast<approval>(draw(3));
    x.privacy.sharing = static_cast<sharing>(draw(3));
    if (one_in(2))
      x.privacy.allow = some_users();
    if (one_in(3))
      x.privacy.block = some_users();
    if (one_in(3))
      x.privacy.domains = {
        {some_text("a.org"), static_cast<approval>(1 + draw(3))},
        {"z.org", static_cast<approval>(1 + draw(3))}};
    for (auto* n : {&x.contacts, &x.watchers, &x.requests})
      *n = draw(300);
    return x;
  }

  roster_item some_item() {
    auto x = make_item(some_user(), some_text(""));
    for (auto n = draw(3); n > 0; --n)
      x.what.groups.push_back(some_text("group"));
    x.what.listed = one_in(2);
    x.what.subscription = {
      static_cast<half>(draw(3)), static_cast<half>(draw(3))};
    x.what.preapproved = one_in(2);
    x.pretended = one_in(4);
    for (auto* n : {&x.version.value, &x.asked, &x.heard})
      *n = draw(300);
    if (x.what.preapproved)
      x.approved_at = draw(3) * 100;
    return x;
  }

  /// Few, so that removals meet them.
  subscription_note some_note() {
    return {some_user(), some_user(),
      static_cast<subscription_note::kind>(draw(6)), draw(3), draw(2) * 300};
  }

  void add_of_roster(std::vector<store_operation>& out) {
    auto what = draw(100);
    if (what < 15)
      out.push_back(put_roster{some_user(), some_roster()});
    else if (what < 40)
      out.push_back(put_contact{some_user(), some_item()});
    else if (what < 55)
      out.push_back(remove_contact{some_user(), some_user()});
    else if (what < 75)
      out.push_back(put_note{some_note()});
    else
      out.push_back(remove_note{some_note()});
  }

  /// Few, so that they meet.
  document_change some_change() {
    auto name = "c" + std::to_string(draw(3));
    auto id = std::to_string(draw(4));
    const collection_wish many{.documents_max = any_number};
    switch (draw(6)) {
    case 0:
      return remove_document{name, id, false};
    case 1:
      return make_collection{name, many};
    case 2:
      return remove_collection{name, one_in(2), false};
    default:
      return write_document{
        name, {id, std::string(draw(50), 'b'), {}}, many, false};
    }
  }

  void add(std::vector<store_operation>& out) {
    if (one_in(5)) {
      out.push_back(change_documents{some_user(), some_change()});
      return;
    }
    if (one_in(3)) {
      add_of_roster(out);
      return;
    }
    auto what = draw(100);
    if (what < 40)
      out.push_back(make_put(some_user(), some_order(), some_message()));
    else if (what < 55)
      add_broadcast(out);
    else if (what < 85)
      out.push_back(make_remove(some_user(), some_order()));
    else if (what < 91)
      out.push_back(put_account{some_user(), make_keys(some_user().str())});
    else if (what < 93)
      out.push_back(remove_account{some_user(),
        one_in(2) ? audit_entry{some_time(), "root", "remove", "", ""}
                  : audit_entry{},
        draw(1000)});
    else if (what < 96)
      out.push_back(
        put_setting{"s" + std::to_string(draw(3)), std::string(draw(3), 'v')});
    else
      out.push_back(
        audit_entry{some_time(), "root", std::to_string(draw(1000)), "", ""});
  }

  void add_broadcast(std::vector<store_operation>& out) {
    auto message = some_message();
    for (auto n = 1 + draw(4); n > 0; --n)
      out.push_back(make_put(some_user(), some_order(), message, true));
  }

  std::mt19937_64 x_random;
};

} // namespace parley::test
