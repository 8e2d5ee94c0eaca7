#include "bench/acquaintances.hpp"

#include <algorithm>
#include <stdexcept>

#include "bench/limits.hpp"
#include "bench/scram.hpp"
#include "persistence/store.hpp"
#include "protocol/defaults.hpp"

namespace parley::bench {

namespace {

/// Writes in batches.
class writer {
public:
  explicit writer(const std::string& path) {
    store::options how;
    how.path = path;
    how.sync = false;
    auto opened = store::open(how);
    if (!opened)
      refuse(opened.error());
    x_store = std::move(*opened);
  }

  void put(store_operation what) {
    x_batch.push_back(std::move(what));
    if (x_batch.size() >= defaults::commit_max)
      flush();
  }

  void flush() {
    if (auto done = x_store->commit(x_batch); !done)
      refuse(done.error());
    x_batch.clear();
  }

private:
  [[noreturn]] static void refuse(const failure& why) {
    throw std::runtime_error{"the store says " + why.text};
  }

  std::unique_ptr<store> x_store;
  std::vector<store_operation> x_batch;
};

scram_keys keys_of(const std::string& password) {
  constexpr std::string_view salt = "parley-bench salt";
  const auto keys = [&](scram_hash hash) {
    const auto x =
      derive_secret(password, salt, limits::scram_iterations, hash);
    return scram_keys::per_hash{
      std::string{salt}, limits::scram_iterations, x.stored_key, x.server_key};
  };
  scram_keys out;
  out.sha1 = keys(scram_hash::sha1);
  out.sha256 = keys(scram_hash::sha256);
  return out;
}

} // namespace

acquaintances::acquaintances(uint32_t users, std::vector<pair> pairs)
  : x_begin(size_t{users} + 1), x_watchers(users) {
  std::sort(pairs.begin(), pairs.end());
  x_whom.reserve(pairs.size());
  for (const auto& [watcher, whom] : pairs) {
    ++x_begin[watcher + 1];
    ++x_watchers[whom];
    x_whom.push_back(whom);
  }
  for (size_t i = 1; i < x_begin.size(); ++i)
    x_begin[i] += x_begin[i - 1];
}

acquaintances acquaintances::star(uint32_t watchers) {
  std::vector<pair> all;
  for (uint32_t i = 1; i <= watchers; ++i)
    all.emplace_back(i, 0);
  return {watchers + 1, std::move(all)};
}

acquaintances acquaintances::ring(uint32_t users, uint32_t contacts) {
  std::vector<pair> all;
  all.reserve(size_t{users} * contacts);
  const uint32_t reach = std::min(contacts, users - 1) / 2;
  for (uint32_t i = 0; i < users; ++i)
    for (uint32_t d = 1; d <= reach; ++d) {
      all.emplace_back(i, (i + d) % users);
      all.emplace_back((i + d) % users, i);
    }
  return {users, std::move(all)};
}

acquaintances acquaintances::two_sides(
  uint32_t users, uint32_t contacts, uint32_t others) {
  std::vector<pair> all;
  all.reserve(2 * size_t{users} * contacts);
  uint64_t next = 0;
  for (uint32_t i = 0; i < users; ++i)
    for (uint32_t c = 0; c < std::min(contacts, others); ++c) {
      const auto other = users + static_cast<uint32_t>(next++ % others);
      all.emplace_back(i, other);
      all.emplace_back(other, i);
    }
  return {users + others, std::move(all)};
}

acquaintances acquaintances::strangers(uint32_t users) {
  return {users, {}};
}

acquaintances acquaintances::side_by_side(
  const std::vector<acquaintances>& parts) {
  std::vector<pair> all;
  uint32_t first = 0;
  for (const auto& part : parts) {
    for (uint32_t i = 0; i < part.users(); ++i)
      for (const auto whom : part.seen_by(i))
        all.emplace_back(first + i, first + whom);
    first += part.users();
  }
  return {first, std::move(all)};
}

std::optional<size_t> acquaintances::find(
  uint32_t watcher, uint32_t presentity) const noexcept {
  const auto whom = seen_by(watcher);
  const auto at = std::lower_bound(whom.begin(), whom.end(), presentity);
  if (at == whom.end() || *at != presentity)
    return std::nullopt;
  return x_begin[watcher] + static_cast<size_t>(at - whom.begin());
}

bool acquaintances::mutual() const {
  for (uint32_t i = 0; i < users(); ++i)
    for (const auto whom : seen_by(i))
      if (!find(whom, i))
        return false;
  return true;
}

void acquaintances::write(const std::string& folder, const user_names& names,
  const std::string& password) const {
  writer out{folder + "/store"};
  const auto keys = keys_of(password);
  std::vector<user_address> known;
  known.reserve(users());
  for (uint32_t i = 0; i < users(); ++i) {
    auto user = user_address::parse(names.user(i));
    if (!user)
      throw std::runtime_error{names.user(i) + " is no address"};
    known.push_back(*user);
    out.put(put_account{*user, keys});
  }
  // The other direction of each pair, by presentity.
  std::vector<std::vector<uint32_t>> watchers(users());
  for (uint32_t i = 0; i < users(); ++i)
    for (const auto whom : seen_by(i))
      watchers[whom].push_back(i);
  for (uint32_t i = 0; i < users(); ++i) {
    roster_head head;
    head.version.value = head.since.value = 1;
    const auto item = [&](uint32_t whom, bool to, bool from) {
      roster_item x;
      x.what.address = known[whom];
      x.what.name = "contact " + std::to_string(whom);
      x.what.groups = {"bench"};
      x.what.subscription.to = to ? half::active : half::none;
      x.what.subscription.from = from ? half::active : half::none;
      x.version.value = 1;
      // The first wish of either side.
      x.asked = to ? 1 : 0;
      x.heard = from ? 1 : 0;
      ++head.contacts;
      head.watchers += from ? 1 : 0;
      out.put(put_contact{known[i], std::move(x)});
    };
    for (const auto whom : seen_by(i))
      item(whom, true, find(whom, i).has_value());
    for (const auto who : watchers[i])
      if (!find(i, who))
        item(who, false, true);
    if (head.contacts > 0)
      out.put(put_roster{known[i], std::move(head)});
  }
  out.flush();
}

} // namespace parley::bench
