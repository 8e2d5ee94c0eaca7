#include <algorithm>

#include "persistence/contact_rows.hpp"
#include "persistence/defaults.hpp"
#include "persistence/keys.hpp"
#include "persistence/store.hpp"
#include "persistence/store_impl.hpp"

// Reading contact lists, and what subscriptions owe.
namespace parley {

namespace {

/// More than a roster changes in all its time: whatever version a client knows
/// of one that cannot be read, it is older than this.
constexpr uint64_t version_leap = uint64_t{1} << 32;

/// In place of one that cannot be read; README.md, "An unreadable roster head".
roster_head rebuilt(const contact_rows& items) {
  roster_head out;
  out.privacy.approve = approval::ask;
  out.privacy.sharing = sharing::off;
  for (size_t i = 0; i < items.size(); ++i) {
    auto x = items.item(i);
    out.version = std::max(out.version, x.version);
    bool watches = x.pretended || x.what.subscription.from == half::active;
    out.contacts += x.what.listed;
    out.watchers += watches;
    out.requests += x.what.subscription.from == half::pending;
    if (x.pretended)
      out.privacy.block.push_back(x.what.address);
  }
  out.version.value += version_leap;
  out.since = out.version;
  return out;
}

} // namespace

result<packed_roster> store::impl::roster_rows(
  const user_address& user, const rocksdb::Snapshot* at) {
  packed_roster out;
  bool is_damaged = false;
  database::range range;
  range.begin = keys::roster(user);
  range.end = keys::roster_end(user);
  range.snapshot = at;
  auto done = db->scan(family::rosters, range,
    [&](std::string_view key, std::string_view value) -> result<bool> {
      using part = keys::roster_place::part;
      auto place = keys::parse_roster(key);
      if (place && place->what == part::head) {
        if (auto head = records::decode_roster(value)) {
          out.head = std::move(*head);
        } else {
          is_damaged = true;
          pass_over(family::rosters, key,
            undecodable("the roster head of " + user.str()));
        }
        return true;
      }
      auto unreadable = [&](std::string_view contact) {
        const auto name = contact.empty()
          ? "some contact"
          : "the contact " + std::string(contact);
        pass_over(family::rosters, std::string(key).append(contact),
          undecodable(name + " of " + user.str()));
      };
      if (!place || place->what != part::contacts) {
        unreadable({});
        return true;
      }
      out.items.assign(std::string(value),
        static_cast<size_t>(
          std::min<uint64_t>(out.head.contacts, defaults::contacts_expected)),
        unreadable);
      // Behind it are at most deletions of single contacts (schema 4): not to
      // step over them.
      return false;
    });
  if (!done) {
    // A disk that fails says nothing about what is on it.
    if (done.error().code == errc::store_corrupt)
      pass_over(family::rosters, keys::roster(user),
        failure{errc::store_corrupt,
          "the contact list of " + user.str() + ": " + done.error().text});
    return tl::unexpected(std::move(done.error()));
  }
  if (is_damaged)
    out.head = rebuilt(out.items);
  return out;
}

result<stored_roster> store::impl::roster(
  const user_address& user, const rocksdb::Snapshot* at) {
  return roster_rows(user, at).map([](packed_roster&& x) {
    stored_roster out;
    out.head = std::move(x.head);
    out.items.reserve(x.items.size());
    for (size_t i = 0; i < x.items.size(); ++i)
      out.items.push_back(x.items.item(i));
    return out;
  });
}

result<packed_roster> store::roster_rows(const user_address& user) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  return x_impl->roster_rows(user, nullptr);
}

result<stored_roster> store::roster(const user_address& user) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  return x_impl->roster(user, nullptr);
}

result<privacy> store::impl::privacy_of(
  const user_address& user, const rocksdb::Snapshot* at) {
  auto value = db->get(family::rosters, keys::roster(user), at);
  if (value && !*value)
    return privacy{};
  if (!value && value.error().code != errc::store_corrupt)
    return tl::unexpected(std::move(value.error()));
  if (auto head = value ? records::decode_roster(**value) : std::nullopt)
    return std::move(head->privacy);
  return roster_rows(user, at).map(
    [](auto&& x) { return std::move(x.head.privacy); });
}

result<std::vector<roster_counts>> store::rosters(
  user_address& last, size_t max) {
  std::vector<roster_counts> out;
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  database::range range;
  if (!last.empty())
    range.begin = last.str() + '\0';
  range.keep_in_cache = false;
  user_address at;
  size_t n = 0;
  bool more = false;
  std::vector<size_t> older;
  auto done = x_impl->db->scan(family::heads, range,
    [&](std::string_view key, std::string_view value) -> result<bool> {
      if (n++ == max) {
        more = true;
        return false;
      }
      at = user_address::from_prepared(std::string(key));
      auto head = records::decode_head(value);
      if (!head)
        x_impl->pass_over(
          family::heads, key, undecodable("the head of " + at.str()));
      else if (head->roster)
        out.push_back({at, head->contacts, head->watchers, head->requests,
          head->sharing.value_or(sharing::by_default)});
      if (head && head->roster && !head->sharing)
        older.push_back(out.size() - 1);
      return true;
    });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  for (auto i : older) {
    auto found = x_impl->privacy_of(out[i].user, nullptr);
    if (!found)
      return tl::unexpected(std::move(found.error()));
    out[i].sharing = found->sharing;
  }
  last = more ? std::move(at) : user_address();
  return out;
}

result<std::string> store::each_note(const std::string& from, size_t max,
  const std::function<void(const subscription_note&)>& each) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  database::range range;
  range.begin = from;
  range.keep_in_cache = false;
  std::string next;
  size_t n = 0;
  auto done = x_impl->db->scan(family::notes, range,
    [&](std::string_view key, std::string_view value) -> result<bool> {
      if (n++ == max) {
        next = key;
        return false;
      }
      auto place = keys::parse_note(key);
      auto record = records::decode_note(value);
      subscription_note note;
      if (record)
        note.what = record->what;
      if (!place || !record || note.is_wish() != place->is_wish) {
        auto whom =
          place ? place->from.str() + " to " + place->to.str() : "a user";
        x_impl->pass_over(family::notes, key, undecodable("a note of " + whom));
        return true;
      }
      note.from = std::move(place->from);
      note.to = std::move(place->to);
      note.number = record->number;
      note.since = record->since;
      each(note);
      return true;
    });
  return done.map([&next] { return std::move(next); });
}

} // namespace parley
