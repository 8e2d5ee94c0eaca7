#include "tests/actors/roster/disk.hpp"

#include <stdexcept>

namespace parley::test {

user_address person(std::string_view text) {
  auto x = user_address::parse(text);
  if (!x)
    throw std::runtime_error{"no address: " + std::string{text}};
  return *x;
}

namespace {

struct writer {
  roster_disk& to;
  const user_address& owner;

  void mine(const user_address& who) const {
    if (who != owner)
      throw std::runtime_error{"wrote the roster of " + who.str()};
  }
  void operator()(const put_roster& x) const {
    mine(x.user);
    to.head = x.what;
  }
  void operator()(const put_contact& x) const {
    mine(x.user);
    to.items.insert_or_assign(x.what.what.address, x.what);
  }
  void operator()(const remove_contact& x) const {
    mine(x.user);
    to.items.erase(x.contact);
  }
  void operator()(const put_note& x) const {
    mine(x.what.from);
    to.notes.insert_or_assign({x.what.to, x.what.is_wish()}, x.what);
  }
  void operator()(const remove_note& x) const {
    mine(x.what.from);
    auto i = to.notes.find({x.what.to, x.what.is_wish()});
    if (i == to.notes.end() || i->second.number != x.what.number)
      return;
    if (i->second == x.what || (i->second.wants() && x.what.wants()))
      to.notes.erase(i);
  }
  template <class T>
  void operator()(const T&) const {
    throw std::runtime_error{"not a roster's to write"};
  }
};

} // namespace

void roster_disk::apply(
  const user_address& owner, const store_operation& what) {
  std::visit(writer{*this, owner}, what);
}

packed_roster roster_disk::read() const {
  packed_roster x;
  x.head = head;
  for (const auto& [_, item] : items)
    x.items.append(item);
  return x;
}

bool roster_disk::holds(const contact_table& x) const {
  size_t n = 0;
  bool same = true;
  x.each(everything, [&](const roster_item& item) {
    ++n;
    auto i = items.find(item.what.address);
    same = same && i != items.end() && i->second == item;
  });
  return same && n == items.size() && x.empty() == items.empty();
}

void recorder::write(store_operation what) {
  x_now.writes.push_back(std::move(what));
}
void recorder::reply(
  session_id to, request_number number, roster_rules::answer_content what) {
  x_now.replies.push_back({to, number, std::move(what)});
}
void recorder::push(contact_list what) {
  x_now.pushes.push_back(std::move(what));
}
void recorder::tell_privacy(session_id by, privacy what) {
  x_now.privacies.emplace_back(by, std::move(what));
}
void recorder::check(
  uint64_t ticket, std::vector<user_address> whom, bool watched) {
  x_now.checks.push_back({ticket, std::move(whom), watched});
}
void recorder::send(subscription_note what) {
  x_now.notes.push_back(std::move(what));
}
void recorder::confirm(subscription_note what) {
  x_now.confirmed.push_back(std::move(what));
}
void recorder::watch(const user_address& whom, bool on) {
  x_now.watches.emplace_back(whom, on);
}
void recorder::view_changed(const user_address& whom) {
  x_now.views.push_back(whom);
}

std::vector<uint64_t> counted(const roster_rules& x) {
  std::vector<uint64_t> n(3);
  x.items().each(everything, [&n](const roster_item& item) {
    n[0] += item.what.listed;
    n[1] += item.what.subscription.from == half::active || item.pretended;
    n[2] += item.what.subscription.from == half::pending;
  });
  return n;
}

std::vector<uint64_t> counts(const roster_head& x) {
  return {x.contacts, x.watchers, x.requests};
}

std::string text_of(const subscription_note& x) {
  constexpr const char* names[] = {
    "subscribe", "unsubscribe", "subscribed", "unsubscribed"};
  return x.from.str() + " to " + x.to.str() + ": "
    + names[static_cast<size_t>(x.what)] + " " + std::to_string(x.number);
}

} // namespace parley::test
