#include "persistence/stored_contacts.hpp"

#include <algorithm>
#include <numeric>

namespace parley::stored_contacts {

namespace {

constexpr char version = 1;

/// Of a remainder without bytes: an empty entry would remove what is kept.
constexpr std::string_view no_bytes = "?";

/// The latest of each contact, in order of address.
class changes_by_address {
public:
  explicit changes_by_address(const std::vector<std::string_view>& changes) {
    bool in_order = true;
    for (auto change : changes) {
      reader in(change);
      const auto add = [&](const element& x) {
        in_order =
          in_order && (x_latest.empty() || x_latest.back().address < x.address);
        x_latest.push_back(x);
      };
      auto rest = change;
      for (; const auto x = in.next(); rest = in.rest())
        add(*x);
      if (!in.complete())
        add({{}, rest.empty() ? no_bytes : rest});
    }
    if (!in_order)
      sort();
  }

  auto begin() const { return x_latest.begin(); }
  auto end() const { return x_latest.end(); }

private:
  void sort() {
    std::stable_sort(x_latest.begin(), x_latest.end(),
      [](const auto& a, const auto& b) { return a.address < b.address; });
    // Of those of one address the last.
    const auto rest = std::unique(x_latest.rbegin(), x_latest.rend(),
      [](const auto& a, const auto& b) { return a.address == b.address; });
    x_latest.erase(x_latest.begin(), rest.base());
  }

  std::vector<element> x_latest;
};

class merging : public rocksdb::MergeOperator {
public:
  // RocksDB does not expect exceptions: without memory the process ends.
  bool FullMergeV2(const MergeOperationInput& in,
    MergeOperationOutput* out) const noexcept override {
    // Mostly, between a flush and the next compaction.
    if (!in.existing_value && in.operand_list.size() == 1
      && removes_nothing(in.operand_list.front())) {
      out->existing_operand = in.operand_list.front();
      return true;
    }
    std::optional<std::string_view> list;
    if (in.existing_value)
      list.emplace(in.existing_value->data(), in.existing_value->size());
    out->new_value = with_changes(list, views(in.operand_list));
    return true;
  }

  bool PartialMergeMulti(const rocksdb::Slice&,
    const std::deque<rocksdb::Slice>& operands, std::string* out,
    rocksdb::Logger*) const noexcept override {
    *out = join(views(operands));
    return true;
  }

  const char* Name() const override { return "parley.contacts"; }

private:
  static bool removes_nothing(const rocksdb::Slice& change) {
    reader in({change.data(), change.size()});
    while (const auto x = in.next())
      if (x->entry.empty())
        return false;
    return in.complete();
  }

  template <class Slices>
  static std::vector<std::string_view> views(const Slices& all) {
    std::vector<std::string_view> out;
    out.reserve(all.size());
    for (const auto& x : all)
      out.emplace_back(x.data(), x.size());
    return out;
  }
};

} // namespace

reader::reader(std::string_view list) : x_in(list) {
  if (x_in.fixed<uint8_t>() != version)
    x_in.take(UINT64_MAX);
}

std::optional<element> reader::next() {
  if (!x_in.ok() || x_in.rest().empty())
    return std::nullopt;
  element x;
  x.address = x_in.text();
  x.entry = x_in.text();
  return x_in.ok() ? std::optional(x) : std::nullopt;
}

std::string_view find(std::string_view list, std::string_view address) {
  reader in(list);
  while (const auto x = in.next())
    if (x->address >= address)
      return x->address == address ? x->entry : std::string_view{};
  return {};
}

std::string empty() {
  return std::string(1, version);
}

void append(std::string& list, const element& x) {
  bytes::put_text(list, x.address);
  bytes::put_text(list, x.entry);
}

std::string change(std::string_view address, std::string_view entry) {
  auto out = empty();
  append(out, {address, entry});
  return out;
}

std::string join(const std::vector<std::string_view>& changes) {
  auto out = empty();
  for (const auto& x : changes_by_address{changes})
    append(out, x);
  return out;
}

namespace {

/// Nothing: the list is damaged, or out of order.
std::optional<std::string> merged_in_order(
  std::string_view list, const changes_by_address& latest, size_t bytes) {
  std::string out;
  out.reserve(bytes);
  reader in(list);
  // What no change is about is copied in runs.
  const auto* run = list.data();
  auto change = latest.begin();
  std::string_view last;
  for (auto at = in.rest().data();; at = in.rest().data()) {
    const auto x = in.next();
    if (x && x->address <= last)
      return std::nullopt;
    for (; change != latest.end() && (!x || change->address <= x->address);
         ++change) {
      out.append(run, at);
      run = x && change->address == x->address ? in.rest().data() : at;
      if (!change->entry.empty())
        append(out, *change);
    }
    if (!x) {
      out.append(run, at);
      return in.complete() ? std::optional(std::move(out)) : std::nullopt;
    }
    last = x->address;
  }
}

} // namespace

std::string with_changes(std::optional<std::string_view> list,
  const std::vector<std::string_view>& changes) {
  const auto bytes = std::accumulate(changes.begin(), changes.end(),
    list ? list->size() : 1, [](size_t n, auto x) { return n + x.size(); });
  if (list)
    if (auto out = merged_in_order(*list, changes_by_address{changes}, bytes))
      return std::move(*out);
  auto all = changes;
  if (list)
    all.insert(all.begin(), *list);
  auto out = empty();
  out.reserve(bytes);
  for (const auto& x : changes_by_address{all})
    if (!x.entry.empty())
      append(out, x);
  return out;
}

std::shared_ptr<rocksdb::MergeOperator> merge_operator() {
  return std::make_shared<merging>();
}

} // namespace parley::stored_contacts
