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

} // namespace

void dialogue::take_block_list(const element& iq) {
  const auto& child = *iq.first();
  if (!x_blocked || x_blocking) {
    if (x_about_blocked.size() >= defaults::xmpp_waiting_max)
      return refuse(iq, stanza_error_of(errc::overloaded));
    x_about_blocked.push_back(iq);
    // Changes nothing, and is answered by all there is.
    if (!x_blocked && x_about_blocked.size() == 1)
      ask(set_privacy{}, {purpose::privacy, {}, {}});
    return;
  }
  if (iq["type"] == "get" && child.name == "blocklist")
    return put_blocked(iq);
  if (iq["type"] == "set" && (child.name == "block" || child.name == "unblock"))
    return block(iq, child);
  refuse(iq, bad_request);
}

void dialogue::put_blocked(const element& iq) {
  x_wants_blocked = true;
  std::string content = "<blocklist";
  append_attribute(content, "xmlns", blocking);
  content += '>';
  append_items(content, *x_blocked);
  content += "</blocklist>";
  put_result(iq, content);
}

std::optional<std::vector<user_address>> dialogue::named_users(
  const element& iq, const element& child) {
  std::vector<user_address> whom;
  for (const auto& c : child.children) {
    if (!c.is("item", blocking))
      continue;
    if (whom.size() == defaults::privacy_entries_max) {
      refuse_too_many(iq);
      return std::nullopt;
    }
    const auto one = address::parse(c["jid"]);
    if (!one) {
      refuse(iq, jid_malformed,
        "users are blocked here, as user@domain: " + one.error().text);
      return std::nullopt;
    }
    whom.push_back(one->user);
  }
  std::sort(whom.begin(), whom.end());
  whom.erase(std::unique(whom.begin(), whom.end()), whom.end());
  return whom;
}

void dialogue::refuse_too_many(const element& iq) {
  refuse(iq, stanza_error_of(errc::too_large),
    "at most " + std::to_string(defaults::privacy_entries_max)
      + " users are blocked, or named at once");
}

void dialogue::block(const element& iq, const element& child) {
  const auto named = named_users(iq, child);
  if (!named)
    return;
  const bool adds = child.name == "block";
  if (adds && named->empty())
    return refuse(iq, bad_request, "nobody is named");
  const auto& before = *x_blocked;
  std::vector<user_address> list;
  // Who names nobody unblocks all.
  if (adds)
    std::set_union(before.begin(), before.end(), named->begin(), named->end(),
      std::back_inserter(list));
  else if (!named->empty())
    std::set_difference(before.begin(), before.end(), named->begin(),
      named->end(), std::back_inserter(list));
  if (list.size() > std::max(defaults::privacy_entries_max, before.size()))
    return refuse_too_many(iq);
  set_privacy wish;
  wish.block = std::move(list);
  // The next one begins with what comes of this.
  x_blocking = true;
  ask(std::move(wish), {purpose::blocking, std::string{iq["id"]}, {}});
}

void dialogue::privacy_known(const parley::privacy& x) {
  x_blocked = x.block;
}

void dialogue::go_on_blocking() {
  x_blocking = false;
  for (const auto& iq : std::exchange(x_about_blocked, {}))
    take_block_list(iq);
}

void dialogue::privacy_unknown() {
  for (const auto& iq : std::exchange(x_about_blocked, {}))
    refuse(iq, {"wait", "internal-server-error"});
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
