#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace parley::test {

/// What lossy_fs knows of its files: which bytes and which names are synced.
/// Calls with `before_` come before the target is changed, the others after.
class lossy_model {
public:
  struct inode {
    /// So many bytes from the beginning survive.
    uint64_t synced = 0;
    /// What it held when its last name went.
    std::optional<std::string> saved;
  };
  using inode_ptr = std::shared_ptr<inode>;

  explicit lossy_model(rocksdb::FileSystem& target) : x_target(target) {}

  /// Null: not one of ours.
  inode_ptr find(const std::string& name) const {
    auto i = x_live.find(name);
    return i == x_live.end() ? nullptr : i->second;
  }

  void before_create(const std::string& name) { save(name); }
  inode_ptr create(const std::string& name) {
    auto made = std::make_shared<inode>();
    x_live[name] = made;
    x_pending.push_back({change::made, name, made});
    return made;
  }

  void before_rename(const std::string&, const std::string& to) { save(to); }
  void rename(const std::string& from, const std::string& to) {
    auto moved = find(from);
    if (!moved)
      return;
    x_live.erase(from);
    x_live[to] = moved;
    x_pending.push_back({change::moved, to, moved, from});
  }

  void before_remove(const std::string& name) { save(name); }
  void remove(const std::string& name) {
    if (x_live.erase(name) > 0)
      x_pending.push_back({change::removed, name, nullptr});
  }

  void create_folder(const std::string& name) {
    x_pending.push_back({change::folder_made, trimmed(name), nullptr});
    x_folders.insert(trimmed(name));
  }

  void sync_folder(const std::string& folder) {
    std::vector<change> rest;
    for (auto& x : x_pending) {
      if (parent(x.name) == trimmed(folder))
        apply(x, x_durable, x_durable_folders);
      else
        rest.push_back(std::move(x));
    }
    x_pending = std::move(rest);
  }

  /// Draws what survives and makes the target hold just that.
  void crash(std::mt19937_64& random) {
    auto names = x_durable;
    auto folders = x_durable_folders;
    // Folders are journalled: what is lost is the end of the journal.
    auto kept = random() % (x_pending.size() + 1);
    for (size_t i = 0; i < kept; ++i)
      apply(x_pending[i], names, folders);
    std::erase_if(
      names, [&](auto& x) { return !reachable(parent(x.first), folders); });

    std::map<std::string, std::string> contents;
    for (auto& [name, inode] : names)
      contents[name] = torn(name, *inode, random);
    for (auto& [name, inode] : x_live)
      x_target.DeleteFile(name, {}, nullptr).PermitUncheckedError();
    for (auto& folder : x_folders)
      if (!reachable(folder, folders))
        remove_folder(folder);
    x_live.clear();
    for (auto& [name, content] : contents) {
      auto s = rocksdb::WriteStringToFile(&x_target, content, name, true);
      if (!s.ok())
        throw std::runtime_error("cannot restore " + name);
      auto made = std::make_shared<inode>();
      made->synced = content.size();
      x_live[name] = made;
    }
    x_durable = x_live;
    x_durable_folders = std::move(folders);
    x_pending.clear();
  }

private:
  struct change {
    enum kind { made, moved, removed, folder_made };
    change::kind what;
    std::string name;
    inode_ptr inode;
    std::string from = {};
  };
  using name_map = std::map<std::string, inode_ptr>;

  static constexpr uint64_t sector = 512;

  static std::string trimmed(std::string name) {
    while (name.size() > 1 && name.ends_with('/'))
      name.pop_back();
    return name;
  }

  static std::string parent(const std::string& name) {
    auto cut = name.find_last_of('/');
    return cut == std::string::npos || cut == 0 ? "/" : name.substr(0, cut);
  }

  static void apply(
    const change& x, name_map& names, std::set<std::string>& folders) {
    switch (x.what) {
    case change::made:
      names[x.name] = x.inode;
      break;
    case change::moved:
      names.erase(x.from);
      names[x.name] = x.inode;
      break;
    case change::removed:
      names.erase(x.name);
      break;
    case change::folder_made:
      folders.insert(x.name);
      break;
    }
  }

  /// Folders that were not made here are there for good.
  bool reachable(
    const std::string& folder, const std::set<std::string>& durable) const {
    for (auto at = folder;; at = parent(at)) {
      if (x_folders.contains(at) && !durable.contains(at))
        return false;
      if (at == "/" || parent(at) == at)
        return true;
    }
  }

  std::string content_of(const std::string& name) {
    std::string text;
    auto s = rocksdb::ReadFileToString(&x_target, name, &text);
    if (!s.ok())
      throw std::runtime_error("cannot read " + name);
    return text;
  }

  void save(const std::string& name) {
    if (auto x = find(name))
      x->saved = content_of(name);
  }

  std::string whole(const std::string& name, const inode& x) {
    if (x.saved)
      return *x.saved;
    for (auto& [live_name, live] : x_live)
      if (live.get() == &x)
        return content_of(live_name);
    throw std::runtime_error("lost track of " + name);
  }

  /// The synced part, and of the rest some bytes, some of them as zeros.
  std::string torn(
    const std::string& name, const inode& x, std::mt19937_64& random) {
    auto text = whole(name, x);
    if (text.size() <= x.synced)
      return text;
    auto unsynced = text.size() - x.synced;
    auto how = random() % 4;
    auto keep = how == 0 ? 0 : how == 1 ? unsynced : random() % (unsynced + 1);
    text.resize(x.synced + keep);
    if (random() % 2 == 0)
      drop_sectors(text, x.synced, random);
    return text;
  }

  /// Sectors reach the disk in any order; those that did not read as zeros.
  /// Not the last one: that is a shorter file.
  static void drop_sectors(
    std::string& text, uint64_t from, std::mt19937_64& random) {
    for (;;) {
      auto end = (from / sector + 1) * sector;
      if (end > text.size())
        return;
      if (random() % 3 == 0)
        std::fill(text.begin() + static_cast<ptrdiff_t>(from),
          text.begin() + static_cast<ptrdiff_t>(end), '\0');
      from = end;
    }
  }

  void remove_folder(const std::string& folder) {
    std::vector<std::string> left;
    x_target.GetChildren(folder, {}, &left, nullptr).PermitUncheckedError();
    for (auto& name : left)
      x_target.DeleteFile(folder + "/" + name, {}, nullptr)
        .PermitUncheckedError();
    x_target.DeleteDir(folder, {}, nullptr).PermitUncheckedError();
  }

  rocksdb::FileSystem& x_target;
  /// By name: as the running program sees it, and as it is synced.
  name_map x_live;
  name_map x_durable;
  std::set<std::string> x_folders;
  std::set<std::string> x_durable_folders;
  /// Since the folders concerned were synced, oldest first.
  std::vector<change> x_pending;
};

} // namespace parley::test
