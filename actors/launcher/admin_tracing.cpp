#include <algorithm>
#include <map>

#include "actors/launcher/admin_requests.hpp"
#include "protocol/defaults.hpp"

// What became of an IM: the shards of its sender and of its recipients each
// know a part.
namespace parley {

using nlohmann::json;

namespace {

/// One IM of those that had the id.
struct told_im {
  traced_im what;
  std::vector<traced_event> events;
};

bool goes_before(const traced_event& a, const traced_event& b) {
  return std::tie(a.at_us, a.what) < std::tie(b.at_us, b.what);
}

json as_json(const traced_event& e) {
  json j{{"at_us", e.at_us}, {"event", to_string(e.what)}};
  if (!e.endpoint.empty())
    j["endpoint"] = e.endpoint.str();
  if (e.why != errc::none)
    j["reason"] = to_string(e.why);
  return j;
}

/// The endpoint that an IM chose belongs to the sender's shard, which knows it
/// as the one that sent it.
void name_chosen(std::vector<traced_event>& events) {
  address sent_by;
  for (auto& e : events)
    if (e.what == trace_kind::submitted)
      sent_by = e.endpoint;
    else if (e.what == trace_kind::chosen && e.endpoint.empty())
      e.endpoint = sent_by;
}

/// It was let in for somebody, who had an account then.
bool was_accepted(const told_im& x) {
  return std::any_of(x.events.begin(), x.events.end(),
    [](const traced_event& e) { return e.what == trace_kind::accepted; });
}

} // namespace

json admin_requests::trace(const json& what) {
  trace_wanted wanted;
  wanted.id = message_id{text_of(what, "id")};
  if (what.contains("from")) {
    auto text = text_of(what, "from");
    auto sender = user_address::parse(text);
    if (!sender)
      refuse(errc::bad_address, "'" + text + "' is not user@domain");
    wanted.sender = std::move(*sender);
  }
  std::map<uint64_t, told_im> all;
  trace_of asked;
  auto add = [&all](std::vector<traced_event>& events) {
    for (auto& e : events)
      if (auto i = all.find(e.hash); i != all.end())
        i->second.events.push_back(std::move(e));
  };
  for (const auto& r : x_reach.routers) {
    auto found = ask<trace_found>(r, wanted);
    for (auto& x : found.ims) {
      all.emplace(x.hash, told_im{x, {}});
      asked.ims.push_back(std::move(x));
    }
    add(found.events);
  }
  if (!asked.ims.empty())
    for (const auto& r : x_reach.routers) {
      auto found = ask<trace_found>(r, asked);
      add(found.events);
    }
  std::vector<told_im*> in_order;
  for (auto& [hash, x] : all) {
    std::stable_sort(x.events.begin(), x.events.end(), goes_before);
    name_chosen(x.events);
    in_order.push_back(&x);
  }
  auto began = [](const told_im& x) {
    return x.events.empty() ? uint64_t{0} : x.events.front().at_us;
  };
  std::stable_sort(in_order.begin(), in_order.end(),
    [&began](auto* a, auto* b) { return began(*a) < began(*b); });
  std::vector<user_address> recipients;
  for (const auto* x : in_order)
    if (was_accepted(*x))
      recipients.push_back(x->what.recipient);
  // What waits for an account goes with it, and no worker says so. Where the
  // disk does not answer the rest is told all the same.
  auto there = ask_until<accounts_found>(
    std::chrono::steady_clock::now() + defaults::metrics_patience,
    x_reach.reader, list_atom::value, std::move(recipients));
  const bool is_known = there && there->why.code == errc::none;
  auto is_removed = [&](const told_im& x) {
    const auto& found = there->what;
    return is_known && was_accepted(x)
      && std::find(found.begin(), found.end(), x.what.recipient) == found.end();
  };
  auto ims = json::array();
  for (const auto* x : in_order) {
    auto events = json::array();
    for (const auto& e : x->events)
      events.push_back(as_json(e));
    ims.push_back({{"id", wanted.id.value}, {"from", x->what.sender.str()},
      {"to", x->what.recipient.str()}, {"events", std::move(events)}});
    if (is_removed(*x))
      ims.back()["account_removed"] = true;
  }
  return {{"id", wanted.id.value}, {"ims", std::move(ims)},
    {"tracing", x_reach.traces}};
}

} // namespace parley
