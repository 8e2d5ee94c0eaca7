#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/content_bytes.hpp"
#include "protocol/defaults.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/dialogue.hpp"

/// Presence, both ways (RFC 6121, 4).
namespace parley::xmpp {

namespace {

std::string_view show_text(show x) noexcept {
  switch (x) {
  case show::chat:
    return "chat";
  case show::away:
    return "away";
  case show::xa:
    return "xa";
  case show::dnd:
    return "dnd";
  default:
    return {};
  }
}

/// Without blanks around it.
std::string trimmed(std::string x) {
  constexpr std::string_view blanks = " \t\r\n";
  x.erase(std::min(x.find_last_not_of(blanks) + 1, x.size()));
  x.erase(0, x.find_first_not_of(blanks));
  return x;
}

/// Nothing if the stanza says what nobody can be.
std::optional<availability> availability_of(const element& x) {
  availability a;
  if (x["type"] == "unavailable")
    a.show = show::unavailable;
  for (const auto& c : x.children) {
    if (c.is_text())
      continue;
    if (c.is("show", ns::client)) {
      const auto text = trimmed(c.inner_text());
      if (text.empty())
        continue;
      const auto found = show_from_string(text);
      if (!found || show_text(*found).empty())
        return std::nullopt;
      if (a.show != show::unavailable)
        a.show = *found;
    } else if (c.is("status", ns::client)) {
      if (a.status.empty())
        a.status = c.inner_text();
    } else if (c.is("priority", ns::client)) {
      auto text = trimmed(c.inner_text());
      if (text.starts_with('+'))
        text.erase(0, 1);
      if (text.empty())
        continue;
      const auto [end, ec] =
        std::from_chars(text.data(), text.data() + text.size(), a.priority);
      if (ec != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    } else {
      append_element(a.extension, c, ns::client);
    }
  }
  if (a.status.size() > defaults::status_max)
    return std::nullopt;
  // Better seen without it than not at all.
  if (a.extension.size() > defaults::presence_extension_max)
    a.extension.clear();
  return a;
}

void append_availability(std::string& out, const availability& x) {
  if (const auto text = show_text(x.show); !text.empty()) {
    out += "<show>";
    out += text;
    out += "</show>";
  }
  if (!x.status.empty()) {
    out += "<status>";
    append_escaped(out, x.status);
    out += "</status>";
  }
  if (x.priority != 0)
    out += "<priority>" + std::to_string(x.priority) + "</priority>";
  out += x.extension;
}

} // namespace

void dialogue::take_presence(const element& x) {
  const auto type = x["type"];
  const auto to = x["to"];
  if (to.empty()) {
    if (type.empty() || type == "unavailable")
      return take_availability(x);
    if (type != "error" && type != "probe")
      refuse(x, bad_request, "this presence is for somebody");
    return;
  }
  if (to.find('@') == to.npos)
    return; // the server wants to know nobody's
  const auto whom = address::parse(to);
  if (!whom)
    return refuse(x, jid_malformed, whom.error().text);
  if (type.empty() || type == "unavailable")
    take_directed(x, *whom);
  else if (type == "error" && hides_from(whom->user))
    return;
  else if (type == "error")
    pass(x, *whom, reach::endpoint, false);
  else if (type == "probe" && out().size() > defaults::output_pause)
    refuse(x, stanza_error_of(errc::overloaded));
  else if (type == "probe")
    put_known(*whom);
  else
    take_subscription(x, address{whom->user, {}});
}

void dialogue::put_known(const address& of) {
  for (auto i = x_present.lower_bound(address{of.user, {}});
       i != x_present.end() && i->first.user == of.user; ++i)
    if (!of.is_full() || of == i->first)
      put_presence(*i->second);
}

void dialogue::take_availability(const element& x) {
  auto what = availability_of(x);
  if (!what)
    return refuse(x, bad_request, "show, status or priority are out of range");
  if (what->show == show::unavailable)
    leave(*x_requests, what->status);
  else if (!std::exchange(x_listing, true))
    // Requests of others reach who shows itself, with a roster or without.
    ask(list_contacts{}, {purpose::roster_whole, {}, {}});
  if (what->show != show::unavailable)
    heed_capabilities(x);
  asked about{purpose::presence, std::string{x["id"]}, {}};
  about.wanted = std::make_shared<const availability>(*what);
  ask(set_availability{std::move(*what)}, std::move(about));
  know_privacy();
}

void dialogue::take_directed(const element& x, const address& to) {
  const bool leaves = x["type"] == "unavailable";
  know_privacy();
  if (!leaves && !is_shared())
    return refuse(x, not_allowed, "presence is not shared here");
  const bool was_told = leaves && x_directed.erase(to) > 0;
  if (!was_told && hides_from(to.user))
    return;
  if (leaves)
    return direct(x, to, was_told ? directed::taken_back : directed::no);
  if (x_directed.size() < defaults::xmpp_directed_max
    || x_directed.contains(to))
    x_directed.insert(to);
  else
    return refuse(x, not_acceptable, "presence was sent to too many");
  direct(x, to, directed::shown);
}

void dialogue::direct(const element& x, const address& to, directed what) {
  pass_on p;
  p.message = im_from(x);
  // Better without its words than not at all.
  if (what == directed::taken_back
    && content_bytes(*p.message) > defaults::xmpp_taken_back_max)
    return take_back(to);
  p.to = to;
  p.reach = to.is_full() ? reach::endpoint : reach::available;
  p.directed = what;
  ask_unanswered(std::move(p));
}

void dialogue::leave(requests& to, const std::string& status) {
  x_requests = &to;
  for (const auto& whom : std::exchange(x_directed, {}))
    take_back(whom, status);
}

void dialogue::take_back(const address& from, const std::string& status) {
  element x;
  x.name = "presence";
  x.xmlns = ns::client;
  x.attributes = {{{}, "type", "unavailable"}};
  if (!status.empty()) {
    element text;
    text.text = status;
    element& words = x.children.emplace_back();
    words.name = "status";
    words.xmlns = ns::client;
    words.children.push_back(std::move(text));
  }
  direct(x, from, directed::taken_back);
}

void dialogue::part(requests& to) {
  leave(to);
  while (!x_waiting.empty()) {
    auto& next = x_waiting.front().what;
    if (const auto* p = std::get_if<pass_on>(&next.what);
        p && p->directed == directed::taken_back)
      to.push_back(std::move(next));
    x_waiting.pop_front();
  }
  x_waiting_bytes = 0;
  x_waiting_beside = 0;
}

last_words dialogue::end_session(std::span<const request_number> answered) {
  last_words words;
  // What is told to the next session as done must be: where something waits for
  // room, which is not asked any more, or an IM's rejection may not have come,
  // nothing is said.
  bool knows = true;
  for (const auto& w : x_waiting)
    knows &= w.what.number.value == 0;
  for (const auto& r : x_replies)
    knows &= !r.text.starts_with("<message");
  requests farewell;
  part(farewell);
  for (auto& r : farewell)
    if (auto* p = std::get_if<pass_on>(&r.what);
        p && p->directed == directed::taken_back)
      words.what.push_back(std::move(*p));
  for (auto n : answered)
    x_counts.close(n);
  if (x_resumable && knows)
    words.done = x_counts.done();
  return words;
}

void dialogue::put_presence(const presence_notice& x) {
  if (x_inactive && x.from != x_self)
    return note_change(x.from);
  out() += "<presence";
  append_attribute(out(), "from", x.from);
  append_attribute(out(), "to", x_self);
  out() += '>';
  append_availability(out(), x.what);
  out() += "</presence>";
  sent();
}

void dialogue::put_unavailable(const address& from, const availability& words) {
  if (x_inactive)
    return note_change(from);
  out() += "<presence type='unavailable'";
  append_attribute(out(), "from", from);
  append_attribute(out(), "to", x_self);
  std::string said;
  append_availability(said, words);
  if (said.empty())
    out() += "/>";
  else
    out().append(">").append(said).append("</presence>");
  sent();
}

/// RFC 6121, 4.2.2: also to the endpoint that it is about.
void dialogue::own_presence_changed(const availability& now) {
  const bool was_available = is_available();
  x_own = now;
  if (!is_available())
    return;
  presence_notice n;
  n.from = x_self;
  n.what = x_own;
  put_presence(n);
  x_following.is_due |= !was_available;
  follow_all();
  if (was_available)
    return;
  for (const auto& [from, what] : x_present)
    put_presence(*what);
  put_requests();
}

void dialogue::show_presence(const presence_event& x) {
  const auto& n = *x.what;
  if (n.from == x_self)
    return;
  // Unknown is unavailable here: XMPP has no word for it.
  if (n.what.show != show::unavailable && n.what.show != show::unknown) {
    x_stale.erase(n.from);
    x_present[n.from] = x.what;
    if (is_available())
      put_presence(n);
    return;
  }
  const auto is_meant = [&n](const auto& known) {
    return n.from.is_full() ? known.first == n.from
                            : known.first.user == n.from.user;
  };
  for (auto* known : {&x_present, &x_stale})
    for (auto i = known->lower_bound(address{n.from.user, {}});
         i != known->end() && i->first.user == n.from.user;) {
      if (!is_meant(*i)) {
        ++i;
        continue;
      }
      const auto gone = i->first;
      i = known->erase(i);
      if (is_available())
        put_unavailable(gone, n.what);
    }
}

std::optional<stream_fault> dialogue::client_state(std::string_view what) {
  if (what != "active" && what != "inactive")
    return stream_fault{"unsupported-stanza-type", std::string{what}};
  x_inactive = what == "inactive";
  if (!x_inactive && is_available())
    put_changed();
  return std::nullopt;
}

void dialogue::note_change(const address& from) {
  x_changed.insert(from);
  if (x_changed.size() < defaults::xmpp_changed_max)
    return;
  // More is not kept.
  x_inactive = false;
  put_changed();
  x_inactive = true;
}

/// The last state of each counts.
void dialogue::put_changed() {
  for (const auto& from : std::exchange(x_changed, {}))
    if (auto i = x_present.find(from); i != x_present.end())
      put_presence(*i->second);
    else
      put_unavailable(from, {});
}

void dialogue::reset_presence() {
  x_stale.merge(x_present);
  x_present.clear();
  x_stale_until = {};
}

} // namespace parley::xmpp
