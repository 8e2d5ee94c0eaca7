#pragma once

#include "persistence/bytes.hpp"
#include "persistence/families.hpp"
#include "persistence/keys.hpp"
#include "persistence/records.hpp"
#include "tests/persistence/fixture.hpp"

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <vector>

namespace parley::test {

/// Made as a Parley of schema 1 to 4 did, by means of RocksDB alone.
class old_store {
public:
  old_store(rocksdb::Env* env, const std::string& path, uint64_t schema = 1)
    : x_schema(schema) {
    auto options = database_options(env);
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    auto blocks = make_block_cache();
    const auto end = schema == 1 ? static_cast<size_t>(family::rosters)
      : schema == 2              ? static_cast<size_t>(family::documents)
                                 : family_count;
    for (size_t i = 0; i < end; ++i)
      families.emplace_back(std::string(family_names[i]),
        family_options(static_cast<family>(i), blocks));
    rocksdb::DB* db = nullptr;
    opened = rocksdb::DB::Open(options, path, families, &x_handles, &db);
    x_db.reset(db);
  }
  ~old_store() {
    for (auto* handle : x_handles)
      x_db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  old_store(const old_store&) = delete;
  old_store& operator=(const old_store&) = delete;

  /// Schema and secret, in a table.
  void initialise(const std::string& secret) {
    put(family::meta, std::string(keys::schema),
      records::encode_number(x_schema));
    put(
      family::meta, std::string(keys::secret), records::encode_setting(secret));
    BOOST_REQUIRE(
      x_db->Flush({}, x_handles[static_cast<size_t>(family::meta)]).ok());
  }

  /// One IM waits, of order 5; the greatest ever was 7.
  void add_user(const user_address& user) {
    put(family::accounts, keys::user(user),
      records::encode_account(make_keys(user.str())));
    std::string head = "\1";
    bytes::put_fixed(head, uint64_t{5});
    bytes::put_fixed(head, uint64_t{7});
    bytes::put_varint(head, 1);
    put(family::heads, keys::user(user), head);
    put(family::ims, keys::im(user, im_order{5}),
      records::encode_im(make_im(alice, "m", "from before"), {}, {}));
  }

  /// With those it has this user's head, which only schema 2 and later know.
  void add_contacts(
    const user_address& user, const std::vector<roster_item>& items) {
    roster_head head;
    head.contacts = items.size();
    put(family::rosters, keys::roster(user), records::encode_roster(head));
    for (const auto& x : items)
      put_raw_contact(user, x.what.address, records::encode_contact(x));
  }
  void put_raw_contact(const user_address& user, const user_address& contact,
    const std::string& value) {
    put(family::rosters, keys::contact(user, contact), value);
  }

  /// Contacts from the log into tables.
  void flush_contacts() {
    BOOST_REQUIRE(
      x_db->Flush({}, x_handles[static_cast<size_t>(family::rosters)]).ok());
  }

  uint64_t schema() const {
    std::string value;
    BOOST_REQUIRE(x_db
                    ->Get({}, x_handles[static_cast<size_t>(family::meta)],
                      std::string(keys::schema), &value)
                    .ok());
    return records::decode_number(value).value();
  }

  rocksdb::Status opened;

private:
  void put(family where, const std::string& key, const std::string& value) {
    rocksdb::WriteOptions options;
    options.sync = true;
    BOOST_REQUIRE(
      x_db->Put(options, x_handles[static_cast<size_t>(where)], key, value)
        .ok());
  }

  const uint64_t x_schema;
  std::unique_ptr<rocksdb::DB> x_db;
  std::vector<rocksdb::ColumnFamilyHandle*> x_handles;
};

} // namespace parley::test
