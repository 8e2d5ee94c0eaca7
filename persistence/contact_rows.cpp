#include "persistence/contact_rows.hpp"

#include <algorithm>

#include "persistence/records.hpp"
#include "protocol/address_hash.hpp"

namespace parley {

bool contact_rows::append(std::string_view address, std::string_view value) {
  if (address.empty() || address.size() > UINT16_MAX
    || value.size() > UINT32_MAX || !records::is_contact(value)
    || (!x_rows.empty() && address <= this->address(size() - 1).text))
    return false;
  row r;
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
