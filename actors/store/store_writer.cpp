#include "actors/store/store_writer.hpp"

#include <algorithm>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

using self_pointer = store_writer_actor::stateful_pointer<store_writer_state>;

void arm(self_pointer self) {
  if (self->state.armed)
    return;
  self->state.armed = true;
  self->send(store_writer_actor{self}, commit_atom::value);
}

void commit(self_pointer self, store* db) {
  auto& st = self->state;
  if (st.batch.empty())
    return;
  failure why;
  if (auto ok = db->commit(st.batch); !ok)
    why = ok.error();
  st.batch.clear();
  for (auto& a : std::exchange(st.askers, {}))
    self->send(a.who, written{std::move(a.what), why});
  for (auto& p : std::exchange(st.promises, {}))
    p.deliver(write_result{why});
}

} // namespace

store_writer_state::asker& store_writer_state::of(const router_actor& who) {
  auto i = std::find_if(askers.begin(), askers.end(),
    [&who](const asker& a) { return a.who == who; });
  return i == askers.end() ? askers.emplace_back(asker{who, {}}) : *i;
}

store_writer_actor::behavior_type store_writer(self_pointer self, store* db) {
  return {
    [self, db](const shared<operations>& what, const router_actor& who) {
      auto& st = self->state;
      st.batch.insert(st.batch.end(), what->begin(), what->end());
      st.of(who).what.push_back(what);
      arm(self);
      if (st.batch.size() >= defaults::commit_max)
        commit(self, db);
    },
    [self](
      const operations& what) -> caf::typed_response_promise<write_result> {
      auto& st = self->state;
      auto promise = self->make_response_promise<write_result>();
      st.batch.insert(st.batch.end(), what.begin(), what.end());
      st.promises.push_back(promise);
      arm(self);
      return promise;
    },
    [self, db](commit_atom) {
      self->state.armed = false;
      commit(self, db);
    },
  };
}

} // namespace parley
