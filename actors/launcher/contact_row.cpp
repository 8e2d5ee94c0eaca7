#include "actors/launcher/contact_row.hpp"

#include <algorithm>

#include "protocol/codec_fields.hpp"
#include "protocol/defaults.hpp"

namespace parley {

using nlohmann::json;

namespace {

constexpr size_t cells_min = 2;
constexpr size_t cells_max = 5;

result<std::vector<std::string>> split_groups(const std::string& text) {
  std::vector<std::string> groups;
  if (text.empty())
    return groups;
  groups.emplace_back();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ';') {
      groups.emplace_back();
      continue;
    }
    if (text[i] == '\\' && ++i == text.size())
      return fail(errc::bad_request, "there is nothing behind the last '\\'");
    groups.back() += text[i];
  }
  return native::distinct_groups(groups);
}

std::string join_groups(const std::vector<std::string>& groups) {
  std::string text;
  for (const auto& g : groups) {
    if (&g != &groups.front())
      text += ';';
    for (char c : g) {
      if (c == ';' || c == '\\')
        text += '\\';
      text += c;
    }
  }
  return text;
}

} // namespace

result<contact_row> parse_contact_row(const json& cells) {
  bool is_row = cells.is_array() && cells.size() >= cells_min
    && cells.size() <= cells_max
    && std::all_of(
      cells.begin(), cells.end(), [](const json& c) { return c.is_string(); });
  if (!is_row)
    return fail(errc::bad_request,
      "expected user@domain,contact[,name[,groups[,to|none]]]");
  auto cell = [&cells](size_t i) {
    return i < cells.size() ? cells[i].get<std::string>() : std::string{};
  };
  auto user = user_address::parse(cell(0));
  if (!user)
    return tl::unexpected{std::move(user.error())};
  contact_row x;
  x.user = std::move(*user);
  x.contact.address = cell(1);
  x.contact.name = cell(2);
  auto groups = split_groups(cell(3));
  if (!groups)
    return tl::unexpected{std::move(groups.error())};
  x.contact.groups = std::move(*groups);
  if (auto why = contact_fault(x.contact.name, x.contact.groups))
    return tl::unexpected{std::move(*why)};
  auto last = cell(4);
  if (last != "none" && last != "to" && !last.empty())
    return fail(errc::bad_request, "'" + last + "' is neither 'to' nor 'none'");
  x.subscribes = last != "none";
  return x;
}

json cells_of(const user_address& user, const contact& x) {
  return json::array({user.str(), x.address.str(), x.name,
    join_groups(x.groups), x.subscription.to == half::none ? "none" : "to"});
}

} // namespace parley
