#include <algorithm>
#include <utility>

#include "persistence/commit_plan.hpp"
#include "protocol/defaults.hpp"

// What users keep. Each change is judged where it is written: nobody else
// changes it between.
namespace parley {

/// A user's counts, and the one collection that is about to change. What is
/// refused leaves all of it as it is on disk.
struct commit_plan::keeping {
  const change_documents& what;
  records::totals_record totals;
  /// Nothing: it is not there, or is no longer.
  std::optional<records::collection_record> collection;
  document_verdict verdict;
  /// What follows if it is not refused; no value: the key is removed.
  std::vector<std::pair<std::string, std::optional<std::string>>> writes;

  void refuse(errc why, std::string text = {}) {
    verdict.why = failure{why, std::move(text)};
  }
  bool is_refused() const noexcept { return verdict.why.code != errc::none; }

  void add(uint64_t count, uint64_t bytes) noexcept {
    totals.what.count += count;
    totals.what.bytes += bytes;
  }
  void subtract(uint64_t count, uint64_t bytes) noexcept {
    totals.what.count -= std::min(count, totals.what.count);
    totals.what.bytes -= std::min(bytes, totals.what.bytes);
  }
  /// The change makes it more than is allowed: so it is refused.
  void judge(const document_totals& before) {
    const auto& now = totals.what;
    auto over = [this](uint64_t x, uint64_t max, const char* name) {
      refuse(errc::quota_exceeded,
        std::string{name} + " is " + std::to_string(max) + ", this makes it "
          + std::to_string(x));
      verdict.why.limit = max;
      verdict.why.value = x;
    };
    // Who is beyond a lowered limit may still replace and remove.
    if (now.count > what.max.count && now.count > before.count)
      over(now.count, what.max.count, "documents.max");
    else if (now.bytes > what.max.bytes && now.bytes > before.bytes)
      over(now.bytes, what.max.bytes, "documents.bytes_max");
  }
};

result<void> commit_plan::count_anew(keeping& k) {
  const auto& owner = k.what.owner;
  auto found = keys_between(family::documents, keys::documents(owner),
    keys::documents_end(owner), SIZE_MAX);
  if (!found)
    return tl::unexpected(std::move(found.error()));
  k.totals = {};
  for (const auto& key : *found) {
    auto place = keys::parse_document(key);
    if (!place || place->collection.empty())
      continue;
    auto value = get(family::documents, key);
    if (!value)
      return tl::unexpected(std::move(value.error()));
    auto record = *value && !place->id.empty()
      ? records::decode_document(**value)
      : std::nullopt;
    k.add(1,
      place->id.empty()
        ? place->collection.size()
        : place->id.size() + (record ? record->bytes.size() : 0));
    if (record)
      k.totals.last = std::max(k.totals.last, record->number);
  }
  return {};
}

result<void> commit_plan::load(keeping& k, const change_documents& x) {
  auto totals = get(family::documents, keys::documents(x.owner));
  if (!totals)
    return tl::unexpected(std::move(totals.error()));
  if (*totals) {
    if (auto record = records::decode_totals(**totals))
      k.totals = *record;
    else if (auto done = count_anew(k); !done)
      return done;
  }
  const auto& name = collection_of(x.what);
  auto value = get(family::documents, keys::collection(x.owner, name));
  if (!value)
    return tl::unexpected(std::move(value.error()));
  if (!*value)
    return {};
  k.collection = records::decode_collection(**value);
  // It can be removed, and made again.
  if (!k.collection && std::holds_alternative<remove_collection>(x.what))
    k.collection.emplace().rules.who = readers::owner;
  else if (!k.collection)
    return fail(
      errc::store_corrupt, "the collection " + name + " of " + x.owner.str());
  return {};
}

result<void> commit_plan::apply(const change_documents& x) {
  keeping k{x, {}, {}, {}, {}};
  auto exists = has_account(x.owner);
  if (!exists)
    return tl::unexpected(std::move(exists.error()));
  if (!*exists || x_emptied.contains(x.owner)) {
    k.refuse(errc::no_such_user);
    x_documents.push_back(std::move(k.verdict));
    return {};
  }
  auto done = load(k, x).and_then([&] {
    if (k.collection)
      k.verdict.rules = k.collection->rules;
    return std::visit([&](const auto& y) { return carry_out(k, y); }, x.what);
  });
  if (!done)
    return done;
  if (!k.is_refused())
    write(k);
  x_documents.push_back(std::move(k.verdict));
  return {};
}

void commit_plan::write(keeping& k) {
  const auto& owner = k.what.owner;
  auto name = keys::collection(owner, collection_of(k.what.what));
  if (k.collection) {
    k.verdict.rules = k.collection->rules;
    k.writes.emplace_back(
      std::move(name), records::encode_collection(*k.collection));
  } else {
    k.writes.emplace_back(std::move(name), std::nullopt);
  }
  k.writes.emplace_back(keys::documents(owner),
    k.totals.what == document_totals{}
      ? std::nullopt
      : std::optional(records::encode_totals(k.totals)));
  for (auto& [key, value] : k.writes)
    if (value)
      put(family::documents, std::move(key), std::move(*value));
    else
      remove_key(family::documents, std::move(key));
}

result<bool> commit_plan::take_out(keeping& k, const std::string& key) {
  auto value = get(family::documents, key);
  if (!value && value.error().code != errc::store_corrupt)
    return tl::unexpected(std::move(value.error()));
  if (value && !*value)
    return false;
  auto place = keys::parse_document(key);
  auto record = value ? records::decode_document(**value) : std::nullopt;
  k.subtract(1, place->id.size() + (record ? record->bytes.size() : 0));
  k.collection->count -= k.collection->count > 0;
  k.writes.emplace_back(key, std::nullopt);
  return true;
}

namespace {

uint64_t room_of(const collection_rules& x) noexcept {
  return x.keeps ? x.documents_max : 0;
}

} // namespace

result<void> commit_plan::thin_out(keeping& k, const std::string& but) {
  auto& c = *k.collection;
  const auto room = room_of(c.rules);
  if (c.count <= room)
    return {};
  const auto& owner = k.what.owner;
  const auto& name = collection_of(k.what.what);
  auto found =
    keys_between(family::documents, keys::documents_begin(owner, name),
      keys::documents_end(owner, name), SIZE_MAX);
  if (!found)
    return tl::unexpected(std::move(found.error()));
  std::vector<std::pair<uint64_t, std::string>> by_age;
  for (auto& key : *found) {
    if (key == but)
      continue;
    auto value = get(family::documents, key);
    if (!value && value.error().code != errc::store_corrupt)
      return tl::unexpected(std::move(value.error()));
    auto record =
      value && *value ? records::decode_document(**value) : std::nullopt;
    by_age.emplace_back(record ? record->number : 0, std::move(key));
  }
  std::sort(by_age.begin(), by_age.end());
  c.count = by_age.size() + !but.empty();
  for (auto& [number, key] : by_age) {
    if (c.count <= room)
      break;
    if (auto done = take_out(k, key); !done)
      return tl::unexpected(std::move(done.error()));
  }
  return {};
}

result<void> commit_plan::carry_out(keeping& k, const write_document& x) {
  const auto before = k.totals.what;
  if (k.collection && !fits(k.collection->rules, x.wish)) {
    k.refuse(errc::other_rules, "the collection is kept by other rules");
    return {};
  }
  if (!k.collection) {
    k.collection.emplace().rules = changed(collection_rules{}, x.wish);
    k.add(1, x.collection.size());
  }
  auto& c = *k.collection;
  const bool keeps = room_of(c.rules) > 0;
  auto key = keys::document(k.what.owner, x.collection, x.what.id);
  if (keeps) {
    auto there = get(family::documents, key);
    if (!there && there.error().code != errc::store_corrupt)
      return tl::unexpected(std::move(there.error()));
    if (!there || *there) {
      auto record = there ? records::decode_document(**there) : std::nullopt;
      k.subtract(1, x.what.id.size() + (record ? record->bytes.size() : 0));
    } else {
      ++c.count;
    }
    k.add(1, x.what.id.size() + x.what.bytes.size());
    if (auto done = thin_out(k, key); !done)
      return done;
    k.writes.emplace_back(std::move(key),
      records::encode_document({++k.totals.last, k.what.at, x.what.bytes}));
  } else if (auto done = thin_out(k, {}); !done) {
    return done;
  }
  k.judge(before);
  return {};
}

result<void> commit_plan::carry_out(keeping& k, const remove_document& x) {
  if (!k.collection) {
    k.refuse(errc::not_found);
    return {};
  }
  auto done = take_out(k, keys::document(k.what.owner, x.collection, x.id));
  if (!done)
    return tl::unexpected(std::move(done.error()));
  if (!*done)
    k.refuse(errc::not_found);
  return {};
}

result<void> commit_plan::carry_out(keeping& k, const make_collection& x) {
  if (k.collection) {
    k.refuse(errc::exists);
    return {};
  }
  const auto before = k.totals.what;
  k.collection.emplace().rules = changed(collection_rules{}, x.wish);
  k.add(1, x.collection.size());
  k.judge(before);
  return {};
}

result<void> commit_plan::carry_out(keeping& k, const change_collection& x) {
  if (!k.collection) {
    k.refuse(errc::not_found);
    return {};
  }
  auto& rules = k.collection->rules;
  rules = changed(rules, x.wish);
  return thin_out(k, {});
}

result<void> commit_plan::carry_out(keeping& k, const remove_collection& x) {
  if (!k.collection) {
    k.refuse(errc::not_found);
    return {};
  }
  auto found = keys_between(family::documents,
    keys::documents_begin(k.what.owner, x.collection),
    keys::documents_end(k.what.owner, x.collection), SIZE_MAX);
  if (!found)
    return tl::unexpected(std::move(found.error()));
  for (const auto& key : *found)
    if (auto done = take_out(k, key); !done)
      return tl::unexpected(std::move(done.error()));
  if (x.stays) {
    k.collection->count = 0;
  } else {
    k.subtract(1, x.collection.size());
    k.collection.reset();
  }
  return {};
}

} // namespace parley
