#include <charconv>
#include <utility>

#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/dialogue.hpp"

/// Stream management (XEP-0198), and what streams say of sessions.
namespace parley::xmpp {

void dialogue::append_features(std::string& out) {
  append_capabilities(out);
  out += "<sm xmlns='urn:xmpp:sm:3'/>"
         "<ver xmlns='urn:xmpp:features:rosterver'/>"
         "<sub xmlns='urn:xmpp:features:pre-approval'/>"
         "<csi xmlns='urn:xmpp:csi:0'/>";
}

void dialogue::append_failed(
  std::string& out, std::string_view condition, std::optional<uint64_t> h) {
  out += "<failed";
  append_attribute(out, "xmlns", stream_management);
  if (h)
    append_attribute(out, "h", std::to_string(*h));
  out += "><";
  out += condition;
  append_attribute(out, "xmlns", ns::stanza_errors);
  out += "/></failed>";
}

stream_fault dialogue::too_high(uint32_t h) const {
  stream_fault x{
    "undefined-condition", "more stanzas were acknowledged than were sent", {}};
  x.detail = "<handled-count-too-high";
  append_attribute(x.detail, "xmlns", stream_management);
  append_attribute(x.detail, "h", std::to_string(h));
  append_attribute(x.detail, "send-count",
    std::to_string(static_cast<uint32_t>(x_counts.sent_in_all())));
  x.detail += "/>";
  return x;
}

std::optional<stream_fault> dialogue::manage(const element& x) {
  if (x.name == "enable" || x.name == "resume") {
    if (x_counts.is_managed() || x.name == "resume") {
      append_failed(out(), "unexpected-request");
      return std::nullopt;
    }
    const auto wish = x["resume"];
    x_resumable =
      (wish == "true" || wish == "1") && x_resume_window.count() > 0;
    x_counts.manage();
    out() += "<enabled";
    append_attribute(out(), "xmlns", stream_management);
    if (x_resumable) {
      append_attribute(out(), "id", x_token);
      append_attribute(out(), "resume", "true");
      append_attribute(out(), "max", std::to_string(x_resume_window.count()));
    }
    out() += "/>";
    return std::nullopt;
  }
  if (!x_counts.is_managed())
    return stream_fault{
      "unsupported-stanza-type", "stream management is not enabled"};
  if (x.name == "r") {
    x_asked_for_h = true;
    put_count();
    return std::nullopt;
  }
  if (x.name == "a") {
    uint32_t h = 0;
    const auto text = x["h"];
    const auto read =
      std::from_chars(text.data(), text.data() + text.size(), h);
    const bool is_number =
      read.ec == std::errc{} && read.ptr == text.data() + text.size();
    const auto upto =
      is_number ? x_counts.acknowledged(h) : std::optional<sequence>{};
    if (!is_number)
      return stream_fault{"bad-format", "'h' is a number below 2^32", {}};
    if (!upto)
      return too_high(h);
    acknowledge(*upto);
    forget_replies();
    ask_waiting(*x_requests);
    // What was refused for their sake has room now.
    if (x_catching_up == catching_up::refused && x_kept.empty())
      catch_up(x_complete);
    return std::nullopt;
  }
  return stream_fault{"unsupported-stanza-type", x.name};
}

std::optional<sequence> dialogue::resume(const window& granted, uint32_t h,
  std::string_view previous, resumed_frame around, std::string& to,
  requests& wanted) {
  x_out = &to;
  x_requests = &wanted;
  const auto upto = x_counts.acknowledged(h);
  if (!upto)
    return std::nullopt;
  acknowledge(*upto);
  x_acknowledged = {}; // told by what is returned
  forget_replies();
  x_window = granted;
  // Of a stream that was lost before it had gone on.
  x_delayed.clear();
  x_counts.resume();
  // They are answered again.
  x_under_way += x_kept.size();
  x_kept.clear();
  x_previous = previous;
  x_around_resumed = around.after.empty()
    ? nullptr
    : std::make_unique<const resumed_frame>(std::move(around));
  x_resuming = true;
  x_asked_for_h = false;
  reset_presence();
  // XEP-0352: a stream begins active.
  x_inactive = false;
  x_changed.clear();
  say_replies_again();
  // Of these only changes are told, and they may have passed it by.
  if (x_listing)
    catch_up(x_listed);
  if (x_blocked)
    ask(set_privacy{}, {purpose::privacy, {}, {}});
  // Notices are not kept for who is away.
  x_following.is_due = true;
  follow_all();
  finish_resuming();
  return x_safe;
}

bool dialogue::keep_reply(size_t start) {
  const auto size = out().size() - start;
  if (!x_counts.is_managed()
    || x_reply_bytes + size > defaults::xmpp_replies_max)
    return false;
  x_reply_bytes += size;
  x_replies.push_back({x_counts.sent_in_all(), out().substr(start)});
  return true;
}

void dialogue::forget_replies() {
  while (!x_replies.empty()
    && x_replies.front().stanza <= x_counts.acknowledged_in_all()) {
    x_reply_bytes -= x_replies.front().text.size();
    x_replies.pop_front();
  }
}

void dialogue::say_replies_again() {
  x_reply_bytes = 0;
  for (const auto& r : std::exchange(x_replies, {})) {
    const auto start = out().size();
    out() += r.text;
    sent_reply(start);
  }
}

void dialogue::finish_resuming() {
  if (x_counts.has_open())
    return;
  x_resuming = false;
  auto& to = *x_out;
  const auto around = std::exchange(x_around_resumed, nullptr);
  if (around)
    to += around->before;
  to += "<resumed";
  append_attribute(to, "xmlns", stream_management);
  append_attribute(to, "previd", x_previous);
  append_attribute(to, "h", std::to_string(x_counts.done()));
  to += "/>";
  if (around)
    to += around->after;
  to += std::exchange(x_delayed, {});
  x_previous.clear();
}

void dialogue::put_count() {
  x_told_h = x_counts.done();
  out() += "<a";
  append_attribute(out(), "xmlns", stream_management);
  append_attribute(out(), "h", std::to_string(x_told_h));
  out() += "/>";
}

bool dialogue::has_batch_end() const noexcept {
  return x_counts.is_managed() && !x_resuming
    && ((x_asked_for_h && x_counts.done() != x_told_h)
      || (x_unasked && x_counts.unacknowledged() > 0));
}

void dialogue::end_batch(std::string& to) {
  if (!x_counts.is_managed() || x_resuming)
    return;
  x_out = &to;
  if (x_asked_for_h && x_counts.done() != x_told_h)
    put_count();
  if (std::exchange(x_unasked, false) && x_counts.unacknowledged() > 0)
    to += "<r xmlns='urn:xmpp:sm:3'/>";
}

} // namespace parley::xmpp
