#include <utility>

#include "actors/router/router.hpp"

// What the rules ask of a router: to sessions, other shards and the store.
namespace parley {

namespace {

/// What one handler mostly has for a session at once.
constexpr size_t few_events = 4;

} // namespace

router_state::entry& router_state::gather(session_id id, entry& e) {
  if (e.output.what.empty()) {
    x_dirty.push_back(id);
    e.output.what.reserve(few_events);
  }
  return e;
}

void router_state::hand_out(session_id to, delivery what) {
  if (auto* e = find(to))
    gather(to, *e).output.what.emplace_back(std::move(what));
}

void router_state::tell(session_id to, event what) {
  if (auto* e = find(to))
    gather(to, *e).output.what.emplace_back(std::move(what));
}

void router_state::probe(session_id whom) {
  if (auto* e = find(whom))
    self->send(e->handle, probe_client{});
}

void router_state::forward(uint32_t slot, routed_im what) {
  self->send(others->at(slot), std::move(what));
}

void router_state::forward(uint32_t slot, routed_outcome what) {
  self->send(others->at(slot), std::move(what));
}

void router_state::forward(uint32_t slot, routed_choice what) {
  self->send(others->at(slot), std::move(what));
}

void router_state::forward(uint32_t slot, routed_receipt what) {
  self->send(others->at(slot), std::move(what));
}

void router_state::forward(uint32_t slot, routed_typing what) {
  self->send(others->at(slot), std::move(what));
}

void router_state::forward(uint32_t slot, routed_pass what) {
  self->send(others->at(slot), std::move(what));
}

void router_state::write(store_operation what) {
  x_writes.push_back(std::move(what));
}

const store_reader_actor& router_state::reader_for(
  const user_address& of) const {
  return config.readers[slot_of(of) / config.routers % config.readers.size()];
}

void router_state::find_head(const user_address& of) {
  self->send(reader_for(of), of, router_actor{self});
}

void router_state::read_page(
  const user_address& of, session_id for_whom, im_order from, size_t max) {
  self->send(reader_for(of), of, for_whom, from, static_cast<uint64_t>(max),
    router_actor{self});
}

void router_state::find_id(const retry_key& key, uint64_t ticket) {
  self->send(reader_for(key.sender), key, ticket, router_actor{self});
}

} // namespace parley
