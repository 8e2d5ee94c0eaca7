#include "actors/store/store_reader.hpp"

#include <utility>

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
