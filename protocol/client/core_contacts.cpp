#include <utility>
#include <variant>

#include "protocol/client/core_impl.hpp"
#include "protocol/overloaded.hpp"

/// The client's side of contacts, presence and privacy.
namespace parley {

namespace {

/// What counts against the window: texts.
size_t bytes_of(const request& what) {
  size_t n = 0;
  if (auto x = std::get_if<add_contacts>(&what)) {
    for (auto& one : x->contacts) {
      n += one.address.size() + one.name.size();
      for (auto& group : one.groups)
        n += group.size();
    }
  } else if (auto y = std::get_if<remove_contacts>(&what)) {
    for (auto& one : y->addresses)
      n += one.size();
  }
  return n;
}

/// Calls `f` with everybody to whom this request ends the subscription.
template <class F>
void for_each_end(const request& what, const F& f) {
  if (auto x = std::get_if<unsubscribe>(&what)) {
    f(x->to);
  } else if (auto y = std::get_if<remove_contacts>(&what)) {
    for (auto& one : y->addresses)
      if (auto who = address::parse(one))
        f(who->user);
  }
}

} // namespace

// -- requests -----------------------------------------------------------------

void client_core::impl::ask(contacts_request what, request_tag tag) {
  if (is_gone())
    return;
  pending_request x;
  x.what = pending_request::kind::other;
  x.tag = tag;
  x.other = std::visit(
    [](auto& y) { return std::make_unique<request>(std::move(y)); }, what);
  std::string tried;
  auto fits =
    native::encode_client(tried, numbered_request{{UINT64_MAX}, *x.other});
  if (!fits) {
    x_events.on_refused(tag, fits.error(), {});
    return;
  }
  x.bytes = static_cast<uint32_t>(bytes_of(*x.other));
  if (follows()) {
    for_each_end(*x.other, [this](auto& who) { x_book.expect_end(who); });
    if (auto wish = std::get_if<subscribe>(x.other.get()))
      x_book.forget_end(wish->to);
  }
  x_requests.push(std::move(x));
  pump();
}

void client_core::impl::forget_ends(const request& what) {
  for_each_end(what, [this](auto& who) { x_book.forget_end(who); });
}

void client_core::impl::list_contacts(request_tag tag) {
  if (is_gone())
    return;
  pending_request x;
  x.what = pending_request::kind::list;
  x.tag = tag;
  x_requests.push(std::move(x));
  pump();
}

void client_core::impl::emit_contacts(const request_queue::numbered& x) {
  // What is known when it is sent, maybe more than when it was asked for.
  auto what = x.what->other ? *x.what->other
                            : request{parley::list_contacts{x_book.known()}};
  // It could be encoded when it was asked for, so it can now.
  static_cast<void>(
    native::encode_client(x_out, numbered_request{x.number, std::move(what)}));
}

// -- following ----------------------------------------------------------------

void client_core::impl::follow() {
  ++x_follows;
  pending_request x;
  x.what = pending_request::kind::follow;
  x_requests.push(std::move(x));
  pump();
}

void client_core::impl::begin_following(bool resumed) {
  if (!follows() || is_gone())
    return;
  // What was told without a number may have been lost with the connection,
  // and an earlier question may be answered from before that.
  follow();
  // A resumed session tells so itself.
  if (resumed)
    return;
  void_presence();
  for (auto& whom : std::exchange(x_watches, {})) {
    auto entry = x_book.all().find(whom);
    if (entry == x_book.all().end()
      || entry->second.subscription.to != half::active) {
      show_as(whom, show::unknown);
      x_lost.insert(whom);
    }
    x_events.on_watch_ended(whom);
  }
}

void client_core::impl::show_as(const user_address& whom, show what) {
  presence_notice notice;
  notice.from.user = whom;
  notice.what.show = notice.composed = what;
  x_events.on_presence(notice);
}

void client_core::impl::show_found() {
  std::erase_if(x_lost, [this](const auto& whom) {
    auto entry = x_book.all().find(whom);
    const bool is_seen = entry != x_book.all().end()
      && entry->second.subscription.to == half::active;
    if (is_seen)
      show_as(whom, show::unavailable);
    return is_seen;
  });
}

void client_core::impl::void_presence() {
  x_lost.clear();
  x_events.on_presence_reset();
  for (auto& gone : x_present.reset())
    x_events.on_presence(gone);
}

void client_core::impl::take_list(
  std::optional<request_tag> tag, const contact_list& what) {
  std::vector<contact_book::news> news;
  if (follows() && !x_book.take(what, news)) {
    if (x_follows == 0)
      follow();
    // Who asked gets an answer.
    if (!tag)
      return;
  }
  x_events.on_contacts(tag, what);
  for (auto& x : news)
    x_events.on_subscription(x.who, x.what);
  show_found();
}

void client_core::impl::end_watch(const user_address& whom) {
  if (!follows() || x_watches.erase(whom) > 0)
    x_events.on_watch_ended(whom);
}

// -- events -------------------------------------------------------------------

void client_core::impl::take_event(sequence, const contact_list& x) {
  take_list(std::nullopt, x);
}

void client_core::impl::take_event(sequence, const privacy& x) {
  x_events.on_privacy(std::nullopt, x);
}

void client_core::impl::take_event(sequence, const presence_event& x) {
  if (follows())
    x_present.take(*x.what);
  x_lost.erase(x.what->from.user);
  x_events.on_presence(*x.what);
}

void client_core::impl::take_event(sequence, const presence_reset&) {
  void_presence();
}

void client_core::impl::take_event(sequence, const watch_ended& x) {
  end_watch(x.whom);
}

// -- answers ------------------------------------------------------------------

void client_core::impl::answered(
  sequence number, request_number to, const contacts_changed& what) {
  x_position.take(number);
  if (auto x = x_requests.settle(to, number);
      x && x->what == pending_request::kind::other)
    x_events.on_contacts_changed(x->tag, what);
}

void client_core::impl::answered(
  sequence number, request_number to, const contact_list& what) {
  x_position.take(number);
  auto x = x_requests.settle(to, number);
  if (!x)
    return;
  if (x->what == pending_request::kind::list)
    return take_list(x->tag, what);
  if (x->what != pending_request::kind::follow)
    return;
  --x_follows;
  take_list(std::nullopt, what);
}

void client_core::impl::answered(
  sequence number, request_number to, const watching& what) {
  x_position.take(number);
  auto x = x_requests.settle(to, number);
  auto asked = x && x->other ? std::get_if<watch>(x->other.get()) : nullptr;
  if (!asked)
    return;
  x_events.on_watching(x->tag, what.seconds);
  if (!follows())
    return;
  if (what.seconds > 0)
    x_watches.insert(asked->whom);
  else
    end_watch(asked->whom);
}

void client_core::impl::answered(
  sequence number, request_number to, const privacy& what) {
  x_position.take(number);
  if (auto x = x_requests.settle(to, number);
      x && x->what == pending_request::kind::other)
    x_events.on_privacy(x->tag, what);
}

} // namespace parley
