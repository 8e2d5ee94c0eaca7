#include "actors/roster/roster.hpp"

// The actor around roster_state.
namespace parley {

roster_actor::behavior_type roster(
  pinned_pointer<roster_actor, roster_state> self, user_address user,
  uint64_t removed_at, std::shared_ptr<const roster_config> config,
  router_actor parent) {
  self->state.init(
    std::move(user), removed_at, std::move(config), std::move(parent));
  auto& st = self->state;
  // CAF tries them in turn, 15 to 20 ns each: the most frequent go first.
  return {
    [&st](const presence_call& x) {
      st.handled += !x.answers;
      st.take(x);
      st.flush();
    },
    [&st](const attach_watcher& x) {
      ++st.handled;
      st.take(x);
      st.flush();
    },
    [&st](const presentity_left& x) {
      st.presentity_gone(x);
      st.flush();
    },
    [&st](const detach_watcher& x) {
      ++st.handled;
      st.take(x);
      st.flush();
    },
    [&st](const endpoint_changed& x) {
      ++st.handled;
      st.take(x);
      st.flush();
    },
    [&st](const endpoint_joined& x) {
      ++st.handled;
      st.take(x);
      st.flush();
    },
    [&st](const endpoint_left& x) {
      ++st.handled;
      st.take(x);
      st.flush();
    },
    [&st](roster_requests& x) {
      ++st.handled;
      st.requests(x);
      st.flush();
    },
    [&st](roster_found& x) {
      st.found(x);
      st.flush();
    },
    [&st](const endpoint_resumed& x) {
      ++st.handled;
      st.take(x);
      st.flush();
    },
    [&st](const shared<policy>& x) {
      st.set_policy(x);
      st.flush();
    },
    [&st](const contacts_checked& x) {
      st.checked(x);
      st.flush();
    },
    [&st](const subscription_note& x) {
      ++st.handled;
      st.receive(x);
      st.flush();
    },
    [&st](const contact_check& x) {
      ++st.handled;
      st.take(x);
      st.flush();
    },
    [&st](const review_requests&) {
      ++st.handled;
      st.review();
      st.flush();
    },
    [&st](const absent_users& x) {
      st.absent(x);
      st.flush();
    },
    [&st](const watch_request& x) {
      ++st.handled;
      st.take(x);
      st.flush();
    },
    [&st](const watch_decided& x) {
      st.decided(x);
      st.flush();
    },
    [&st](const watch_revoked& x) {
      st.revoked(x);
      st.flush();
    },
    [&st](const tell_watchers& x) {
      ++st.handled;
      st.take(x);
      st.flush();
    },
    [&st](const subscription_ended& x) {
      st.taken_back(x);
      st.flush();
    },
    [&st](tick_atom) {
      st.sweep();
      st.flush();
    },
    [self](report_atom, const user_address& viewer)
      -> caf::typed_response_promise<roster_report> {
      auto promise = self->make_response_promise<roster_report>();
      ++self->state.handled;
      self->state.report(viewer, promise);
      self->state.flush();
      return promise;
    },
    [self](
      contacts_import& x) -> caf::typed_response_promise<contacts_imported> {
      auto promise = self->make_response_promise<contacts_imported>();
      ++self->state.handled;
      self->state.import(std::move(x), promise);
      self->state.flush();
      return promise;
    },
    [self](remove_atom) -> caf::typed_response_promise<write_result> {
      auto promise = self->make_response_promise<write_result>();
      ++self->state.handled;
      self->state.dissolve(promise);
      self->state.flush();
      return promise;
    },
  };
}

} // namespace parley
