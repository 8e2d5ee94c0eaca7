#pragma once

#include <cstddef>

#include <caf/abstract_actor.hpp>
#include <caf/attachable.hpp>
#include <caf/error.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

namespace parley {

/// What of a lean actor does not depend on its clauses: that it can be
/// monitored and linked, and that it ends once. CAF's own base for that has a
/// condition variable and other things of blocking and requesting actors in it,
/// 104 bytes an actor.
class lean_base : public caf::abstract_actor, public caf::resumable {
public:
  explicit lean_base(caf::actor_config& cfg) : caf::abstract_actor(cfg) {}

  using caf::abstract_actor::enqueue;

  void on_destroy() override;
  void attach(caf::attachable_ptr what) override;
  size_t detach(const caf::attachable::token& what) override;
  void add_link(caf::abstract_actor* other) override;
  void remove_link(caf::abstract_actor* other) override;
  bool add_backlink(caf::abstract_actor* other) override;
  bool remove_backlink(caf::abstract_actor* other) override;

  /// Handles nothing more.
  void quit(caf::error why = {});

  /// Ends it at once; its scheduler runs nobody any more.
  virtual void stop(caf::execution_unit* eu) = 0;

  subtype_t subtype() const override { return unspecified; }
  void intrusive_ptr_add_ref_impl() override;
  void intrusive_ptr_release_impl() override;

protected:
  bool has_quit() const noexcept { return getf(is_shutting_down_flag); }
  /// Tells those who monitor it and are linked to it.
  void tell_end(caf::execution_unit* eu);

private:
  // These three with `mtx_` held.
  bool is_over() const noexcept { return getf(is_terminated_flag); }
  void keep(caf::attachable_ptr what);
  size_t drop_first(const caf::attachable::token& what);
  void send_exit(caf::abstract_actor* to);

  caf::attachable_ptr x_attached;
  caf::error x_reason;
};

} // namespace parley
