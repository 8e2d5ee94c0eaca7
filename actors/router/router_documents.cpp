#include <utility>

#include "actors/roster/privacy_rules.hpp"
#include "actors/router/router.hpp"
#include "protocol/defaults_documents.hpp"

// What users keep at the server: read by readers, changed by the writer, held
// nowhere. Who is not the owner asks by the owner's router.
namespace parley {

void router_state::take_documents(
  session_id from, request_number number, document_request& x) {
  auto* e = find(from);
  if (!e)
    return;
  const auto asker = e->self.user;
  const auto owner = x.owner.empty() ? asker : x.owner;
  if (auto* change = std::get_if<document_change>(&x.what)) {
    if (owner == asker)
      change_document(from, number, owner, std::move(*change));
    else
      tell(from, event{answer{number, failure{errc::not_authorised}}});
    return;
  }
  documents_wanted w{
    owner, asker, from, number, std::move(std::get<document_reading>(x.what))};
  // Behind what the same user has changed before.
  auto changing = x_changing.find(owner);
  if (owner == asker && changing != x_changing.end())
    changing->second.readings.emplace_back(
      changing->second.begun, std::move(w));
  else
    self->send(others->at(slot_of(owner)), std::move(w));
}

void router_state::read_documents(documents_wanted& x) {
  ++x_documents.readings;
  const auto& reader = reader_for(x.owner);
  self->send(reader, std::move(x), router_actor{self});
}

void router_state::pass_documents(documents_ready& x) {
  if (others->index_of(slot_of(x.asker)) == config.index)
    tell(x.session, event{std::move(x.what)});
  else
    self->send(others->at(slot_of(x.asker)), std::move(x));
}

void router_state::change_document(session_id from, request_number number,
  const user_address& owner, document_change what) {
  ++x_changing[owner].begun;
  auto notice = notice_of(owner, what);
  const auto at = config.world->wall_clock();
  if (notice)
    notice->about.written_at = at;
  const document_totals max{
    config.rules->documents_max, config.rules->documents_bytes_max};
  const auto collection = collection_of(what);
  operations ops;
  ops.emplace_back(change_documents{owner, std::move(what), max, at});
  self->request(config.writer, caf::infinite, std::move(ops))
    .then(
      [this, from, number, owner, collection, notice = std::move(notice)](
        const write_result& x) {
        if (x.why.code == errc::none)
          x_changed_documents.add(owner, collection);
        document_changed(from, number, owner, notice, x);
      },
      [this, from, number, owner](const caf::error&) {
        document_changed(from, number, owner, {},
          write_result{failure{errc::store_failed}, {}});
      });
}

void router_state::document_changed(session_id from, request_number number,
  const user_address& owner, const std::optional<document_notice>& notice,
  const write_result& x) {
  if (x.why.code == errc::none) {
    ++x_documents.changes;
    tell(from, event{answer{number, done{}}});
    if (notice)
      tell_of_document(*notice, x.documents.who);
  } else {
    ++x_documents.refused;
    x_documents.full += x.why.code == errc::quota_exceeded;
    tell(from, event{answer{number, x.why}});
  }
  auto i = x_changing.find(owner);
  if (i == x_changing.end())
    return flush();
  auto& c = i->second;
  ++c.done;
  while (!c.readings.empty() && c.readings.front().first <= c.done) {
    read_documents(c.readings.front().second);
    c.readings.pop_front();
  }
  if (c.done == c.begun)
    x_changing.erase(i);
  flush();
}

void router_state::tell_of_document(const document_notice& x, readers who) {
  shared<document_notice> notice{x};
  tell_endpoints(x.owner, notice);
  if (who == readers::owner)
    return;
  auto* known = rules->roster_of(x.owner);
  if (find_roster(x.owner) || (known && known->there))
    load_roster(x.owner, tell_watchers{notice}, [](const result<bool>&) {});
}

void router_state::tell_endpoints(
  const user_address& whom, const shared<document_notice>& what) {
  for (const auto& e : rules->endpoints(whom))
    if (e.connected && e.what.show != show::unavailable) {
      ++x_documents.notices;
      tell(e.session, event{document_event{what}});
    }
}

void router_state::judge_greetings(document_notices& x) {
  documents_followed again;
  std::erase_if(x.what, [&](const auto& notice) {
    if (!x_changed_documents.may_have_changed(
          notice->owner, notice->collection, x.since))
      return false;
    again.of.assign(1, notice->owner);
    again.collections.push_back(notice->collection);
    return true;
  });
  x.since = 0;
  if (again.of.empty() || x.to.empty())
    return;
  again.asker = x.to.front();
  again.session = x.session;
  find_followed(again);
}

void router_state::tell_documents(document_notices& x) {
  if (x.since != 0)
    judge_greetings(x);
  if (x.what.empty())
    return;
  // From a reader, of this router's users, for one that may be elsewhere.
  if (x.session != session_id{} && !x.to.empty()
    && others->index_of(slot_of(x.to.front())) != config.index) {
    self->send(others->at(slot_of(x.to.front())), std::move(x));
    return;
  }
  for (const auto& whom : x.to) {
    auto* known = rules->roster_of(whom);
    for (const auto& notice : x.what) {
      if (known && known->blocks && notice->owner != whom
        && is_blocked(*known->blocks, notice->owner))
        continue;
      if (x.session == session_id{}) {
        tell_endpoints(whom, notice);
        continue;
      }
      auto* e = find(x.session);
      if (!e || e->self.user != whom)
        continue;
      ++x_documents.notices;
      tell(x.session, event{document_event{notice}});
    }
  }
}

void router_state::follow(session_id from, follow_documents& x) {
  auto* e = find(from);
  if (!e)
    return;
  x.of.resize(std::min(x.of.size(), defaults::followed_users_max));
  x.collections.resize(
    std::min(x.collections.size(), defaults::followed_collections_max));
  std::map<size_t, documents_followed> parts;
  for (auto& whom : x.of)
    parts[others->index_of(slot_of(whom))].of.push_back(std::move(whom));
  for (auto& [index, part] : parts) {
    part.asker = e->self.user;
    part.session = from;
    part.collections = x.collections;
    self->send(others->routers[index], std::move(part));
  }
}

void router_state::find_followed(documents_followed& x) {
  if (x.of.empty())
    return;
  x.since = x_changed_documents.last();
  const auto& reader = reader_for(x.of.front());
  self->send(reader, std::move(x), router_actor{self});
}

} // namespace parley
