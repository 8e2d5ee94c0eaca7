#include "actors/observation/im_trace.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "protocol/defaults.hpp"

namespace parley {

struct im_trace::chunk {
  /// `x_taken` when it was begun.
  uint64_t taken = 0;
  std::array<event, defaults::trace_chunk> events;
};

std::string_view to_string(trace_kind x) noexcept {
  switch (x) {
  case trace_kind::submitted:
    return "submitted";
  case trace_kind::accepted:
    return "accepted";
  case trace_kind::chosen:
    return "chosen";
  case trace_kind::handed_out:
    return "handed_out";
  case trace_kind::acknowledged:
    return "acknowledged";
  case trace_kind::grace_passed:
    return "grace_passed";
  case trace_kind::written:
    return "written";
  case trace_kind::write_failed:
    return "write_failed";
  case trace_kind::delivered:
    return "delivered";
  case trace_kind::stored:
    return "stored";
  case trace_kind::rejected:
    return "rejected";
  case trace_kind::answered_again:
    return "answered_again";
  case trace_kind::expired:
    return "expired";
  }
  return "unknown";
}

namespace {

uint64_t hash_of(const message_id& id) noexcept {
  return std::hash<std::string>{}(id.value);
}

} // namespace

im_trace::im_trace(size_t ims) : x_max(ims) {}

im_trace::~im_trace() = default;

// -- the way of an IM

void im_trace::add(const message_id& id, uint64_t hash, uint64_t link,
  session_id by, const user_address& from, const user_address& to) {
  ++x_taken;
  if (x_ims.size() < x_max) {
    // Memory that nothing was written to costs nothing.
    if (x_ims.empty())
      x_ims.reserve(x_max);
    x_ims.push_back({hash_of(id), hash, link, x_now, by, from, to});
    return;
  }
  // The names that go are in no cache.
  constexpr size_t ahead = 4;
  const auto& soon = x_ims[(x_oldest + ahead) % x_max];
  __builtin_prefetch(&soon.sender.str(), 1);
  __builtin_prefetch(&soon.recipient.str(), 1);
  x_ims[x_oldest] = {hash_of(id), hash, link, x_now, by, from, to};
  if (++x_oldest == x_max)
    x_oldest = 0;
}

void im_trace::loaded(const im& what, const user_address& to, im_order order) {
  if (x_max == 0)
    return;
  add(what.id, retry_hash(what.from.user, what.id, to), key_of(to, order), {},
    what.from.user, to);
}

void im_trace::outcome_of(uint64_t hash, const outcome& what) {
  auto kind = what.what == outcome::kind::delivered ? trace_kind::delivered
    : what.what == outcome::kind::stored            ? trace_kind::stored
                                                    : trace_kind::rejected;
  note(kind, hash, 0, what.why.code);
}

bool im_trace::make_room() {
  if (x_max == 0)
    return false;
  if (x_chunks.empty())
    x_start = x_now;
  // A chunk may go when all that was accepted after it fills the trace.
  std::unique_ptr<chunk> free;
  const auto chunks_max =
    x_max * defaults::trace_events_per_im / defaults::trace_chunk + 2;
  while (x_chunks.size() >= 2
    && (x_taken - x_chunks[1]->taken >= 2 * x_max
      || x_chunks.size() >= chunks_max)) {
    free = std::move(x_chunks.front());
    x_chunks.pop_front();
  }
  if (!free)
    free = std::make_unique_for_overwrite<chunk>();
  free->taken = x_taken;
  x_next = free->events.data();
  x_end = x_next + free->events.size();
  x_chunks.push_back(std::move(free));
  return true;
}

void im_trace::session_ended(session_id which, address name) {
  if (x_max == 0)
    return;
  if (x_sessions.size() == defaults::trace_sessions)
    x_sessions.pop_front();
  x_sessions.emplace_back(which, std::move(name));
}

// -- who asks

address im_trace::name_of(uint64_t session, const namer& alive) const {
  session_id id{session};
  if (id == session_id{})
    return {};
  if (auto x = alive(id); !x.empty())
    return x;
  auto i = std::find_if(x_sessions.rbegin(), x_sessions.rend(),
    [id](const auto& x) { return x.first == id; });
  return i == x_sessions.rend() ? address{} : i->second;
}

template <class F>
void im_trace::each_event(F&& f) const {
  for (const auto& c : x_chunks) {
    bool last = c == x_chunks.back();
    const event* end = last ? x_next : c->events.data() + c->events.size();
    for (const event* e = c->events.data(); e != end; ++e)
      f(*e);
  }
}

trace_found im_trace::find(
  const message_id& id, const user_address& sender, const namer& names) const {
  trace_found x;
  auto wanted = hash_of(id);
  for (const auto& e : x_ims) {
    // Hashes of ids are not salted; the whole is told apart by its own.
    if (e.id_hash != wanted || (!sender.empty() && e.sender != sender)
      || e.hash != retry_hash(e.sender, id, e.recipient))
      continue;
    x.ims.push_back({e.sender, e.recipient, e.hash, e.link});
    // The other ones were taken from the disk.
    if (e.by != session_id{})
      x.events.push_back({e.hash, e.at_us, trace_kind::submitted, errc::none,
        name_of(e.by.value, names)});
    if (x.ims.size() == defaults::trace_shown_max)
      break;
  }
  return x;
}

std::vector<traced_event> im_trace::events_of(
  std::span<const traced_im> ims, const namer& names) const {
  // By hash at the sender's shard, by link at the recipient's.
  std::unordered_map<uint64_t, uint64_t> wanted;
  std::unordered_map<uint64_t, uint64_t> links;
  uint64_t some = 0;
  constexpr uint64_t bits = 63;
  auto bit = [](uint64_t key) { return uint64_t{1} << (key & bits); };
  for (const auto& x : ims) {
    wanted.emplace(x.hash, x.hash);
    links.emplace(x.link, x.hash);
    wanted.emplace(x.link, x.hash);
    some |= bit(x.hash) | bit(x.link);
  }
  // Most events are told apart without a look into a table.
  each_event([&](const event& e) {
    if (e.what != static_cast<uint64_t>(trace_kind::accepted)
      || !(some & bit(e.detail)))
      return;
    if (auto i = links.find(e.detail); i != links.end())
      wanted.emplace(e.key, i->second);
  });
  for (const auto& [key, hash] : wanted)
    some |= bit(key);
  std::vector<traced_event> xs;
  each_event([&](const event& e) {
    if (!(some & bit(e.key)) || xs.size() == defaults::trace_shown_max)
      return;
    auto i = wanted.find(e.key);
    if (i == wanted.end())
      return;
    auto what = static_cast<trace_kind>(e.what);
    auto session = what == trace_kind::accepted ? 0 : e.detail;
    xs.push_back({i->second, x_start + e.at_us, what, static_cast<errc>(e.why),
      name_of(session, names)});
  });
  return xs;
}

size_t im_trace::bytes() const noexcept {
  return x_ims.size() * sizeof(entry) + x_chunks.size() * sizeof(chunk);
}

} // namespace parley
