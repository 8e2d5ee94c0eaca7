#include <algorithm>

#include "persistence/commit_plan.hpp"
#include "persistence/stored_contacts.hpp"

// Contact lists, and what subscriptions owe.
namespace parley {

namespace {

bool blocks_anybody(const privacy& x) {
  return !x.block.empty() || std::ranges::any_of(x.domains, [](auto& rule) {
    return rule.second == approval::block;
  });
}

} // namespace

result<void> commit_plan::apply(const put_roster& x) {
  auto plan = plan_of(x.user);
  if (!plan)
    return tl::unexpected(std::move(plan.error()));
  put(family::rosters, keys::roster(x.user), records::encode_roster(x.what));
  auto& head = (*plan)->head;
  head.roster = true;
  head.blocks = blocks_anybody(x.what.privacy);
  head.contacts = x.what.contacts;
  head.watchers = x.what.watchers;
  head.requests = x.what.requests;
  head.sharing = x.what.privacy.sharing;
  return {};
}

void commit_plan::change_contact(const user_address& user,
  const user_address& contact, std::string_view entry) {
  x_late.push_back({family::rosters, keys::contacts(user),
    stored_contacts::change(contact.str(), entry), late_write::kind::merge});
}

result<void> commit_plan::apply(const put_contact& x) {
  change_contact(x.user, x.what.what.address, records::encode_contact(x.what));
  return {};
}

result<void> commit_plan::apply(const remove_contact& x) {
  change_contact(x.user, x.contact, {});
  return {};
}

result<void> commit_plan::apply(const put_note& x) {
  auto& note = x.what;
  put(family::notes, keys::note(note.from, note.is_wish(), note.to),
    records::encode_note({note.what, note.number, note.since}));
  return {};
}

result<void> commit_plan::apply(const remove_note& x) {
  auto& note = x.what;
  auto key = keys::note(note.from, note.is_wish(), note.to);
  auto value = get(family::notes, key);
  if (!value && value.error().code != errc::store_corrupt)
    return tl::unexpected(std::move(value.error()));
  if (value && !*value)
    return {};
  // One that cannot be read goes as well: nobody can be told of it any more.
  auto there = value ? records::decode_note(**value) : std::nullopt;
  if (!there) {
    remove_key(family::notes, key);
    return {};
  }
  const subscription_note kept{{}, {}, there->what, there->number};
  if (kept.number == note.number
    && (kept.what == note.what || (kept.wants() && note.wants())))
    remove_key(family::notes, key);
  return {};
}

} // namespace parley
