#include "actors/runtime/lean_base.hpp"

#include <mutex>
#include <utility>

#include <caf/actor_addr.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/default_attachable.hpp>
#include <caf/exit_reason.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/system_messages.hpp>

namespace parley {

namespace {

using link_token = caf::default_attachable::observe_token;

link_token link_with(caf::abstract_actor* other) {
  return {other->address(), caf::default_attachable::link};
}

} // namespace

// -- the end

void lean_base::quit(caf::error why) {
  x_reason = std::move(why);
  setf(is_shutting_down_flag);
}

void lean_base::tell_end(caf::execution_unit* eu) {
  caf::attachable_ptr told;
  {
    std::lock_guard guard{mtx_};
    if (is_over())
      return;
    setf(is_terminated_flag | is_cleaned_up_flag);
    told.swap(x_attached);
  }
  for (auto* x = told.get(); x; x = x->next.get())
    x->actor_exited(x_reason, eu);
}

void lean_base::on_destroy() {
  if (is_over())
    return;
  // Nobody can send to it any more.
  x_reason = caf::exit_reason::unreachable;
  tell_end(nullptr);
}

void lean_base::send_exit(caf::abstract_actor* to) {
  to->enqueue(nullptr, caf::make_message_id(),
    caf::make_message(caf::exit_msg{address(), x_reason}), nullptr);
}

// -- who is told of it

void lean_base::keep(caf::attachable_ptr what) {
  what->next.swap(x_attached);
  x_attached.swap(what);
}

size_t lean_base::drop_first(const caf::attachable::token& what) {
  for (auto* at = &x_attached; *at; at = &(*at)->next)
    if ((*at)->matches(what)) {
      auto rest = std::move((*at)->next);
      *at = std::move(rest);
      return 1;
    }
  return 0;
}

void lean_base::attach(caf::attachable_ptr what) {
  {
    std::lock_guard guard{mtx_};
    if (!is_over()) {
      keep(std::move(what));
      return;
    }
  }
  what->actor_exited(x_reason, nullptr);
}

size_t lean_base::detach(const caf::attachable::token& what) {
  std::lock_guard guard{mtx_};
  return drop_first(what);
}

void lean_base::add_link(caf::abstract_actor* other) {
  bool over = false;
  joined_exclusive_critical_section(this, other, [&] {
    over = is_over();
    if (!over && other->add_backlink(this))
      keep(caf::default_attachable::make_link(address(), other->address()));
  });
  if (over)
    send_exit(other);
}

bool lean_base::add_backlink(caf::abstract_actor* other) {
  if (is_over()) {
    send_exit(other);
    return false;
  }
  drop_first(link_with(other));
  keep(caf::default_attachable::make_link(address(), other->address()));
  return true;
}

void lean_base::remove_link(caf::abstract_actor* other) {
  joined_exclusive_critical_section(this, other, [&] {
    other->remove_backlink(this);
    drop_first(link_with(other));
  });
}

bool lean_base::remove_backlink(caf::abstract_actor* other) {
  return drop_first(link_with(other)) > 0;
}

// -- caf::resumable

void lean_base::intrusive_ptr_add_ref_impl() {
  caf::intrusive_ptr_add_ref(ctrl());
}

void lean_base::intrusive_ptr_release_impl() {
  caf::intrusive_ptr_release(ctrl());
}

} // namespace parley
