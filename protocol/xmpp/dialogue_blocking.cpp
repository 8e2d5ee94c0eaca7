#include <algorithm>
#include <iterator>
#include <utility>

#include "protocol/defaults.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/dialogue.hpp"

/// The blocking command (XEP-0191): the block list of the user's privacy.
namespace parley::xmpp {

namespace {

constexpr std::string_view blocking = "urn:xmpp:blocking";

void append_items(std::string& out, const std::vector<user_address>& of) {
  for (const auto& whom : of) {
    out += "<item";
    append_attribute(out, "jid", whom.str());
    out += "/>";
  }
}

std::string too_many() {
  return "at most " + std::to_string(defaults::privacy_entries_max)
    + " users are blocked, or named at once";
}

} // namespace

void dialogue::take_block_list(const element& iq) {
  auto x = block_question_of(iq);
  if (!x)
    return;
  if (x_blocked && !x_blocking && x_about_blocked.empty())
    return answer_block_list(*x);
  const auto bytes = x->memory();
  if (x_about_blocked.size() >= defaults::xmpp_waiting_max
    || (!x_about_blocked.empty()
      && x_about_blocked_bytes + bytes > defaults::xmpp_block_waiting_bytes))
    return refuse(iq, stanza_error_of(errc::overloaded));
  x_about_blocked_bytes += bytes;
  x_about_blocked.push_back(std::move(*x));
  // Changes nothing, and is answered by all there is.
  if (!x_blocked && x_about_blocked.size() == 1)
    ask(set_privacy{}, {purpose::privacy, {}, {}});
}

std::optional<dialogue::block_question> dialogue::block_question_of(
  const element& iq) {
  const auto& child = *iq.first();
  const bool sets = iq["type"] == "set";
  block_question x;
  if (iq["type"] == "get" && child.name == "blocklist") {
    x.what = block_question::kind::list;
  } else if (sets && child.name == "block") {
    x.what = block_question::kind::block;
  } else if (sets && child.name == "unblock") {
    x.what = block_question::kind::unblock;
  } else {
    refuse(iq, bad_request);
    return std::nullopt;
  }
  if (sets && !name_users(iq, x.whom))
    return std::nullopt;
  if (x.what == block_question::kind::block && x.whom.empty()) {
    refuse(iq, bad_request, "nobody is named");
    return std::nullopt;
  }
  x.tag.name = iq.name;
  for (const auto name : {"type", "id", "from", "to"})
    if (iq.has(name))
      x.tag.attributes.push_back({{}, name, std::string{iq[name]}});
  return x;
}

void dialogue::answer_block_list(const block_question& x) {
  if (x.what == block_question::kind::list)
    put_blocked(x.tag);
  else
    block(x);
}

size_t dialogue::block_question::memory() const noexcept {
  // About, of an address that nobody else has.
  constexpr size_t of_address = 96;
  size_t n = sizeof(*this);
  for (const auto& a : tag.attributes)
    n += sizeof(a) + a.value.size();
  for (const auto& one : whom)
    n += of_address + one.str().size();
  return n;
}

void dialogue::put_blocked(const element& iq) {
  // Who asks once is answered behind whatever else there is; who goes on asking
  // is told when there is room.
  if (out().size() <= defaults::output_pause)
    x_told_blocked = false;
  if (std::exchange(x_told_blocked, true))
    return refuse(iq, stanza_error_of(errc::overloaded));
  x_wants_blocked = true;
  std::string content = "<blocklist";
  append_attribute(content, "xmlns", blocking);
  content += '>';
  append_items(content, *x_blocked);
  content += "</blocklist>";
  put_result(iq, content);
}

bool dialogue::name_users(const element& iq, std::vector<user_address>& whom) {
  for (const auto& c : iq.first()->children) {
    if (!c.is("item", blocking))
      continue;
    if (whom.size() == defaults::privacy_entries_max) {
      refuse_too_many(iq);
      return false;
    }
    const auto one = address::parse(c["jid"]);
    if (!one) {
      refuse(iq, jid_malformed,
        "users are blocked here, as user@domain: " + one.error().text);
      return false;
    }
    whom.push_back(one->user);
  }
  std::sort(whom.begin(), whom.end());
  whom.erase(std::unique(whom.begin(), whom.end()), whom.end());
  return true;
}

void dialogue::put_too_many(std::string_view id) {
  element iq;
  iq.name = "iq";
  iq.attributes = {{{}, "id", std::string{id}}};
  append_error_answer(out(), iq, stanza_error_of(errc::too_large), too_many());
}

/// By the session: who refuses counts as well.
void dialogue::refuse_too_many(const element& iq) {
  failure why{errc::too_large, too_many()};
  why.limit = defaults::privacy_entries_max;
  ask(invalid_request{std::move(why)},
    {purpose::iq, std::string{iq["id"]}, std::string{iq["to"]}});
}

void dialogue::block(const block_question& x) {
  set_privacy wish;
  // Only what changes: another endpoint may be changing the list, too.
  if (x.what == block_question::kind::block)
    wish.block_more = x.whom;
  else if (!x.whom.empty())
    wish.block_less = x.whom;
  else // who names nobody unblocks all
    wish.block.emplace();
  // The next one begins with what comes of this.
  x_blocking = true;
  ask(std::move(wish), {purpose::blocking, std::string{x.tag["id"]}, {}});
}

void dialogue::privacy_known(const parley::privacy& x) {
  x_blocked = x.block;
  heed_privacy(x);
}

void dialogue::go_on_blocking() {
  while (!x_about_blocked.empty() && !x_blocking) {
    const auto next = std::move(x_about_blocked.front());
    x_about_blocked.pop_front();
    x_about_blocked_bytes -= next.memory();
    answer_block_list(next);
  }
}

void dialogue::privacy_unknown() {
  x_privacy_asked = false;
  for (const auto& x : std::exchange(x_about_blocked, {}))
    refuse(x.tag, {"wait", "internal-server-error"});
  x_about_blocked_bytes = 0;
}

void dialogue::push_blocked(
  std::string_view what, const std::vector<user_address>& whom) {
  if (whom.empty() || !x_wants_blocked)
    return;
  out() += "<iq type='set'";
  append_attribute(out(), "id", next_id());
  append_attribute(out(), "to", x_self.str());
  out() += "><";
  out() += what;
  append_attribute(out(), "xmlns", blocking);
  out() += '>';
  append_items(out(), whom);
  out() += "</";
  out() += what;
  out() += "></iq>";
  sent();
}

void dialogue::privacy_changed(const parley::privacy& x) {
  auto before = std::exchange(x_blocked, x.block);
  heed_privacy(x);
  if (!before)
    return;
  const auto difference = [](const auto& a, const auto& b) {
    std::vector<user_address> out;
    std::set_difference(
      a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
    return out;
  };
  push_blocked("block", difference(x.block, *before));
  push_blocked("unblock", difference(*before, x.block));
}

} // namespace parley::xmpp
