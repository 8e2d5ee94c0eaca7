#include <algorithm>
#include <deque>
#include <unordered_map>

#include "actors/launcher/admin_requests.hpp"
#include "actors/launcher/contact_row.hpp"
#include "protocol/defaults.hpp"

// What operators ask about contact lists: rows in, rows out.
namespace parley {

using nlohmann::json;

namespace {

/// Rows of one user in the order of the request, as many as a roster takes at
/// once.
struct contacts_chunk {
  user_address user;
  contacts_import what;
  /// Of each contact its place in the request.
  std::vector<size_t> places;
};

/// In the order of each user's rows; users take their turns.
class contacts_by_user {
public:
  void add(size_t place, contact_row row) {
    auto& at = x_last[row.user];
    bool fits = at > 0 && x_chunks[at - 1].what.subscribes == row.subscribes
      && x_chunks[at - 1].places.size() < defaults::contacts_at_once;
    if (!fits) {
      x_chunks.push_back({row.user, {{}, row.subscribes}, {}});
      at = x_chunks.size();
    }
    auto& chunk = x_chunks[at - 1];
    chunk.what.contacts.push_back(std::move(row.contact));
    chunk.places.push_back(place);
  }

  std::vector<contacts_chunk>& chunks() noexcept { return x_chunks; }

private:
  std::vector<contacts_chunk> x_chunks;
  /// One more than the place of a user's last.
  std::unordered_map<user_address, size_t> x_last;
};

json refused_row(size_t place, const json& row, const failure& why,
  const user_address& whose = {}) {
  auto cell = [&row](size_t i) {
    bool there = row.is_array() && row.size() > i && row[i].is_string();
    return there ? row[i] : json("");
  };
  json x{{"index", place}, {"user", cell(0)}, {"contact", cell(1)},
    {"reason", to_string(why.code)}, {"text", why.text}};
  if (why.limit)
    x["limit"] = *why.limit;
  if (!whose.empty())
    x["whose"] = whose.str();
  return x;
}

/// A roster names what it refused by the text of its row; of equal texts, one
/// each time.
void match_refusals(const contacts_chunk& chunk, contacts_imported& answer,
  const json& rows, json& refused) {
  std::unordered_multimap<std::string, refused_contact*> by_text;
  for (auto& r : answer.refused)
    by_text.emplace(r.address, &r);
  for (size_t i = 0; i < chunk.places.size(); ++i) {
    auto place = chunk.places[i];
    if (answer.why.code != errc::none) {
      refused.push_back(refused_row(place, rows[place], answer.why));
      continue;
    }
    const auto& text = rows[place][1].get_ref<const std::string&>();
    auto r = by_text.find(text);
    if (r == by_text.end())
      continue;
    refused.push_back(
      refused_row(place, rows[place], r->second->why, r->second->whose));
    by_text.erase(r);
  }
}

/// It is not the row's fault, and the next would fare no better.
bool breaks_off(errc why) {
  return why == errc::store_failed || why == errc::store_unavailable
    || why == errc::overloaded || why == errc::server_stopping;
}

void add_rows(json& rows, const user_address& user, const stored_roster& x) {
  for (const auto& item : x.items)
    if (item.what.listed)
      rows.push_back(cells_of(user, item.what));
}

} // namespace

json admin_requests::import_contacts(const json& what) {
  const auto part = part_of(what);
  auto given = what.find("rows");
  if (given == what.end() || !given->is_array())
    refuse(errc::bad_request, "'rows' is missing");
  const auto& rows = *given;
  auto refused = json::array();
  contacts_by_user wanted;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (auto row = parse_contact_row(rows[i]))
      wanted.add(i, std::move(*row));
    else
      refused.push_back(refused_row(i, rows[i], row.error()));
  }
  struct under_way {
    const contacts_chunk* chunk;
    std::unique_ptr<actor_asker::question<contacts_imported>> asked;
  };
  std::deque<under_way> open;
  auto& so_far = x_imports->contacts;
  failure broken;
  auto finish_first = [&] {
    auto first = std::move(open.front());
    open.pop_front();
    auto got = x_ask.finish(*first.asked);
    if (!got) {
      so_far.unknown += first.chunk->places.size();
      broken = got.error(); // others are under way
      return;
    }
    auto& answer = *got;
    if (answer.why.code == errc::no_such_user)
      answer.why.text = "nobody is " + first.chunk->user.str();
    if (breaks_off(answer.why.code))
      broken = answer.why;
    for (const auto& r : answer.refused)
      if (breaks_off(r.why.code))
        broken = r.why;
    auto before = refused.size();
    match_refusals(*first.chunk, answer, rows, refused);
    so_far.made += first.chunk->places.size() - (refused.size() - before);
  };
  if (!wanted.chunks().empty())
    begin_import(so_far);
  for (auto& chunk : wanted.chunks()) {
    // What comes first in a list counts first against its limit.
    auto is_busy = [&] {
      return std::any_of(open.begin(), open.end(),
        [&](const auto& x) { return x.chunk->user == chunk.user; });
    };
    while (open.size() == defaults::admin_questions || is_busy())
      finish_first();
    if (broken.code != errc::none)
      break;
    auto asked = x_ask.begin<contacts_imported>(
      router_of(chunk.user), chunk.user, std::move(chunk.what));
    open.push_back({&chunk, std::move(asked)});
  }
  while (!open.empty())
    finish_first();
  // The disk's own words, which users are not told.
  if (broken.code == errc::store_failed)
    if (auto ready = x_metrics.ready(); !ready)
      broken = ready.error();
  so_far.refused += refused.size();
  check(broken);
  end_part(part, so_far);
  return {{"imported", rows.size() - refused.size()},
    {"refused", std::move(refused)}};
}

json admin_requests::export_contacts(const json& what) {
  bool of_one = what.contains("user");
  auto after = what.value("after", std::string{});
  // Nothing is told before the line is written.
  auto audit = [this, &after](std::string line) {
    if (!after.empty())
      return;
    operations ops;
    ops.emplace_back(audited(std::move(line)));
    write(std::move(ops));
  };
  auto rows = json::array();
  if (of_one) {
    auto user = user_of(what);
    auto x = report_of(user, user);
    check(x.why);
    audit("contacts export " + user.str());
    add_rows(rows, user, x.what);
    return {{"rows", std::move(rows)}, {"next", ""}};
  }
  rosters_wanted wanted;
  if (!after.empty())
    wanted.after = value_of(user_address::parse(after));
  auto x = ask<rosters_found>(x_reach.sweeper, wanted);
  check(x.why);
  audit("contacts export");
  for (const auto& [user, roster] : x.what)
    add_rows(rows, user, roster);
  return {{"rows", std::move(rows)}, {"next", x.next.str()}};
}

roster_report admin_requests::report_of(
  const user_address& user, const user_address& viewer) {
  auto x =
    ask<roster_report>(router_of(user), report_atom::value, user, viewer);
  if (x.why.code == errc::no_such_user)
    x.why.text = user.str() + " has no account";
  return x;
}

} // namespace parley
