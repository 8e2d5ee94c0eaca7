#include <algorithm>
#include <tuple>
#include <utility>

#include "persistence/keys.hpp"
#include "persistence/records.hpp"
#include "persistence/store.hpp"
#include "persistence/store_impl.hpp"
#include "persistence/stored_contacts.hpp"

// Reading what users keep.
namespace parley {

result<acquaintance> store::acquainted(
  const user_address& owner, const user_address& with) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  read_point now(*x_impl->db);
  auto privacy = x_impl->privacy_of(owner, now.get());
  if (!privacy)
    return tl::unexpected(std::move(privacy.error()));
  auto list =
    x_impl->db->get(family::rosters, keys::contacts(owner), now.get());
  if (!list)
    return tl::unexpected(std::move(list.error()));
  const auto entry = *list ? stored_contacts::find(**list, with.str()) : "";
  const auto item = records::check_contact(entry);
  acquaintance out;
  out.watches =
    item && item->subscription.from == half::active && !item->pretended;
  out.privacy = std::move(*privacy);
  return out;
}

namespace {

/// Where a document stands among those of its collection.
struct candidate {
  uint64_t number = 0;
  std::string id;
};

} // namespace

result<stored_documents> store::documents(
  const user_address& owner, const read_documents& which, uint64_t bytes_max) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  auto& x = *x_impl;
  read_point now(*x.db);
  const auto& name = which.collection;
  auto value =
    x.db->get(family::documents, keys::collection(owner, name), now.get());
  if (!value)
    return tl::unexpected(std::move(value.error()));
  stored_documents out;
  if (!*value)
    return out;
  auto collection = records::decode_collection(**value);
  if (!collection)
    return tl::unexpected(
      undecodable("the collection " + name + " of " + owner.str()));
  out.rules = collection->rules;

  auto read = [&](const std::string& id) {
    return x.db->get(
      family::documents, keys::document(owner, name, id), now.get());
  };
  std::vector<candidate> all;
  if (which.max == 0)
    return out;
  if (which.ids.empty()) {
    database::range range;
    range.begin = keys::documents_begin(owner, name);
    range.end = keys::documents_end(owner, name);
    range.snapshot = now.get();
    auto done = x.db->scan(family::documents, range,
      [&](std::string_view key, std::string_view bytes) -> result<bool> {
        auto place = keys::parse_document(key);
        auto record = records::decode_document(bytes);
        if (place && record)
          all.push_back({record->number, std::string(place->id)});
        else
          x.pass_over(family::documents, key,
            undecodable("a document of " + owner.str()));
        return true;
      });
    if (!done)
      return tl::unexpected(std::move(done.error()));
    std::sort(all.begin(), all.end(),
      [](const auto& a, const auto& b) { return a.number > b.number; });
    all.resize(std::min<uint64_t>(all.size(), which.max));
  } else {
    for (const auto& id : which.ids)
      all.push_back({0, id});
  }

  uint64_t bytes = 0;
  for (auto& c : all) {
    auto found = read(c.id);
    if (!found)
      return tl::unexpected(std::move(found.error()));
    auto record = *found ? records::decode_document(**found) : std::nullopt;
    if (!record)
      continue;
    bytes += c.id.size() + record->bytes.size();
    if (bytes > bytes_max && !out.what.empty())
      break;
    out.what.push_back(
      {std::move(c.id), std::move(record->bytes), record->written_at});
  }
  return out;
}

result<std::vector<std::string>> store::collections(
  const user_address& owner, std::string_view prefix) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  std::vector<std::string> out;
  database::range range;
  range.begin = keys::documents(owner);
  range.end = keys::documents_end(owner);
  auto done = x_impl->db->scan(family::documents, range,
    [&](std::string_view key, std::string_view) -> result<bool> {
      auto place = keys::parse_document(key);
      if (place && place->id.empty() && !place->collection.empty()
        && place->collection.starts_with(prefix))
        out.emplace_back(place->collection);
      return true;
    });
  return done.map([&out] { return std::move(out); });
}

result<document_totals> store::documents_of(const user_address& owner) {
  auto lock = x_impl->reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  auto key = keys::documents(owner);
  auto value = x_impl->db->get(family::documents, key);
  if (!value)
    return tl::unexpected(std::move(value.error()));
  if (!*value)
    return document_totals{};
  if (auto record = records::decode_totals(**value))
    return record->what;
  return tl::unexpected(undecodable("what " + owner.str() + " keeps in all"));
}

} // namespace parley
