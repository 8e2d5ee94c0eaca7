#include "actors/session/session.hpp"

#include <algorithm>
#include <utility>

#include "actors/session/withholding.hpp"
#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

namespace parley {

using std::chrono::milliseconds;

namespace {

/// Of what it is about nothing was done.
bool is_refusal(const answer& x) noexcept {
  if (const auto* o = std::get_if<outcome>(&x.what))
    return o->what == outcome::kind::rejected;
  return std::holds_alternative<failure>(x.what)
    || std::holds_alternative<refused_request>(x.what);
}

/// What is not is last state: it is told anew rather than again.
bool is_numbered(const event& x) noexcept {
  return std::holds_alternative<answer>(x)
    || std::holds_alternative<incoming_im>(x)
    || std::holds_alternative<receipt>(x);
}

} // namespace

window ims_window(const window& wanted, const policy& rules) noexcept {
  window x{rules.window_messages(), defaults::event_window_bytes};
  if (wanted == window{})
    return x;
  return {
    std::min(x.messages, wanted.messages), std::min(x.bytes, wanted.bytes)};
}

window session_state::granted() const noexcept {
  return {config.rules->window_messages(), defaults::request_window_bytes};
}

window session_state::ims() const noexcept {
  return paused ? window{} : ims_window(config.wanted, *config.rules);
}

void session_state::attach(const attach_link& x) {
  attachment = x.attachment;
  if (x.last_event > stream.last()) {
    // What is connected already stays so.
    x.link->refuse(failure{errc::resume_failed,
      "event " + std::to_string(x.last_event.value) + " was never sent"});
    if (!link)
      self->send(router, session_suspended{config.id, attachment});
    return;
  }
  if (link) {
    legacy = link->take_legacy();
    if (legacy)
      taken_over.push_back(link->id());
    link->close(failure{errc::replaced}, error_scope::connection);
  }
  link = x.link;
  held_presence.clear();
  held_ends.clear();
  held_states.clear();
  held_notices.clear();
  held_notice_bytes = 0;
  link->report_taken_to(config.taken);
  count_taken();
  acknowledge(x.last_event);
  signed_in hello;
  hello.self = config.self;
  hello.token = config.token;
  hello.resumed = x.resumed;
  hello.last_request = stream.last_request();
  hello.requests = granted();
  hello.ims = ims();
  hello.heartbeat = milliseconds{config.rules->session_heartbeat_ms};
  hello.resume_window = milliseconds{config.rules->session_resume_window_ms};
  acknowledge(link->accept(
    hello, session_actor{local_session_actor{self}}, std::move(legacy)));
  tell_policy();
  sent = {};
  // Before presence is told anew.
  tell_taken_back();
  send_kept();
}

bool session_state::is_of_client(link_id x) noexcept {
  if (is_from(x)) {
    // It speaks since it took over; what came before has come.
    taken_over.clear();
    return true;
  }
  return link
    && std::find(taken_over.begin(), taken_over.end(), x) != taken_over.end();
}

void session_state::send_kept(bool all) {
  auto first = stream.first_unacknowledged().value;
  auto kept = stream.unacknowledged();
  sent.value = std::max(sent.value, first - 1);
  std::vector<sequence> safe;
  if (link)
    tell_held_ends();
  while (link && sent < stream.last() && (all || link->takes_events())) {
    ++sent.value;
    const auto& k = kept[sent.value - first];
    if (!k.settled && link->send(sent, k.what))
      safe.push_back(sent);
    tell_held_ends();
  }
  for (auto n : safe)
    stream.settle(n);
}

void session_state::tell_policy() {
  if (link)
    link->send(sequence{}, event{policy_values{policy_as_text(*config.rules)}});
}

void session_state::take(std::vector<numbered_request>& what) {
  session_requests fresh;
  fresh.what.reserve(what.size());
  widest = std::max(widest, granted().messages);
  for (auto& x : what) {
    if (std::holds_alternative<typing>(x.what)
      || std::holds_alternative<pass_on>(x.what)
      || std::holds_alternative<follow_documents>(x.what)) {
      pass(x, fresh);
      continue;
    }
    if (x.number == request_number{})
      continue;
    switch (stream.admit(x, granted())) {
    case event_stream::verdict::repeated:
      break;
    case event_stream::verdict::beyond_window: {
      failure f{errc::window_exceeded};
      f.limit = granted().messages;
      f.value = stream.under_way() + 1;
      count(&session_limits::windows);
      refuse(x.number, std::move(f));
      break;
    }
    case event_stream::verdict::fresh:
      if (auto* invalid = std::get_if<invalid_request>(&x.what))
        refuse(x.number, std::move(invalid->why));
      else if (auto why = over_rate(x.what))
        refuse(x.number, std::move(*why));
      else
        fresh.what.push_back(std::move(x));
    }
  }
  if (!fresh.what.empty()) {
    fresh.from = config.id;
    self->send(router, std::move(fresh));
  }
  // A client that asks on without ever taking its answers.
  if (stream.refused() > defaults::windows_until_ended * widest)
    end(failure{errc::window_exceeded});
}

std::optional<failure> session_state::over_rate(const request& x) {
  const auto* d = std::get_if<document_request>(&x);
  if (!d)
    return std::nullopt;
  const bool changes = std::holds_alternative<document_change>(d->what);
  const double price = changes ? defaults::document_change_price : 1;
  if (documents_left.take(self->clock().now(), price))
    return std::nullopt;
  count(&session_limits::documents);
  failure why{errc::rate_limited, "too many questions of what is kept"};
  why.limit = static_cast<uint64_t>(defaults::documents_per_second / price);
  why.retry_after = documents_left.until(price);
  return why;
}

void session_state::refuse(request_number number, failure why) {
  put({}, event{answer{number, std::move(why)}});
}

void session_state::acknowledge(sequence upto) {
  session_acknowledged x;
  const auto first = stream.first_unacknowledged();
  const bool is_known = stream.acknowledge(upto, x.what);
  if (stream.first_unacknowledged() != first)
    count_taken();
  if (!is_known || x.what.empty())
    return;
  x.from = config.id;
  x.self = config.self.user;
  self->send(router, std::move(x));
}

void session_state::count_taken() noexcept {
  if (config.taken)
    ++*config.taken;
}

void session_state::put(im_order order, event what) {
  // What is to be read is kept until the client has it, as long as there is
  // not too much of it.
  if (auto* p = std::get_if<passed_on>(&what);
      p && !p->returned && !p->message->body.empty()) {
    if (stream.unacknowledged().size() >= defaults::receipts_max)
      return;
    what = event{incoming_im{p->message, p->to, false}};
  }
  // Nothing waits for it to be taken.
  if (auto* i = std::get_if<incoming_im>(&what); i
      && i->copied == incoming_im::copy::sent
      && (stream.unacknowledged().size() >= defaults::receipts_max
        || stream.untaken_bytes() >= defaults::event_window_bytes))
    return;
  if (!is_numbered(what)) {
    tell(std::move(what));
    return;
  }
  // They are news, not promises: a client that takes none gets no more.
  if (std::holds_alternative<receipt>(what)
    && stream.receipts() >= defaults::receipts_max) {
    count(&session_limits::receipts);
    return;
  }
  // A list can be asked for again; all else says what was done.
  if (auto* a = std::get_if<answer>(&what); a
      && stream.answer_bytes() > defaults::lists_bytes_max
      && (std::holds_alternative<contact_list>(a->what)
        || std::holds_alternative<documents_found>(a->what))) {
    failure why{errc::overloaded, "earlier answers were not acknowledged"};
    why.retry_after = defaults::answers_retry_after;
    count(&session_limits::lists);
    a->what = std::move(why);
  }
  if (auto* a = std::get_if<answer>(&what)) {
    withhold(*a);
    // What waits is older.
    if (std::holds_alternative<privacy>(a->what))
      std::erase_if(held_states,
        [](const event& x) { return std::holds_alternative<privacy>(x); });
  }
  stream.push(order, std::move(what));
  send_kept();
}

void session_state::set_policy(const shared<policy>& x) {
  auto before = *config.rules;
  config.rules = x;
  if (x->session_buffer != before.session_buffer) {
    self->send(router, session_window{config.id, ims()});
    if (link)
      link->send_window(granted());
  }
  if (link && x->session_heartbeat_ms != before.session_heartbeat_ms)
    link->set_heartbeat(milliseconds{x->session_heartbeat_ms});
  tell_policy();
}

void session_state::lose_link(const failure&) {
  taken_over.clear();
  session_suspended x{config.id, attachment, !link->is_resumable()};
  legacy = link->take_legacy();
  link = nullptr;
  self->send(router, x);
}

void session_state::book(bool of_client) {
  auto own = stream.own_bytes();
  booked.is(defaults::session_bytes + own + (legacy ? legacy->memory() : 0));
  booked_presence.is((held_presence.size() + held_ends.size()
                       + held_notices.size() + presence.size())
      * defaults::held_notice_bytes
    + held_notice_bytes + presence.kept_bytes());
  if (config.untaken)
    *config.untaken =
      stream.untaken_bytes() + (link ? link->waits_to_be_written() : 0);
  const auto holds = stream.untaken_bytes() + stream.request_bytes();
  // Else it might not be read for what is long answered.
  const bool has_less = holds + defaults::budget_holder_floor <= told_holds;
  if (!link || !(of_client || has_less))
    return;
  told_holds = holds;
  of_client ? link->handled(holds) : link->holds(holds);
}

void session_state::say_last_words() {
  if (!link && !legacy)
    return;
  std::vector<request_number> answered;
  for (const auto& k : stream.unacknowledged())
    if (const auto* a = std::get_if<answer>(&k.what);
        a && !k.settled && !is_refusal(*a))
      answered.push_back(a->to);
  auto words =
    link ? link->end_session(answered) : legacy->end_session(answered);
  if (words.what.empty() && !words.done)
    return;
  self->send(router,
    session_over{config.id, config.self, std::move(words.what), words.done});
}

void session_state::end(const failure& why) {
  // The last words come behind what is owed, unless it is for want of memory.
  if (why.code != errc::overloaded)
    send_kept(true);
  say_last_words();
  if (link)
    link->close(why, error_scope::session);
  link = nullptr;
  self->quit();
}

local_session_actor::behavior_type session(
  pinned_pointer<local_session_actor, session_state> self,
  session_config config, router_actor router) {
  self->state.config = std::move(config);
  self->state.router = std::move(router);
  self->state.booked = {self->state.config.book, held_for::sessions};
  self->state.booked_presence = {self->state.config.book, held_for::presence};
  return {
    // CAF tries them in turn, 15 to 20 ns each: the most frequent go first.
    [self](session_output& x) {
      auto& st = self->state;
      for (auto& e : x.what) {
        if (auto* d = std::get_if<delivery>(&e)) {
          st.put(d->order, event{std::move(d->what)});
          continue;
        }
        auto& what = std::get<event>(e);
        st.put({}, std::move(what));
      }
      st.book();
    },
    [self](client_requests& x) {
      auto& st = self->state;
      if (!st.is_of_client(x.from))
        return;
      st.take(x.what);
      st.book(st.is_from(x.from));
    },
    [self](const client_acknowledged& x) {
      auto& st = self->state;
      if (!st.is_of_client(x.from))
        return;
      st.acknowledge(x.upto);
      st.book(st.is_from(x.from));
    },
    [self](const client_window& x) {
      auto& st = self->state;
      if (!st.is_from(x.from))
        return;
      st.paused = x.wanted == window{};
      if (!st.paused)
        st.config.wanted = x.wanted;
      self->send(st.router, session_window{st.config.id, st.ims()});
      st.book(true);
    },
    [self](const client_drained& x) {
      if (!self->state.is_from(x.from))
        return;
      self->state.go_on();
      self->state.book();
    },
    [self](const client_lost& x) {
      if (!self->state.is_from(x.from))
        return;
      self->state.lose_link(x.why);
      self->state.book();
    },
    [self](const probe_client&) {
      if (self->state.link)
        self->state.link->probe(defaults::grace_ping_timeout);
    },
    [self](const shared<policy>& x) { self->state.set_policy(x); },
    [self](const session_sweep&) { self->state.stream.shrink(); },
    [self](const announce_stop& x) {
      if (self->state.link)
        self->state.link->send_going_away(x.come_back_after);
    },
    [self](const end_session& x) { self->state.end(x.why); },
    [self](const attach_link& x) {
      self->state.attach(x);
      self->state.book();
    },
  };
}

} // namespace parley
