#include "persistence/commit_plan.hpp"

#include "protocol/defaults.hpp"

#include <rocksdb/comparator.h>

#include <algorithm>
#include <memory>

namespace parley {

commit_plan::commit_plan(database& db, uint64_t next_audit, sight of)
  : x_db(db),
    x_sees(of),
    x_batch(rocksdb::BytewiseComparator(), 0, true),
    x_next_audit(next_audit) {}

result<void> commit_plan::add(const store_operation& what) {
  return std::visit([this](auto& x) { return apply(x); }, what);
}

// -- reading and writing within the plan --------------------------------------

result<std::optional<std::string>> commit_plan::get(
  family where, const std::string& key) {
  std::string value;
  auto status = x_batch.GetFromBatchAndDB(
    &x_db.rocks(), rocksdb::ReadOptions(), x_db.handle(where), key, &value);
  if (status.IsNotFound())
    return std::optional<std::string>();
  if (!status.ok())
    return tl::unexpected(failure_of(status, errc::store_failed));
  return std::optional(std::move(value));
}

bool commit_plan::is_read(family where) const noexcept {
  switch (where) {
  case family::heads:
  case family::accounts:
    return false; // but from x_users and x_accounts
  case family::settings:
  case family::audit:
  case family::rosters:
    return false;
  case family::ims:
    return x_sees.ims || x_sees.accounts;
  case family::ids:
    return x_sees.accounts;
  case family::notes:
    return x_sees.notes;
  default:
    return true;
  }
}

void commit_plan::put(family where, std::string key, std::string value) {
  if (!is_read(where))
    x_late.push_back({where, std::move(key), std::move(value)});
  else if (x_status.ok())
    x_status = x_batch.Put(x_db.handle(where), key, value);
}

void commit_plan::put_unread(
  family where, const std::string& key, std::string_view value) {
  if (x_status.ok())
    x_status =
      x_batch.GetWriteBatch()->Put(x_db.handle(where), key, slice(value));
}

void commit_plan::remove_key(family where, std::string key) {
  if (!is_read(where))
    x_late.push_back({where, std::move(key), {}, late_write::kind::remove});
  else if (x_status.ok())
    x_status = x_batch.Delete(x_db.handle(where), key);
}

result<std::vector<std::string>> commit_plan::keys_between(
  family where, const std::string& begin, const std::string& end, size_t max) {
  rocksdb::ReadOptions options;
  rocksdb::Slice bound(end);
  options.iterate_upper_bound = &bound;
  auto* handle = x_db.handle(where);
  std::unique_ptr<rocksdb::Iterator> i(x_batch.NewIteratorWithBase(
    handle, x_db.rocks().NewIterator(options, handle), &options));
  std::vector<std::string> result;
  for (i->Seek(begin); i->Valid() && result.size() < max; i->Next()) {
    if (view(i->key()) >= end)
      break;
    result.push_back(i->key().ToString());
  }
  if (auto status = i->status(); !status.ok())
    return tl::unexpected(failure_of(status, errc::store_failed));
  return result;
}

// -- IMs ----------------------------------------------------------------------

result<commit_plan::user_plan*> commit_plan::plan_of(const user_address& user) {
  auto [i, is_new] = x_users.try_emplace(user);
  if (is_new) {
    auto value = get(family::heads, keys::user(user));
    if (!value) {
      x_users.erase(i);
      return tl::unexpected(std::move(value.error()));
    }
    if (*value) {
      auto head = records::decode_head(**value);
      if (!head) {
        x_users.erase(i);
        return fail(errc::store_corrupt, "the head of " + user.str());
      }
      i->second.head = *head;
    }
  }
  return &i->second;
}

result<bool> commit_plan::has_account(const user_address& user) {
  auto [i, is_new] = x_accounts.try_emplace(user);
  if (is_new) {
    auto value = get(family::accounts, keys::user(user));
    if (!value) {
      x_accounts.erase(i);
      return tl::unexpected(std::move(value.error()));
    }
    i->second = value->has_value();
  }
  return i->second;
}

result<void> commit_plan::apply(const put_im& x) {
  auto& recipient = x.what.recipient;
  auto& message = *x.what.message;
  auto order = x.what.order;
  auto plan = plan_of(recipient);
  if (!plan)
    return tl::unexpected(std::move(plan.error()));
  auto& head = (*plan)->head;
  // Only one that is not the last can be there already.
  if (order <= head.last) {
    if (!is_read(family::ims)) {
      x_is_blind = true;
      return fail(errc::store_failed, "the plan has to see all IMs");
    }
    if (auto done = remove(recipient, order, departure::alone); !done)
      return tl::unexpected(std::move(done.error()));
  }

  std::optional<uint64_t> body_hash;
  if (x.of_broadcast) {
    if (x_last_message != &message) {
      x_last_message = &message;
      x_last_hash = content_hash(message);
      x_last_is_held = false;
    }
    auto refers =
      refer_to_body({message.from.user, message.id, x_last_hash}, message);
    if (!refers)
      return tl::unexpected(std::move(refers.error()));
    if (*refers)
      body_hash = x_last_hash;
  }
  put(family::ims, keys::im(recipient, order),
    records::encode_im(message, x.what.to.endpoint, body_hash));
  // What an account has sent goes with it, and this may have waited for longer.
  auto known = has_account(message.from.user);
  if (!known)
    return tl::unexpected(std::move(known.error()));
  if (*known) {
    put(family::ids, keys::id({message.from.user, message.id, recipient}),
      records::encode_id({x.content_hash, message.sent_at, order}));
    ++x_ids_put;
  }

  head.floor = head.stored == 0 ? order : std::min(head.floor, order);
  head.last = std::max(head.last, order);
  ++head.stored;
  x_first_put = x_first_put ? std::min(*x_first_put, order) : order;
  return {};
}

result<void> commit_plan::apply(const remove_im& x) {
  return remove(x.recipient, x.order, departure::alone).map([](bool) {});
}

result<bool> commit_plan::remove(
  const user_address& recipient, im_order order, departure how) {
  auto key = keys::im(recipient, order);
  auto value = get(family::ims, key);
  // One that cannot be read is removed all the same: it must not stand in the
  // way of every commit to come.
  if (!value && value.error().code != errc::store_corrupt)
    return tl::unexpected(std::move(value.error()));
  if (value && !*value)
    return false;
  auto plan = plan_of(recipient);
  if (!plan)
    return tl::unexpected(std::move(plan.error()));
  remove_key(family::ims, key);
  (*plan)->removed = true;
  (*plan)->in_doubt |= !value.has_value();
  auto& head = (*plan)->head;
  if (head.stored > 0 && order >= head.floor)
    --head.stored;
  return let_go(recipient, order, value, how).map([] { return true; });
}

result<void> commit_plan::let_go(const user_address& recipient, im_order order,
  const result<std::optional<std::string>>& value, departure how) {
  auto record = value ? records::decode_im(**value) : std::nullopt;
  if (!record)
    return {};
  retry_key id{record->from.user, record->id, recipient};
  if (how == departure::with_account) {
    if (auto done = forget_id(id, order); !done)
      return done;
  } else {
    auto forgettable = keys::forgettable({record->sent_at, order, id});
    put_unread(family::ids, forgettable, {});
    if (x_first_forgettable.empty() || forgettable < x_first_forgettable)
      x_first_forgettable = std::move(forgettable);
  }
  if (record->body_hash) {
    return forget_reference(
      {record->from.user, record->id, *record->body_hash});
  }
  return {};
}

result<void> commit_plan::forget_id(const retry_key& key, im_order order) {
  auto name = keys::id(key);
  auto value = get(family::ids, name);
  if (!value && value.error().code != errc::store_corrupt)
    return tl::unexpected(std::move(value.error()));
  auto record = value && *value ? records::decode_id(**value) : std::nullopt;
  if (record && record->order == order)
    remove_key(family::ids, std::move(name));
  return {};
}

// -- bodies of broadcasts -----------------------------------------------------

result<uint64_t> commit_plan::references(const keys::body_key& key) {
  auto value = get(family::bodies, keys::body_references(key));
  if (!value)
    return tl::unexpected(std::move(value.error()));
  if (!*value)
    return 0;
  if (auto count = records::decode_number(**value))
    return *count;
  return fail(errc::store_corrupt, "a broadcast's count of references");
}

result<bool> commit_plan::refer_to_body(
  const keys::body_key& key, const im& message) {
  auto count = references(key);
  if (!count)
    return tl::unexpected(std::move(count.error()));
  if (*count == 0) {
    put(family::bodies, keys::body(key), records::encode_body(message));
  } else if (!x_last_is_held) {
    auto there = get(family::bodies, keys::body(key));
    if (!there)
      return tl::unexpected(std::move(there.error()));
    // Another body under the same hash.
    if (!*there || **there != records::encode_body(message))
      return false;
  }
  x_last_is_held = true;
  put(family::bodies, keys::body_references(key),
    records::encode_number(*count + 1));
  return true;
}

result<void> commit_plan::forget_reference(const keys::body_key& key) {
  auto count = references(key);
  if (!count)
    return tl::unexpected(std::move(count.error()));
  if (*count > 1) {
    put(family::bodies, keys::body_references(key),
      records::encode_number(*count - 1));
  } else {
    remove_key(family::bodies, keys::body(key));
    remove_key(family::bodies, keys::body_references(key));
  }
  return {};
}

// -- accounts, settings, audit ------------------------------------------------

result<void> commit_plan::apply(const put_account& x) {
  if (x.has_to_be_new) {
    auto exists = has_account(x.user);
    if (!exists)
      return tl::unexpected(std::move(exists.error()));
    if (*exists)
      return fail(errc::exists, x.user.str() + " has an account already");
  }
  put(family::accounts, keys::user(x.user), records::encode_account(x.keys));
  x_accounts[x.user] = true;
  ++x_accounts_put;
  return remember_domain(x.user);
}

result<void> commit_plan::remember_domain(const user_address& of) {
  std::string name{of.domain()};
  if (x_domains.contains(name))
    return {};
  auto key = keys::domain(name);
  auto known = get(family::meta, key);
  // One that cannot be read is written anew.
  if (!known && known.error().code != errc::store_corrupt)
    return tl::unexpected(std::move(known.error()));
  if (!known || !*known)
    put(family::meta, std::move(key), records::encode_setting({}));
  x_domains.insert(std::move(name));
  return {};
}

void commit_plan::forget_user(user_plan& x) {
  const auto removed_at = x.head.removed_at;
  x = user_plan{};
  x.head.removed_at = removed_at;
}

result<uint64_t> commit_plan::remove_ims(const user_address& recipient) {
  auto plan = plan_of(recipient);
  if (!plan)
    return tl::unexpected(std::move(plan.error()));
  auto head = (*plan)->head;
  auto found = keys_between(family::ims, keys::im(recipient, head.floor),
    keys::im_end(recipient), defaults::remove_account_page);
  if (!found)
    return tl::unexpected(std::move(found.error()));
  auto removed = head.stored;
  if (found->size() == defaults::remove_account_page) {
    put(family::meta, keys::left(recipient),
      records::encode_number(head.last.value));
  } else {
    removed = 0;
    for (auto& key : *found) {
      auto place = keys::parse_im(key);
      if (!place)
        continue;
      auto done = remove(place->first, place->second, departure::with_account);
      if (!done)
        return tl::unexpected(std::move(done.error()));
      removed += *done;
    }
  }
  auto left = get(family::meta, keys::left(recipient));
  if (!left)
    return tl::unexpected(std::move(left.error()));
  forget_user(**plan);
  if (left->has_value()) {
    (*plan)->head.last = head.last;
    (*plan)->head.floor = im_order{head.last.value + 1};
  }
  return removed;
}

result<bool> commit_plan::remove_left(
  const user_address& user, im_order upto, size_t max) {
  auto found = keys_between(family::ims, keys::im(user, im_order{}),
    keys::im(user, im_order{upto.value + 1}), max);
  if (!found)
    return tl::unexpected(std::move(found.error()));
  for (auto& key : *found) {
    auto value = get(family::ims, key);
    if (!value && value.error().code != errc::store_corrupt)
      return tl::unexpected(std::move(value.error()));
    remove_key(family::ims, key);
    auto place = keys::parse_im(key);
    if (!place || (value && !*value))
      continue;
    if (auto done = let_go(user, place->second, value, departure::with_account);
        !done)
      return tl::unexpected(std::move(done.error()));
  }
  if (found->size() == max)
    return true;
  remove_key(family::meta, keys::left(user));
  auto plan = plan_of(user);
  if (!plan)
    return tl::unexpected(std::move(plan.error()));
  auto exists = has_account(user);
  if (!exists)
    return tl::unexpected(std::move(exists.error()));
  const auto& head = (*plan)->head;
  if (!*exists && head.stored == 0 && !head.roster && head.last <= upto)
    forget_user(**plan);
  return false;
}

/// A few one by one, since a range that is deleted costs every later look-up a
/// little until compactions have carried it out; many as a range.
result<bool> commit_plan::remove_range(
  family where, const std::string& begin, const std::string& end) {
  auto few = keys_between(where, begin, end, defaults::remove_account_page);
  if (!few)
    return tl::unexpected(std::move(few.error()));
  if (few->size() < defaults::remove_account_page) {
    for (auto& key : *few)
      remove_key(where, key);
    return false;
  }
  // The plan's index does not learn of this: what reads these families is this
  // very function and `forget_id`, which would delete once more, and what asks
  // `x_emptied`.
  if (x_status.ok())
    x_status =
      x_batch.GetWriteBatch()->DeleteRange(x_db.handle(where), begin, end);
  return true;
}

result<void> commit_plan::apply(const remove_account& x) {
  auto existed = has_account(x.user);
  if (!existed)
    return tl::unexpected(std::move(existed.error()));
  remove_key(family::accounts, keys::user(x.user));
  x_accounts[x.user] = false;
  auto deleted = remove_ims(x.user);
  if (!deleted)
    return tl::unexpected(std::move(deleted.error()));
  if (*existed) {
    // Never an earlier one, even if the clock was set back.
    auto& at = x_users.at(x.user).head.removed_at; // remove_ims has read it
    at = std::max(at, x.at_us);
  }
  remove_key(family::rosters, keys::roster(x.user));
  remove_key(family::rosters, keys::contacts(x.user));
  auto done =
    remove_range(family::ids, keys::id_begin(x.user), keys::id_end(x.user))
      .and_then([&](bool) {
        return remove_range(family::documents, keys::documents(x.user),
          keys::documents_end(x.user));
      });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  if (*done)
    x_emptied.insert(x.user);
  x_deleted.push_back(*deleted);
  if (!*existed || x.line.what.empty())
    return {};
  auto line = x.line;
  line.from = std::to_string(*deleted) + " stored IMs";
  return apply(line);
}

result<void> commit_plan::apply(const put_setting& x) {
  if (x.value.empty())
    remove_key(family::settings, x.name);
  else
    put(family::settings, x.name, records::encode_setting(x.value));
  return {};
}

result<void> commit_plan::apply(const audit_entry& x) {
  put(family::audit, keys::audit(x_next_audit++), records::encode_audit(x));
  return {};
}

} // namespace parley
