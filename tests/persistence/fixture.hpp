#pragma once

#include "persistence/store.hpp"

#include <boost/test/unit_test.hpp>
#include <rocksdb/env.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace parley::test {

inline user_address user(std::string text) {
  return user_address::from_prepared(std::move(text));
}

inline const user_address alice = user("alice@example.org");
inline const user_address bob = user("bob@example.org");
inline const user_address carol = user("carol@example.org");

inline wall_time at(int64_t ms) {
  return wall_time(wall_time::duration(ms));
}

inline im make_im(const user_address& from, std::string id, std::string body,
  wall_time sent_at = at(1'700'000'000'000)) {
  im x;
  x.id.value = std::move(id);
  x.from = {from, endpoint_name::from_prepared("desk")};
  x.body = std::move(body);
  x.sent_at = sent_at;
  return x;
}

inline put_im make_put(const user_address& to, uint64_t order, shared<im> what,
  bool of_broadcast = false) {
  put_im x;
  x.what.recipient = to;
  x.what.order = im_order{order};
  x.what.to = {to, {}};
  x.content_hash = content_hash(*what);
  x.what.message = std::move(what);
  x.of_broadcast = of_broadcast;
  return x;
}

inline put_im make_put(const user_address& to, uint64_t order, const im& what) {
  return make_put(to, order, shared<im>(what));
}

inline remove_im make_remove(const user_address& from, uint64_t order) {
  return {from, im_order{order}};
}

inline scram_keys make_keys(const std::string& mark) {
  scram_keys x;
  x.sha1 = {"salt1" + mark, 4096, std::string(20, 's'), std::string(20, 'v')};
  x.sha256 = {"salt2" + mark, 10'000, std::string(32, 't'), mark};
  return x;
}

/// An entry that is listed and sees nothing.
inline roster_item make_item(const user_address& contact, std::string name = {},
  std::vector<std::string> groups = {}) {
  roster_item x;
  x.what.address = contact;
  x.what.name = std::move(name);
  x.what.groups = std::move(groups);
  return x;
}

inline put_note make_note(const user_address& from, const user_address& to,
  subscription_note::kind what, uint64_t number) {
  return {{from, to, what, number}};
}

inline bool equal(const im& a, const im& b) {
  return a.id == b.id && a.from == b.from && a.body == b.body
    && a.payloads == b.payloads && a.sent_at == b.sent_at
    && a.receipts == b.receipts;
}

inline bool equal(const stored_im& a, const stored_im& b) {
  return a.recipient == b.recipient && a.order == b.order && a.to == b.to
    && equal(*a.message, *b.message);
}

/// The value; an error fails the test with its text.
template <class T>
T must(result<T> x) {
  if (!x)
    throw std::runtime_error(
      std::string(to_string(x.error().code)) + ": " + x.error().text);
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

/// The code of the error that is expected.
template <class T>
errc error_of(const result<T>& x) {
  return x ? errc::none : x.error().code;
}

inline void commit(store& to, std::vector<store_operation> batch) {
  must(to.commit(batch));
}

/// All that may be forgotten, step by step; returns how many.
inline uint64_t forget_ids(store& db, wall_time before) {
  uint64_t n = 0;
  for (store::forgotten step{0, true}; step.more; n += step.ids)
    step = must(db.forget_ids(before));
  return n;
}

/// A whole look for expired IMs, in steps of `step`.
inline std::vector<std::pair<user_address, im_order>> ims_before(
  store& db, wall_time before, size_t step = 1000) {
  std::vector<std::pair<user_address, im_order>> out;
  store::expiry_look look;
  while (!look.done)
    for (auto& x : must(db.ims_before(before, look, step)))
      out.push_back(std::move(x));
  return out;
}

/// Calls `each` with all remembered ids, in steps of `step`.
inline void each_id(store& db,
  const std::function<void(uint64_t hash, wall_time stored_at)>& each,
  size_t step = 1000) {
  std::string from;
  do
    from = must(db.each_id(from, step, each));
  while (!from.empty());
}

/// How many ids are remembered.
inline size_t ids_in(store& db) {
  size_t n = 0;
  each_id(db, [&](uint64_t, wall_time) { ++n; });
  return n;
}

inline std::vector<stored_im> all_ims(store& db, const user_address& user) {
  return must(db.ims(user, {}, SIZE_MAX));
}

/// All notes, in steps of `step`.
inline std::vector<subscription_note> notes(store& db, size_t step = 1000) {
  std::vector<subscription_note> out;
  std::string from;
  do
    from = must(db.each_note(
      from, step, [&](const subscription_note& x) { out.push_back(x); }));
  while (!from.empty());
  return out;
}

/// All rosters' counts, in steps of `step`.
inline std::vector<roster_counts> rosters(store& db, size_t step = 1000) {
  std::vector<roster_counts> out;
  user_address last;
  do
    for (auto& x : must(db.rosters(last, step)))
      out.push_back(std::move(x));
  while (!last.empty());
  return out;
}

inline std::vector<uint64_t> orders(const std::vector<stored_im>& ims) {
  std::vector<uint64_t> out;
  for (auto& x : ims)
    out.push_back(x.order.value);
  return out;
}

/// A store in memory that can be closed and opened again.
struct memory_store {
  std::unique_ptr<rocksdb::Env> env{
    rocksdb::NewMemEnv(rocksdb::Env::Default())};
  std::unique_ptr<store> db = open();

  std::unique_ptr<store> open() {
    return must(store::open({.path = "/store", .env = env.get()}));
  }
  void reopen() {
    db.reset();
    db = open();
  }
  store* operator->() { return db.get(); }
  store& operator*() { return *db; }
};

/// A folder of the real disk, gone at the end.
struct temporary_folder {
  temporary_folder() {
    auto pattern =
      (std::filesystem::temp_directory_path() / "parley-test-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      throw std::runtime_error("no temporary folder");
    path = pattern;
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  std::filesystem::path path;
};

} // namespace parley::test
