#include "persistence/contact_rows.hpp"

#include <algorithm>
#include <bit>

#include "persistence/records.hpp"
#include "persistence/stored_contacts.hpp"
#include "protocol/address_hash.hpp"

namespace parley {

namespace {

uint8_t pack(const contact_standing& x) noexcept {
  return static_cast<uint8_t>(static_cast<unsigned>(x.subscription.to)
    | static_cast<unsigned>(x.subscription.from) << 2
    | static_cast<unsigned>(x.listed) << 4
    | static_cast<unsigned>(x.preapproved) << 5
    | static_cast<unsigned>(x.pretended) << 6);
}

contact_standing unpack(uint8_t x) noexcept {
  return {{static_cast<half>(x & 3), static_cast<half>(x >> 2 & 3)},
    (x & 1 << 4) != 0, (x & 1 << 5) != 0, (x & 1 << 6) != 0};
}

} // namespace

bool contact_rows::add(std::string_view address, std::string_view value) {
  if (address.empty() || address.size() > UINT16_MAX
    || (!x_rows.empty() && address <= this->address(size() - 1).text))
    return false;
  const auto brief = records::check_contact(value);
  if (!brief)
    return false;
  x_last_asked = std::max(x_last_asked, brief->asked);
  row r;
  r.standing = pack(*brief);
  r.hash = address_hash(address);
  r.address_at = static_cast<uint32_t>(address.data() - x_text.data());
  r.value_at = static_cast<uint32_t>(value.data() - x_text.data());
  r.value_size = static_cast<uint32_t>(value.size());
  r.address_size = static_cast<uint16_t>(address.size());
  x_rows.push_back(r);
  return true;
}

void contact_rows::assign(std::string list, size_t expected,
  const std::function<void(std::string_view address)>& unreadable) {
  x_text = std::move(list);
  x_rows.clear();
  x_places.clear();
  x_last_asked = 0;
  if (x_text.size() > UINT32_MAX) {
    x_text.clear();
    return unreadable({});
  }
  x_rows.reserve(std::min(expected, x_text.size()));
  stored_contacts::reader in{x_text};
  while (const auto x = in.next())
    if (!add(x->address, x->entry))
      unreadable(x->address);
  if (!in.complete())
    unreadable({});
  x_rows.shrink_to_fit();
}

void contact_rows::append(const roster_item& x) {
  const auto& address = x.what.address.str();
  const auto value = records::encode_contact(x);
  const auto at = x_text.size();
  x_text.append(address).append(value);
  x_places.clear();
  const auto text = std::string_view{x_text}.substr(at);
  add(text.substr(0, address.size()), text.substr(address.size()));
}

address_ref contact_rows::address(size_t i) const noexcept {
  const auto& r = x_rows[i];
  return {
    std::string_view{x_text}.substr(r.address_at, r.address_size), r.hash};
}

std::string_view contact_rows::value(size_t i) const noexcept {
  const auto& r = x_rows[i];
  return std::string_view{x_text}.substr(r.value_at, r.value_size);
}

contact_standing contact_rows::standing(size_t i) const noexcept {
  return unpack(x_rows[i].standing);
}

contact_brief contact_rows::brief(size_t i) const {
  return records::decode_contact_brief(value(i)).value_or(contact_brief{});
}

roster_item contact_rows::item(size_t i) const {
  auto x = records::decode_contact(value(i)).value_or(roster_item{});
  x.what.address = user_address::from_prepared(std::string{address(i).text});
  return x;
}

void contact_rows::make_places() const {
  x_places.assign(std::bit_ceil(2 * x_rows.size()), 0); // half of it is empty
  const auto mask = x_places.size() - 1;
  for (size_t i = 0; i < x_rows.size(); ++i) {
    auto at = x_rows[i].hash & mask;
    while (x_places[at] != 0)
      at = (at + 1) & mask;
    x_places[at] = static_cast<uint32_t>(i + 1);
  }
}

size_t contact_rows::find(const address_ref& whom) const {
  if (x_rows.empty())
    return npos;
  if (x_places.empty())
    make_places();
  const auto mask = x_places.size() - 1;
  for (auto at = whom.hash & mask; x_places[at] != 0; at = (at + 1) & mask)
    if (const size_t i = x_places[at] - 1;
        x_rows[i].hash == whom.hash && address(i).text == whom.text)
      return i;
  return npos;
}

} // namespace parley
