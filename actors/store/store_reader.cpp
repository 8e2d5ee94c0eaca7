#include "actors/store/store_reader.hpp"

#include <iterator>
#include <utility>

#include "actors/roster/document_access.hpp"
#include "protocol/defaults_documents.hpp"

#include <spdlog/spdlog.h>

namespace parley {

void store_reader_state::log(const failure& why, seldom::time_point now) {
  if (auto others = told.pass(now))
    spdlog::error("cannot read the store: {}: {}; {} more before it",
      to_string(why.code), why.text, *others);
}

namespace {

/// What of `x` there is no value for.
template <class T>
failure logged(
  store_reader_actor::stateful_pointer<store_reader_state> self, result<T>& x) {
  self->state.log(x.error(), self->clock().now());
  return std::move(x.error());
}

/// Nobody but the owner learns why there is nothing.
result<documents_found> find(
  store& db, const documents_wanted& x, const read_documents& which) {
  auto collection = db.documents(x.owner, {which.collection, {}, 0}, 0);
  if (!collection)
    return tl::unexpected(std::move(collection.error()));
  bool may = collection->rules.has_value();
  if (x.owner != x.asker) {
    // Also of one that is not there, which takes no less time then.
    auto with = db.acquainted(x.owner, x.asker);
    if (!with)
      return tl::unexpected(std::move(with.error()));
    may = may && may_read(collection->rules->who, x.owner, x.asker, *with);
  }
  if (!may)
    return fail(errc::not_found);
  auto found = db.documents(x.owner, which, defaults::documents_answer_max);
  if (!found)
    return tl::unexpected(std::move(found.error()));
  if (!found->rules)
    return fail(errc::not_found); // it has gone meanwhile
  return documents_found{std::move(found->what), *found->rules, {}};
}

result<documents_found> find(
  store& db, const documents_wanted& x, const read_collection& which) {
  return find(db, x, parley::read_documents{which.collection, {}, 0})
    .and_then([&](documents_found&& found) -> result<documents_found> {
      if (x.owner != x.asker)
        return fail(errc::not_found);
      return std::move(found);
    });
}

result<documents_found> find(
  store& db, const documents_wanted& x, const list_collections& which) {
  if (x.owner != x.asker)
    return fail(errc::not_found);
  return db.collections(x.owner, which.prefix)
    .map([](std::vector<std::string>&& names) {
      return documents_found{{}, {}, std::move(names)};
    });
}

/// The newest of each collection that greets who comes.
result<std::vector<shared<document_notice>>> greetings(
  store& db, const user_address& owner, const documents_followed& x) {
  std::vector<shared<document_notice>> out;
  auto kept = db.documents_of(owner);
  if (!kept)
    return tl::unexpected(std::move(kept.error()));
  if (kept->count == 0)
    return out;
  auto with = db.acquainted(owner, x.asker);
  if (!with)
    return tl::unexpected(std::move(with.error()));
  for (const auto& name : x.collections) {
    auto collection = db.documents(owner, {name, {}, 0}, 0);
    if (!collection)
      return tl::unexpected(std::move(collection.error()));
    const auto& rules = collection->rules;
    if (!rules || !rules->greets
      || !may_read(rules->who, owner, x.asker, *with))
      continue;
    auto found =
      db.documents(owner, {name, {}, 1}, defaults::documents_answer_max);
    if (!found)
      return tl::unexpected(std::move(found.error()));
    if (found->what.empty())
      continue;
    document_notice n;
    n.owner = owner;
    n.collection = name;
    n.about = std::move(found->what.front());
    n.is_greeting = true;
    out.emplace_back(std::move(n));
  }
  return out;
}

} // namespace

store_reader_actor::behavior_type store_reader(
  store_reader_actor::stateful_pointer<store_reader_state> self, store* db) {
  return {
    [self, db](const user_address& of, const router_actor& router) {
      head_found x{of, {}, {}};
      if (auto head = db->head(of))
        x.what = *head;
      else
        x.why = logged(self, head);
      self->send(router, std::move(x));
    },
    [self, db](const user_address& of, const roster_actor& who) {
      roster_found x;
      if (auto found = db->roster_rows(of))
        x.what = std::move(*found);
      else
        x.why = logged(self, found);
      self->send(who, std::move(x));
    },
    [self, db](const user_address& of, session_id for_whom, im_order from,
      uint64_t max, const router_actor& router) {
      page_found x{of, for_whom, from, {}, false, {}};
      if (auto page = db->ims(of, from, max)) {
        x.complete = page->size() < max;
        x.page = std::move(*page);
      } else {
        x.why = logged(self, page);
      }
      self->send(router, std::move(x));
    },
    [self, db](
      const retry_key& key, uint64_t ticket, const router_actor& router) {
      id_found x{ticket, {}, {}};
      if (auto id = db->find_id(key))
        x.what = *id;
      else
        x.why = logged(self, id);
      self->send(router, std::move(x));
    },
    [self, db](
      const user_address& of, uint64_t ticket, const gateway_ref& gateway) {
      account_found x{ticket, {}, {}};
      if (auto a = db->find_account(of))
        x.what = std::move(*a);
      else
        x.why = logged(self, a);
      self->send(gateway, std::move(x));
    },
    [self, db](const documents_wanted& x, const router_actor& router) {
      auto found = std::visit(
        [&](const auto& which) { return find(*db, x, which); }, x.what);
      answer a{x.number, {}};
      if (found)
        a.what = std::move(*found);
      else if (found.error().code == errc::not_found)
        a.what = found.error();
      else
        a.what = logged(self, found);
      self->send(router, documents_ready{x.asker, x.session, std::move(a)});
    },
    [self, db](documents_followed& x, const router_actor& router) {
      // Others have their turn in between.
      std::vector<user_address> later;
      if (std::ssize(x.of) > defaults::followed_users_a_step) {
        auto rest = x.of.begin() + defaults::followed_users_a_step;
        later.assign(rest, x.of.end());
        x.of.erase(rest, x.of.end());
      }
      for (const auto& owner : x.of) {
        auto found = greetings(*db, owner, x);
        if (!found)
          self->state.log(found.error(), self->clock().now());
        else if (!found->empty())
          self->send(router,
            document_notices{{x.asker}, x.session, std::move(*found), x.since});
      }
      if (!later.empty()) {
        x.of = std::move(later);
        self->send(store_reader_actor{self}, std::move(x), router);
      }
    },
    [self, db](count_atom, const user_address& of) {
      documents_counted x;
      if (auto found = db->documents_of(of))
        x.what = *found;
      else
        x.why = logged(self, found);
      return x;
    },
    [self, db](list_atom, const std::vector<user_address>& of) {
      accounts_found x;
      for (const auto& user : of) {
        auto a = db->find_account(user);
        if (!a) {
          x.why = logged(self, a);
          break;
        }
        if (*a)
          x.what.push_back(user);
      }
      return x;
    },
    [self, db](audit_atom, uint64_t max) {
      audit_found x;
      if (auto lines = db->audit(max))
        x.what = std::move(*lines);
      else
        x.why = logged(self, lines);
      return x;
    },
  };
}

} // namespace parley
