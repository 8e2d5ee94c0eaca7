#include "actors/roster/contact_table.hpp"

#include <iterator>
#include <utility>

namespace parley {

void contact_table::load(contact_rows x) {
  x_items.clear();
  x_rows = std::move(x);
  x_raw = x_rows.size();
}

roster_item& contact_table::take(size_t row) const {
  auto item = x_rows.item(row);
  auto whom = item.what.address;
  auto& x = x_items.emplace(std::move(whom), std::move(item)).first->second;
  x_rows.take(row);
  if (--x_raw == 0)
    x_rows = {};
  return x;
}

size_t contact_table::row_of(const user_address& whom) const {
  auto row = x_rows.find({whom.str(), whom.hash()});
  return row == contact_rows::npos || x_rows.is_taken(row) ? contact_rows::npos
                                                           : row;
}

const roster_item* contact_table::find(const user_address& whom) const {
  auto i = x_items.find(whom);
  if (i != x_items.end())
    return &i->second;
  auto row = row_of(whom);
  return row == contact_rows::npos ? nullptr : &take(row);
}

roster_item* contact_table::find(const user_address& whom) {
  return const_cast<roster_item*>(std::as_const(*this).find(whom));
}

std::optional<contact_brief> contact_table::brief(
  const user_address& whom) const {
  auto i = x_items.find(whom);
  if (i != x_items.end())
    return contact_brief::of(i->second);
  auto row = row_of(whom);
  if (row == contact_rows::npos)
    return std::nullopt;
  return x_rows.brief(row);
}

std::optional<contact_standing> contact_table::standing(
  const user_address& whom) const {
  auto i = x_items.find(whom);
  if (i != x_items.end())
    return contact_standing::of(i->second);
  auto row = row_of(whom);
  if (row == contact_rows::npos)
    return std::nullopt;
  return x_rows.standing(row);
}

roster_item& contact_table::make(const user_address& whom) {
  if (auto* x = find(whom))
    return *x;
  auto& x = x_items[whom];
  x.what.address = whom;
  return x;
}

void contact_table::erase(const user_address& whom) {
  if (find(whom))
    x_items.erase(whom);
}

void contact_table::share_address(const user_address& whom) {
  auto i = x_items.find(whom);
  if (i == x_items.end())
    return;
  auto hint = std::next(i);
  auto node = x_items.extract(i);
  node.key() = node.mapped().what.address = whom;
  x_items.insert(hint, std::move(node));
}

const std::map<user_address, roster_item>& contact_table::all() const {
  for (size_t i = 0; x_raw > 0; ++i)
    if (!x_rows.is_taken(i))
      take(i);
  return x_items;
}

} // namespace parley
