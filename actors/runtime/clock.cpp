#include "actors/runtime/clock.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/abstract_group.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/group.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace parley {

namespace {

auto timeout(caf::abstract_actor* self, caf::timeout_msg what) {
  return caf::detail::unique_function<void()>{
    [self = caf::strong_actor_ptr{self->ctrl()}, what] {
      self->get()->eq_impl(caf::make_message_id(), self, nullptr, what);
    }};
}

} // namespace

timer_clock::~timer_clock() {
  stop();
}

void timer_clock::start() {
  thread_ = std::thread{[this] { run(); }};
}

void timer_clock::stop() {
  {
    std::lock_guard guard{mutex_};
    stopped_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable())
    thread_.join();
  cancel_all();
}

size_t timer_clock::pending() const {
  std::lock_guard guard{mutex_};
  return schedule_.size();
}

void timer_clock::set_ordinary_timeout(
  time_point t, caf::abstract_actor* self, caf::atom_value type, uint64_t id) {
  add(t, self->id(), {kind::ordinary, static_cast<uint64_t>(type)},
    timeout(self, {type, id}));
}

void timer_clock::set_multi_timeout(
  time_point t, caf::abstract_actor* self, caf::atom_value type, uint64_t id) {
  add(t, self->id(), {kind::multi, id}, timeout(self, {type, id}));
}

void timer_clock::set_request_timeout(
  time_point t, caf::abstract_actor* self, caf::message_id id) {
  add(t, self->id(), {kind::request, id.integer_value()},
    deliver{[self = caf::strong_actor_ptr{self->ctrl()}, id] {
      self->get()->eq_impl(id, self, nullptr, caf::sec::request_timeout);
    }});
}

void timer_clock::cancel_ordinary_timeout(
  caf::abstract_actor* self, caf::atom_value type) {
  cancel(self->id(), {kind::ordinary, static_cast<uint64_t>(type)});
}

void timer_clock::cancel_request_timeout(
  caf::abstract_actor* self, caf::message_id id) {
  cancel(self->id(), {kind::request, id.integer_value()});
}

void timer_clock::cancel_timeouts(caf::abstract_actor* self) {
  nodes gone;
  std::lock_guard guard{mutex_};
  for (auto i = index_.find(self->id()); i != index_.end();
       i = index_.find(self->id()))
    gone.push_back(extract(i));
}

void timer_clock::schedule_message(time_point t, caf::strong_actor_ptr receiver,
  caf::mailbox_element_ptr content) {
  add(t, caf::invalid_actor_id, {kind::message, 0},
    deliver{
      [receiver = std::move(receiver), content = std::move(content)]() mutable {
        receiver->enqueue(std::move(content), nullptr);
      }});
}

void timer_clock::schedule_message(time_point t, caf::group target,
  caf::strong_actor_ptr sender, caf::message content) {
  add(t, caf::invalid_actor_id, {kind::message, 0},
    deliver{[target = std::move(target), sender = std::move(sender),
              content = std::move(content)]() mutable {
      target->eq_impl(
        caf::make_message_id(), std::move(sender), nullptr, std::move(content));
    }});
}

void timer_clock::cancel_all() {
  schedule gone;
  std::lock_guard guard{mutex_};
  gone.swap(schedule_);
  index_.clear();
}

void timer_clock::add(
  time_point t, caf::actor_id owner, key name, deliver ship) {
  schedule::node_type gone;
  std::lock_guard guard{mutex_};
  if (stopped_)
    return;
  if (name.what == kind::ordinary) { // one of each type
    if (auto i = find(owner, name); i != index_.end())
      gone = extract(i);
  }
  auto i = schedule_.emplace(t, entry{std::move(ship), name, owner});
  if (name.what != kind::message)
    index_.emplace(owner, i);
  if (i == schedule_.begin())
    wake_.notify_one();
}

timer_clock::index::iterator timer_clock::find(caf::actor_id owner, key name) {
  auto [i, e] = index_.equal_range(owner);
  i = std::find_if(
    i, e, [&](auto& kvp) { return kvp.second->second.name == name; });
  return i != e ? i : index_.end();
}

void timer_clock::cancel(caf::actor_id owner, key name) {
  schedule::node_type gone; // destroyed when the lock is released, as elsewhere
  std::lock_guard guard{mutex_};
  if (auto i = find(owner, name); i != index_.end())
    gone = extract(i);
}

timer_clock::schedule::node_type timer_clock::extract(index::iterator i) {
  auto node = schedule_.extract(i->second);
  index_.erase(i);
  return node;
}

timer_clock::schedule::node_type timer_clock::extract_first() {
  auto first = schedule_.begin();
  auto [i, e] = index_.equal_range(first->second.owner);
  i = std::find_if(i, e, [&](auto& kvp) { return kvp.second == first; });
  return i != e ? extract(i) : schedule_.extract(first);
}

void timer_clock::run() {
  pthread_setname_np(pthread_self(), "clock");
  nodes due;
  std::unique_lock guard{mutex_};
  while (!stopped_) {
    if (schedule_.empty()) {
      wake_.wait(guard);
    } else if (auto first = schedule_.begin()->first; first > now()) {
      wake_.wait_until(guard, first);
    } else {
      for (auto t = now(); !schedule_.empty() && schedule_.begin()->first <= t;)
        due.push_back(extract_first());
      guard.unlock();
      for (auto& node : due)
        node.mapped().ship();
      due.clear();
      guard.lock();
    }
  }
}

} // namespace parley
