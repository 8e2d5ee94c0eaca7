#include "persistence/contact_rows.hpp"

#include <algorithm>

#include "persistence/records.hpp"
#include "protocol/address_hash.hpp"

namespace parley {

namespace {

/// A guess, of an address and a row that says little.
constexpr size_t likely_bytes = 56;

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

bool contact_rows::append(std::string_view address, std::string_view value) {
  if (address.empty() || address.size() > UINT16_MAX
    || value.size() > UINT32_MAX
    || (!x_rows.empty() && address <= this->address(size() - 1).text))
    return false;
  const auto brief = records::check_contact(value);
  if (!brief)
    return false;
  x_last_asked = std::max(x_last_asked, brief->asked);
  row r;
  r.standing = pack(*brief);
  r.hash = address_hash(address);
  r.at = x_text.size();
  r.value_size = static_cast<uint32_t>(value.size());
  r.address_size = static_cast<uint16_t>(address.size());
  x_text.append(address).append(value);
  x_rows.push_back(r);
  return true;
}

void contact_rows::append(const roster_item& x) {
  append(x.what.address.str(), records::encode_contact(x));
}

void contact_rows::reserve(size_t entries) {
  x_text.reserve(entries * likely_bytes);
  x_rows.reserve(entries);
}

void contact_rows::shrink_to_fit() {
  x_text.shrink_to_fit();
  x_rows.shrink_to_fit();
}

address_ref contact_rows::address(size_t i) const noexcept {
  const auto& r = x_rows[i];
  return {std::string_view{x_text}.substr(r.at, r.address_size), r.hash};
}

std::string_view contact_rows::value(size_t i) const noexcept {
  const auto& r = x_rows[i];
  return std::string_view{x_text}.substr(r.at + r.address_size, r.value_size);
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

size_t contact_rows::find(std::string_view address) const noexcept {
  auto text = std::string_view{x_text};
  auto of = [text](const row& r) { return text.substr(r.at, r.address_size); };
  auto i = std::lower_bound(x_rows.begin(), x_rows.end(), address,
    [&of](const row& r, std::string_view y) { return of(r) < y; });
  if (i == x_rows.end() || of(*i) != address)
    return npos;
  return static_cast<size_t>(i - x_rows.begin());
}

} // namespace parley
