#include "persistence/migration.hpp"

#include <set>
#include <string>
#include <string_view>

#include <openssl/rand.h>

#include <rocksdb/write_batch.h>

#include "persistence/defaults.hpp"
#include "persistence/folder_check.hpp"
#include "persistence/keys.hpp"
#include "persistence/opening.hpp"
#include "persistence/records.hpp"
#include "persistence/stored_contacts.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace {

result<std::string> random_octets(size_t n) {
  std::string out(n, '\0');
  if (RAND_bytes(
        reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(n))
    != 1)
    return fail(
      errc::store_unavailable, "no randomness for the store's secret");
  return out;
}

/// One batch after the other, each on disk before the next is begun.
class synced_batch {
public:
  synced_batch(database& db, const std::string& path)
    : x_db(db), x_path(path) {}

  void put(family where, std::string_view key, std::string_view value) {
    if (x_status.ok())
      x_status = x_batch.Put(x_db.handle(where), slice(key), slice(value));
  }

  void remove(family where, std::string_view key) {
    if (x_status.ok())
      x_status = x_batch.Delete(x_db.handle(where), slice(key));
  }

  size_t bytes() const { return x_batch.GetDataSize(); }

  result<void> write() {
    rocksdb::WriteOptions options;
    options.sync = true;
    // As in store::impl::write: not of one family alone.
    remove(family::heads, keys::nothing);
    if (x_status.ok())
      x_status = x_db.rocks().Write(options, &x_batch);
    if (!x_status.ok())
      return tl::unexpected(opening_failure(x_status, x_path));
    x_batch.Clear();
    return {};
  }

private:
  database& x_db;
  const std::string& x_path;
  rocksdb::WriteBatch x_batch;
  rocksdb::Status x_status;
};

/// Those that have accounts.
result<void> collect_domains(database& db, synced_batch& out) {
  std::set<std::string, std::less<>> domains;
  auto done = db.scan(family::accounts, {.keep_in_cache = false},
    [&domains](std::string_view key, std::string_view) -> result<bool> {
      const auto name = key.substr(key.find('@') + 1);
      if (!domains.contains(name))
        domains.emplace(name);
      return true;
    });
  if (!done)
    return done;
  for (const auto& x : domains)
    out.put(family::meta, keys::domain(x), records::encode_setting({}));
  return {};
}

/// Before anything is written that an older Parley does not read: whether all
/// can be read, which check_folder looks at only up to a size.
result<void> look_at_contacts(database& db, const std::string& path) {
  auto done = db.scan(family::rosters, {.keep_in_cache = false},
    [](std::string_view, std::string_view) -> result<bool> { return true; });
  if (!done)
    done.error().text =
      "the contacts of the store in " + path + ": " + done.error().text;
  return done;
}

/// Up to schema 4 each contact had a record: a user's go into its list, all in
/// one batch, so that who was cut off finds users of either kind.
result<void> join_contacts(database& db, synced_batch& out) {
  std::string user;
  std::string list;
  auto end_list = [&] {
    if (!user.empty())
      out.put(family::rosters,
        keys::contacts(user_address::from_prepared(std::string(user))), list);
  };
  auto done = db.scan(family::rosters, {.keep_in_cache = false},
    [&](std::string_view key, std::string_view value) -> result<bool> {
      const auto place = keys::parse_roster(key);
      if (!place || place->what != keys::roster_place::part::contact
        || place->user.empty())
        return true;
      if (place->user != user) {
        end_list();
        if (out.bytes() >= defaults::migration_batch_bytes) {
          // Once more: a flush is to be of several families (opening.cpp).
          out.put(
            family::meta, keys::single_contacts, records::encode_setting({}));
          if (auto written = out.write(); !written)
            return tl::unexpected(std::move(written.error()));
        }
        user = place->user;
        list = stored_contacts::empty();
      }
      stored_contacts::append(list, {place->contact, value});
      out.remove(family::rosters, key);
      return true;
    });
  if (!done)
    return done;
  end_list();
  out.remove(family::meta, keys::single_contacts);
  return out.write();
}

} // namespace

result<bool> migrate(database& db, const std::string& path) {
  auto schema = db.get(family::meta, keys::schema);
  if (!schema)
    return tl::unexpected(std::move(schema.error()));
  synced_batch out{db, path};
  if (*schema) {
    auto version = records::decode_number(**schema);
    if (!version)
      return fail(errc::store_corrupt,
        "the store in " + path + " is damaged: its schema version");
    if (auto why = judge_schema(*version, path))
      return tl::unexpected(std::move(*why));
    if (*version == schema_version) {
      auto single = db.get(family::meta, keys::single_contacts);
      if (!single)
        return tl::unexpected(std::move(single.error()));
      if (!*single)
        return false;
      return join_contacts(db, out).map([] { return true; });
    }
    // From 1 to 2, and from 2 to 3: families more, empty, which opening has
    // made. Heads are read in all their forms. From 3 to 4: domains.
    if (*version < 4)
      if (auto done = collect_domains(db, out); !done)
        return tl::unexpected(std::move(done.error()));
    if (auto done = look_at_contacts(db, path); !done)
      return tl::unexpected(std::move(done.error()));
    out.put(family::meta, keys::single_contacts, records::encode_setting({}));
  } else {
    auto secret = random_octets(defaults::store_secret_bytes);
    if (!secret)
      return tl::unexpected(secret.error());
    out.put(family::meta, keys::secret, records::encode_setting(*secret));
  }
  out.put(family::meta, keys::schema, records::encode_number(schema_version));
  // Written before contacts are touched: no older Parley opens it from now on,
  // which would not see those that are in lists already.
  auto written = out.write();
  if (written && *schema)
    written = join_contacts(db, out);
  return written.map([] { return true; });
}

} // namespace parley
