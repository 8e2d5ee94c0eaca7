#include "actors/router/router.hpp"

#include "protocol/defaults.hpp"

// The actor around router_state.
namespace parley {

local_router_actor::behavior_type router(
  pinned_pointer<local_router_actor, router_state> self, router_config config) {
  self->state.init(std::move(config));
  self->set_down_handler([self](caf::down_msg& x) {
    self->state.session_down(x.source);
    self->state.flush();
  });
  self->delayed_send(self, defaults::sweep_interval, tick_atom::value);
  // Every handler ends by sending what the rules asked for. CAF tries them in
  // turn, 15 to 20 ns each: the most frequent go first.
  auto& st = self->state;
  return {
    [&st](session_requests& x) {
      st.requests(x);
      st.flush();
    },
    [&st](const session_acknowledged& x) {
      st.rules->acknowledge(x.from, x.self, x.what, st.now());
      st.flush();
    },
    [&st](const presence_calls& x) { st.call(x); },
    [&st](const attach_watcher& x) {
      st.attach(x);
      st.flush();
    },
    [&st](const detach_watcher& x) { st.tell_roster(x.whom, x); },
    [&st](const session_suspended& x) {
      st.suspended(x);
      st.flush();
    },
    [&st](session_over& x) {
      st.over(x);
      st.flush();
    },
    [&st](const session_window& x) {
      st.rules->set_window(x.from, x.granted, st.now());
      st.flush();
    },
    [&st](routed_im& x) {
      st.rules->receive(std::move(x), st.now());
      st.flush();
    },
    [&st](const routed_outcome& x) {
      st.rules->receive(x, st.now());
      st.flush();
    },
    [&st](const routed_choice& x) {
      st.rules->receive(x, st.now());
      st.flush();
    },
    [&st](const routed_receipt& x) {
      st.rules->receive(x);
      st.flush();
    },
    [&st](const routed_typing& x) {
      st.rules->receive(x, st.now());
      st.flush();
    },
    [&st](const routed_pass& x) {
      st.rules->receive(x, st.now());
      st.flush();
    },
    [&st](const contact_check& x) {
      st.check(x);
      st.flush();
    },
    [&st](const subscription_note& x) {
      st.receive(x);
      st.flush();
    },
    [&st](const note_confirmed& x) { st.confirmed(x); },
    [&st](const watch_request& x) {
      st.request_watch(x);
      st.flush();
    },
    [&st](const review_requests& x) {
      st.review(x);
      st.flush();
    },
    [&st](documents_wanted& x) { st.read_documents(x); },
    [&st](documents_ready& x) {
      st.pass_documents(x);
      st.flush();
    },
    [&st](documents_followed& x) { st.find_followed(x); },
    [&st](document_notices& x) {
      st.tell_documents(x);
      st.flush();
    },
    [&st](const roster_idle& x) { st.roster_is_idle(x); },
    [&st](const roster_head_changed& x) { st.roster_changed(x); },
    [self](report_atom, const user_address& whom, const user_address& viewer)
      -> caf::typed_response_promise<roster_report> {
      auto promise = self->make_response_promise<roster_report>();
      self->state.report_roster(whom, viewer, promise);
      self->state.flush();
      return promise;
    },
    [self](const user_address& whom,
      contacts_import& x) -> caf::typed_response_promise<contacts_imported> {
      auto promise = self->make_response_promise<contacts_imported>();
      self->state.import_contacts(whom, std::move(x), promise);
      self->state.flush();
      return promise;
    },
    [&st](const written& x) {
      st.written(x);
      st.flush();
    },
    [&st](const head_found& x) {
      st.rules->head_found(x.of,
        x.why.code == errc::none ? result<user_head>{x.what}
                                 : tl::unexpected(x.why),
        st.now());
      st.flush();
    },
    [&st](page_found& x) {
      st.count(x.page);
      st.rules->page_found(x.of, x.for_whom, x.from,
        x.why.code == errc::none
          ? result<std::vector<stored_im>>{std::move(x.page)}
          : tl::unexpected(x.why),
        x.complete, st.now());
      st.flush();
    },
    [&st](const id_found& x) {
      st.rules->id_found(x.ticket,
        x.why.code == errc::none ? result<std::optional<stored_id>>{x.what}
                                 : tl::unexpected(x.why),
        st.now());
      st.want_turns();
      st.flush();
    },
    [&st](const ims_expired& x) {
      st.rules->expire(x.what, st.now());
      st.flush();
    },
    [&st](scan_atom) {
      st.rules->ids_on_disk().scan_begins();
      return done_atom::value;
    },
    [&st](const shared<id_filter>& x) { st.rules->ids_on_disk().scanned(x); },
    [&st](const shared<policy>& x) {
      st.set_policy(x);
      return done_atom::value;
    },
    [&st](add_atom, const std::vector<user_address>& xs) {
      for (const auto& x : xs)
        st.rules->account_added(x);
      return done_atom::value;
    },
    [&st](reload_atom, const user_address& x) {
      st.drop_tokens(x);
      return done_atom::value;
    },
    [self](remove_atom, const user_address& x,
      const audit_entry& line) -> caf::typed_response_promise<account_removed> {
      auto promise = self->make_response_promise<account_removed>();
      self->state.remove_account(x, line, promise);
      self->state.flush();
      return promise;
    },
    [&st](kick_atom, const address& x) {
      auto n = st.kick(x);
      st.flush();
      return n;
    },
    [&st](report_atom) { return st.report(); },
    [&st](count_atom) { return st.counts(); },
    [&st](
      const trace_wanted& x) { return st.rules->find_traced(x.id, x.sender); },
    [&st](const trace_of& x) {
      return trace_found{{}, st.rules->traced_events(x.ims)};
    },
    [&st](const limits_wanted& x) { return st.at_limits(x); },
    [&st](tick_atom) { st.sweep(); },
    [self](stop_atom) {
      auto promise = self->make_response_promise<stop_report>();
      self->state.stop(promise);
      self->state.flush();
      return promise;
    },
    [&st](local_sign_in& x) {
      st.sign_in(std::move(x));
      st.flush();
    },
    [&st](const local_resume& x) {
      st.resume(x);
      st.flush();
    },
    [&st](const directory_ptr& x) { st.others = x; },
    [&st](step_atom) {
      st.step();
      st.flush();
    },
  };
}

} // namespace parley
