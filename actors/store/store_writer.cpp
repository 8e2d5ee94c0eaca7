#include "actors/store/store_writer.hpp"

#include "protocol/defaults.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

namespace parley {

namespace {

using self_pointer = store_writer_actor::stateful_pointer<store_writer_state>;
using piece = store_writer_state::piece;

failure write(std::span<const piece> pieces, store& db) {
  operations batch;
  for (auto& x : pieces)
    batch.insert(batch.end(), x.what->begin(), x.what->end());
  auto done = db.commit(batch);
  return done ? failure{} : std::move(done.error());
}

/// One message for each router, however much of it is in the batch.
void answer(
  self_pointer self, std::span<piece> pieces, const failure& why) {
  std::vector<std::pair<router_actor, written>> answers;
  for (auto& x : pieces) {
    if (!x.router) {
      x.promise.deliver(write_result{why});
      continue;
    }
    auto i = std::find_if(answers.begin(), answers.end(),
      [&x](auto& y) { return y.first == x.router; });
    if (i == answers.end())
      i = answers.insert(answers.end(), {x.router, written{{}, why}});
    i->second.what.push_back(std::move(x.what));
  }
  for (auto& [router, what] : answers)
    self->send(router, std::move(what));
}

void commit(self_pointer self, store& db) {
  auto pieces = std::exchange(self->state.waiting, {});
  self->state.size = 0;
  if (pieces.empty())
    return;
  auto why = write(pieces, db);
  if (why.code != errc::store_corrupt || pieces.size() == 1) {
    answer(self, pieces, why);
    return;
  }
  // Damage concerns one user; the others are not to suffer from it.
  for (auto& x : pieces) {
    std::span one(&x, 1);
    auto own = write(one, db);
    answer(self, one, own);
  }
}

void add(self_pointer self, store& db, piece x) {
  auto& st = self->state;
  st.size += x.what->size();
  st.waiting.push_back(std::move(x));
  if (st.size >= defaults::commit_max) {
    commit(self, db);
  } else if (!st.armed) {
    st.armed = true;
    self->send(store_writer_actor{self}, commit_atom::value);
  }
}

} // namespace

store_writer_actor::behavior_type store_writer(self_pointer self, store* db) {
  return {
    [self, db](const shared<operations>& what, const router_actor& who) {
      add(self, *db, {what, who, {}});
    },
    [self, db](
      const operations& what) -> caf::typed_response_promise<write_result> {
      auto promise = self->make_response_promise<write_result>();
      add(self, *db, {shared<operations>(what), {}, promise});
      return promise;
    },
    [self, db](commit_atom) {
      self->state.armed = false;
      commit(self, *db);
    },
  };
}

} // namespace parley
