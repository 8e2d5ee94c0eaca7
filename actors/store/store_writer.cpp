#include "actors/store/store_writer.hpp"

#include "protocol/defaults.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include <spdlog/spdlog.h>

namespace parley {

namespace {

using writer_pointer = store_writer_actor::stateful_pointer<store_writer_state>;
using piece = store_writer_state::piece;

/// Why a commit was refused for what one piece of it asks, and not for what
/// the disk does.
bool is_of_one(const failure& why) noexcept {
  return why.code == errc::store_corrupt || why.code == errc::exists;
}

/// For operators: those who asked are told by themselves.
void log(store_writer_state& st, const result<commit_report>& done,
  seldom::time_point now) {
  if (done) {
    if (auto n = std::exchange(st.refused, 0))
      spdlog::warn("the disk takes writes again; it refused {}", n);
  } else if (done.error().code == errc::store_corrupt) {
    if (auto others = st.damage_told.pass(now))
      spdlog::error("not written for damage: {}; {} more before it",
        done.error().text, *others);
  } else if (done.error().code != errc::exists && st.refused++ == 0) {
    spdlog::error("the disk refuses to write, and what had to be on it is "
                  "rejected: {}; tried again at each write",
      done.error().text);
  }
}

result<commit_report> write(
  writer_pointer self, std::span<const piece> pieces, store& db) {
  std::vector<const operations*> batch;
  size_t size = 0;
  for (auto& x : pieces) {
    batch.push_back(x.what.get());
    size += x.what->size();
  }
  auto* meter = self->state.meter.get();
  if (meter)
    meter->begins(self->clock().now());
  auto done = db.commit(batch);
  if (meter)
    meter->ends(self->clock().now(), size,
      !done && !is_of_one(done.error()) ? &done.error() : nullptr);
  log(self->state, done, self->clock().now());
  return done;
}

template <class Operation>
ptrdiff_t count(const operations& what) {
  return std::count_if(what.begin(), what.end(), [](const store_operation& x) {
    return std::holds_alternative<Operation>(x);
  });
}

/// One message for each router, however much of it is in the batch.
void answer(writer_pointer self, std::span<piece> pieces,
  const result<commit_report>& done) {
  auto why = done ? failure{} : done.error();
  auto deleted =
    done ? done->deleted.begin() : std::vector<uint64_t>::const_iterator{};
  auto verdicts = done ? done->documents.begin()
                       : std::vector<document_verdict>::const_iterator{};
  std::vector<std::pair<router_actor, written>> answers;
  for (auto& x : pieces) {
    auto n = done ? count<remove_account>(*x.what) : 0;
    auto counts = std::exchange(deleted, deleted + n);
    auto judged = done ? count<change_documents>(*x.what) : 0;
    auto verdict = std::exchange(verdicts, verdicts + judged);
    if (!x.router) {
      x.promise.deliver(judged > 0 ? write_result{verdict->why, verdict->rules}
                                   : write_result{why, {}});
      continue;
    }
    auto i = std::find_if(answers.begin(), answers.end(),
      [&x](auto& y) { return y.first == x.router; });
    if (i == answers.end())
      i = answers.insert(answers.end(), {x.router, written{{}, why, {}}});
    auto& y = i->second;
    y.what.push_back(std::move(x.what));
    y.deleted.insert(y.deleted.end(), counts, counts + n);
  }
  for (auto& [router, what] : answers)
    self->send(router, std::move(what));
}

/// A router's operations stand each for itself, and are of many users; what
/// somebody waits for with a promise belongs together.
bool can_be_split(const piece& x) noexcept {
  return x.router && x.what->size() > 1;
}

std::vector<piece> halves_of(const piece& x) {
  auto middle = x.what->begin() + std::ssize(*x.what) / 2;
  std::vector<piece> out;
  for (auto part :
    {operations(x.what->begin(), middle), operations(middle, x.what->end())})
    out.push_back({shared<operations>(std::move(part)), x.router, {}});
  return out;
}

/// Damage concerns one user, and the others are not to suffer from it: what
/// meets any is written in halves, one after the other. So is what wants a name
/// that is taken.
void commit(writer_pointer self, std::span<piece> pieces, store& db) {
  auto done = write(self, pieces, db);
  bool is_one = pieces.size() == 1;
  if (done || !is_of_one(done.error())
    || (is_one && !can_be_split(pieces.front()))) {
    answer(self, pieces, done);
    return;
  }
  std::vector<piece> halves;
  if (is_one)
    pieces = halves = halves_of(pieces.front());
  auto half = pieces.size() / 2;
  commit(self, pieces.first(half), db);
  commit(self, pieces.subspan(half), db);
}

void commit(writer_pointer self, store& db) {
  auto pieces = std::exchange(self->state.waiting, {});
  self->state.size = 0;
  if (!pieces.empty())
    commit(self, pieces, db);
}

void add(writer_pointer self, store& db, piece x) {
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

store_writer_actor::behavior_type store_writer(
  writer_pointer self, store* db, std::shared_ptr<commit_meter> meter) {
  self->state.meter = std::move(meter);
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
