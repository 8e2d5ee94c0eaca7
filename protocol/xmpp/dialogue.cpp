#include "protocol/xmpp/dialogue.hpp"

#include <algorithm>
#include <utility>

#include "protocol/content_bytes.hpp"
#include "protocol/defaults.hpp"
#include "protocol/overloaded.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/octets.hpp"

/// Requests and answers.
namespace parley::xmpp {

namespace {

constexpr std::string_view ping = "urn:xmpp:ping";

constexpr std::string_view no_way_there =
  "there is no way from here to other servers";

/// What a request keeps beside an IM.
uint64_t bytes_beside(const request& x) noexcept {
  if (std::holds_alternative<send_im>(x) || std::holds_alternative<pass_on>(x))
    return 0;
  const auto* b = std::get_if<broadcast>(&x);
  if (!b)
    return content_bytes(x);
  uint64_t n = 0;
  for (const auto& to : b->to)
    n += sizeof(to) + to.size();
  return n;
}

} // namespace

dialogue::dialogue(
  const signed_in& what, std::string domain, byte_count* held_ims)
  : x_self(what.self),
    x_domain(std::move(domain)),
    x_held_ims(held_ims),
    x_token(to_base64(what.token)),
    x_resume_window(
      std::chrono::duration_cast<std::chrono::seconds>(what.resume_window)),
    x_window(what.requests),
    x_last_request(what.last_request),
    x_names(random_name(defaults::xmpp_name_octets)) {
  x_own.show = show::unavailable;
}

void dialogue::put_bound(std::string_view id, std::string& to) {
  to += "<iq type='result'";
  append_attribute(to, "id", id);
  to += "><bind";
  append_attribute(to, "xmlns", ns::bind);
  to += "><jid>";
  append_escaped(to, x_self.str());
  to += "</jid></bind></iq>";
}

// -- from the client ----------------------------------------------------------

std::optional<stream_fault> dialogue::take(
  element x, wall_time now, std::string& to, requests& wanted) {
  x_out = &to;
  x_requests = &wanted;
  x_now = now;
  if (x.xmlns == stream_management)
    return manage(x);
  if (x.xmlns == ns::client_state)
    return client_state(x.name);
  if (x.xmlns != ns::client)
    return stream_fault{"unsupported-stanza-type", x.name + " in " + x.xmlns};
  return take_stanza(x);
}

std::optional<stream_fault> dialogue::take_stanza(const element& x) {
  if (const auto from = x["from"]; !from.empty()) {
    const auto a = address::parse(from);
    if (!a || a->user != x_self.user || (a->is_full() && *a != x_self))
      return stream_fault{"invalid-from", "stanzas are from their sender"};
  }
  if (x["id"].size() > defaults::xmpp_id_max)
    return stream_fault{"policy-violation",
      "an id has at most " + std::to_string(defaults::xmpp_id_max) + " bytes"};
  x_counts.received();
  if (x.name == "message")
    take_message(x);
  else if (x.name == "presence")
    take_presence(x);
  else if (x.name == "iq")
    take_iq(x);
  else
    return stream_fault{"unsupported-stanza-type", x.name};
  return std::nullopt;
}

void dialogue::sign_out(requests& to) {
  x_requests = &to;
  leave(to);
  x_resumable = false;
  ask(parley::sign_out{}, {});
}

request_number dialogue::ask(request what, asked about) {
  ++x_last_request.value;
  const auto bytes = content_bytes(what);
  about.bytes = bytes;
  x_asked_bytes += about.memory();
  x_asked.emplace_hint(x_asked.end(), x_last_request, std::move(about));
  wait_for_room({x_last_request, std::move(what)}, bytes);
  return x_last_request;
}

void dialogue::forget(asked_requests::iterator what) {
  x_asked_bytes -= what->second.memory();
  x_asked.erase(what);
}

void dialogue::pass(const element& x, const address& to, reach how,
  bool returns, bool is_typing) {
  pass_on p;
  p.message = im_from(x);
  p.to = to;
  p.reach = how;
  p.returns = returns;
  p.is_typing = is_typing;
  ask_unanswered(std::move(p));
}

void dialogue::ask_unanswered(request what) {
  const auto bytes = content_bytes(what);
  wait_for_room({{}, std::move(what)}, bytes);
}

void dialogue::wait_for_room(numbered_request what, uint64_t bytes) {
  ask_waiting(*x_requests);
  if (x_waiting.empty() && ask_now(what, bytes, *x_requests))
    return;
  const auto beside = bytes_beside(what.what);
  x_waiting_bytes += bytes;
  x_waiting_beside += beside;
  x_waiting.push_back({std::move(what), bytes, beside});
}

bool dialogue::has_room(uint64_t bytes) const noexcept {
  return x_under_way + x_kept.size() < x_window.messages
    && (x_under_way_bytes == 0 || x_under_way_bytes + bytes <= x_window.bytes);
}

void dialogue::ask_waiting(requests& to) {
  while (!x_waiting.empty()) {
    auto& next = x_waiting.front();
    if (!ask_now(next.what, next.bytes, to))
      return;
    x_waiting_bytes -= next.bytes;
    x_waiting_beside -= next.beside;
    x_waiting.pop_front();
  }
}

bool dialogue::ask_now(numbered_request& what, uint64_t bytes, requests& to) {
  if (what.number.value > 0) {
    const bool ends = std::holds_alternative<parley::sign_out>(what.what);
    if (!ends && !has_room(bytes))
      return false;
    ++x_under_way;
    x_under_way_bytes += bytes;
  }
  to.push_back(std::move(what));
  return true;
}

bool dialogue::takes_stanzas() const noexcept {
  // Where nothing but the client's own acknowledgement is lacking, it has to be
  // read; what comes with it is bounded all the same.
  const bool is_its_turn = x_under_way == 0 && !x_kept.empty();
  const auto max = defaults::xmpp_waiting_max
    * (is_its_turn ? defaults::xmpp_waiting_more : size_t{1});
  const auto most = defaults::request_window_bytes;
  return x_waiting.empty()
    || (x_waiting.size() < max && x_waiting_bytes < most
      && x_waiting_beside + x_asked_bytes < most);
}

void dialogue::refuse(
  const element& x, const stanza_error& why, std::string_view text) {
  // Errors are not answered by errors (RFC 6120, 8.3.1).
  if (x["type"] == "error")
    return;
  const auto start = out().size();
  append_error_answer(out(), x, why, text);
  sent_reply(start);
}

std::string dialogue::next_id() {
  return x_names + "-" + std::to_string(++x_next_name);
}

bool dialogue::is_own_domain(std::string_view text) const {
  text = text.substr(0, text.find('/'));
  if (text == x_domain)
    return true;
  const auto any = user_address::parse("x@" + std::string{text});
  return any && any->domain() == x_domain;
}

// -- to the client ------------------------------------------------------------

void dialogue::sent(sequence number) {
  x_counts.sent(number);
  x_unasked = true;
}

bool dialogue::tell(
  sequence number, const event& what, std::string& to, requests& wanted) {
  x_out = &to;
  x_requests = &wanted;
  const bool safe =
    std::visit(overloaded{[&](const answer& x) { return answer_to(number, x); },
                 [&](const incoming_im& x) {
                   put_message(number, x);
                   return false;
                 },
                 [](const receipt&) { return true; },
                 [&](const typing_notice& x) {
                   if (x_inactive)
                     return true;
                   append_typing(out(), x.from, address{x_self.user, {}});
                   sent();
                   return true;
                 },
                 [&](const policy_values& x) {
                   heed_policy(x);
                   return true;
                 },
                 [&](const contact_list& x) {
                   contacts_changed(x);
                   return true;
                 },
                 [&](const parley::privacy& x) {
                   privacy_changed(x);
                   return true;
                 },
                 [&](const presence_event& x) {
                   show_presence(x);
                   return true;
                 },
                 [&](const presence_reset&) {
                   reset_presence();
                   return true;
                 },
                 [](const watch_ended&) { return true; },
                 [&](const passed_on& x) {
                   put_passed(x);
                   return true;
                 },
                 [&](const document_event& x) {
                   put_notice(*x.what);
                   return true;
                 }},
      what);
  ask_waiting(wanted);
  return safe;
}

bool dialogue::answer_to(sequence number, const answer& x) {
  auto i = x_asked.find(x.to);
  if (i == x_asked.end())
    return true;
  const auto what = i->second.what;
  const auto start = out().size();
  const bool written = put_answer(i->second, x);
  // A rejection goes out before the count that says that it is done.
  x_counts.close(x.to);
  x_under_way -= x_under_way > 0;
  x_under_way_bytes -= std::exchange(i->second.bytes, 0);
  bool is_safe = true;
  if (written && x_counts.is_managed()) {
    // Where the stream breaks it is said again: by this, or by the session.
    sent();
    is_safe = keep_reply(start);
  } else if (written) {
    x_unasked = true;
  }
  if (is_safe) {
    forget(i);
  } else {
    x_counts.carries(number);
    x_kept.push_back({number, x.to});
  }
  if (x_resuming)
    finish_resuming();
  follow_up(what, x);
  return is_safe;
}

void dialogue::follow_up(purpose what, const answer& x) {
  if (const auto* l = std::get_if<contact_list>(&x.what);
      l && what == purpose::roster_get) {
    // A client that knows a version is told of what changed by pushes.
    if (l->since.value > 0)
      push_roster(*l);
    else
      contacts_listed(*l);
  }
  if (what == purpose::roster_since || what == purpose::roster_missed)
    catching_up_failed(x);
  if (what == purpose::subscription || what == purpose::roster_set)
    settle_ends(x);
  if (what != purpose::blocking && what != purpose::privacy)
    return;
  if (const auto* p = std::get_if<parley::privacy>(&x.what);
      p && what == purpose::blocking)
    privacy_changed(*p);
  if (what == purpose::blocking)
    x_blocking = false;
  if (!x_blocking) // else by its answer
    go_on_blocking();
}

void dialogue::acknowledge(sequence upto) {
  x_acknowledged = std::max(x_acknowledged, upto);
  x_safe = std::max(x_safe, upto);
  while (!x_kept.empty() && x_kept.front().event <= upto) {
    if (auto i = x_asked.find(x_kept.front().request); i != x_asked.end())
      forget(i);
    x_kept.pop_front();
  }
}

bool dialogue::put_answer(const asked& about, const answer& x) {
  const auto* why = std::get_if<failure>(&x.what);
  if (const auto* o = std::get_if<outcome>(&x.what))
    why = o->what == outcome::kind::rejected ? &o->why : nullptr;
  if (const auto* c = std::get_if<parley::contacts_changed>(&x.what))
    why = c->refused.empty() ? nullptr : &c->refused.front().why;
  if (const auto* r = std::get_if<refused_request>(&x.what))
    why = &r->why;
  std::string_view name = "iq";
  switch (about.what) {
  case purpose::own:
    return false;
  case purpose::roster_whole:
    if (const auto* l = std::get_if<contact_list>(&x.what))
      contacts_listed(*l);
    else
      x_listing = false; // with its next presence
    return false;
  case purpose::roster_since:
  case purpose::roster_missed:
    if (const auto* l = std::get_if<contact_list>(&x.what)) {
      contacts_since(x.to, *l);
      // They may have been told to a connection that broke.
      if (about.what == purpose::roster_since && is_available())
        put_requests();
    }
    return false;
  case purpose::presence:
    if (!why) {
      own_presence_changed(*about.wanted);
      return false;
    }
    [[fallthrough]];
  case purpose::subscription:
    name = "presence";
    break;
  case purpose::broadcast:
    if (const auto* b = std::get_if<broadcast_outcomes>(&x.what)) {
      put_refusals(about, *b);
      return false;
    }
    [[fallthrough]];
  case purpose::message:
    name = "message";
    break;
  case purpose::roster_get:
    if (const auto* l = std::get_if<contact_list>(&x.what)) {
      put_roster(about, *l);
      return true;
    }
    break;
  case purpose::privacy:
    if (const auto* p = std::get_if<parley::privacy>(&x.what))
      x_blocked ? privacy_changed(*p) : privacy_known(*p);
    else
      privacy_unknown();
    return false;
  case purpose::blocking:
    if (std::holds_alternative<parley::privacy>(x.what)) {
      put_result(about.id);
      return true;
    }
    if (why && why->code == errc::bad_request) {
      put_too_many(about.id);
      return true;
    }
    break;
  case purpose::documents:
    put_documents_answer(about, x);
    return true;
  case purpose::roster_set:
  case purpose::iq:
    if (!why) {
      put_result(about.id);
      return true;
    }
  }
  if (!why)
    return false;
  element back;
  back.name = name;
  back.attributes = {{{}, "id", about.id}, {{}, "to", about.to}};
  if (name != "iq")
    back.attributes.push_back({{}, "from", x_self.str()});
  const bool is_elsewhere = why->code == errc::no_such_user && !about.to.empty()
    && !is_own_domain(
      std::string_view{about.to}.substr(about.to.find('@') + 1));
  if (is_elsewhere)
    append_error_answer(out(), back, no_remote_server, no_way_there);
  else
    append_error_answer(out(), back, *why);
  return true;
}

void dialogue::ask_for_life(std::string& to) {
  x_out = &to;
  if (x_counts.is_managed()) {
    if (!x_resuming)
      to += "<r xmlns='urn:xmpp:sm:3'/>";
    return;
  }
  out() += "<iq type='get'";
  append_attribute(out(), "id", next_id());
  append_attribute(out(), "from", x_domain);
  append_attribute(out(), "to", x_self.str());
  out() += "><ping";
  append_attribute(out(), "xmlns", ping);
  out() += "/></iq>";
  sent();
}

void dialogue::tick(steady_time now, std::string& to) {
  x_out = &to;
  if (x_stale_until == steady_time{}) {
    x_stale_until = now + defaults::xmpp_reset_patience;
    return;
  }
  if (now < x_stale_until)
    return;
  for (const auto& [from, what] : std::exchange(x_stale, {}))
    if (is_available())
      put_unavailable(from, {});
  x_stale_until = {};
}

size_t dialogue::asked::memory() const noexcept {
  size_t n = id.size() + to.size();
  if (matter)
    n += sizeof(*matter) + matter->node.size() + matter->item.size()
      + matter->wanted.name.size() + matter->wanted.xmlns.size();
  if (wanted)
    n += sizeof(*wanted) + wanted->status.size() + wanted->extension.size();
  return n;
}

size_t dialogue::memory() const noexcept {
  // About; what is shared with the engine is counted there.
  constexpr size_t node = 96;
  return sizeof(*this) + x_delayed.capacity() + x_reply_bytes + x_asked_bytes
    + x_waiting.size() * sizeof(waiting_request) + x_waiting_beside
    + x_about_blocked_bytes
    + node
    * (x_asked.size() + x_kept.size() + x_directed.size() + x_present.size()
      + x_stale.size() + x_changed.size() + x_contacts.size() + x_ended.size()
      + (x_blocked ? x_blocked->size() : 0)
      + (x_domain_rules
          ? x_domain_rules->allow.size() + x_domain_rules->domains.size()
          : 0));
}

} // namespace parley::xmpp
