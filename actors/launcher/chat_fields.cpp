#include "actors/launcher/chat_fields.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace parley::chat {

std::string field_reader::complain(const char* name, const char* what) {
  if (x_wrong.code == errc::none)
    x_wrong = failure{errc::bad_request, std::string{name} + " " + what};
  return {};
}

void field_reader::end() {
  for (auto& [name, x] : x_object.items())
    if (x_wrong.code == errc::none && !std::ranges::count(x_known, name))
      x_wrong = failure{errc::bad_request, "there is no field '" + name + "'"};
}

bool field_reader::has(const char* name) {
  x_known.emplace_back(name);
  return x_object.contains(name);
}

const field_reader::json* field_reader::find(const char* name) {
  x_known.emplace_back(name);
  auto i = x_object.find(name);
  if (i == x_object.end())
    complain(name, "is missing");
  return i == x_object.end() ? nullptr : &*i;
}

std::string field_reader::text(const char* name) {
  auto i = find(name);
  if (!i)
    return {};
  if (!i->is_string())
    return complain(name, "is to be a string");
  return i->get<std::string>();
}

std::string field_reader::text_or_empty(const char* name) {
  return has(name) ? text(name) : std::string{};
}

bool field_reader::flag(const char* name) {
  if (!has(name))
    return false;
  auto& x = x_object.at(name);
  if (!x.is_boolean())
    complain(name, "is to be true or false");
  return x.is_boolean() && x.get<bool>();
}

std::vector<std::string> field_reader::texts(const char* name) {
  std::vector<std::string> out;
  auto list = find(name);
  if (!list)
    return out;
  auto is_text = [](const json& x) { return x.is_string(); };
  if (!list->is_array() || !std::all_of(list->begin(), list->end(), is_text)) {
    complain(name, "is to be a list of strings");
    return out;
  }
  for (auto& x : *list)
    out.push_back(x.get<std::string>());
  return out;
}

int8_t field_reader::small_number(const char* name) {
  if (!has(name))
    return 0;
  using limits = std::numeric_limits<int8_t>;
  auto& x = x_object.at(name);
  // A number beyond int64_t would come out as another one.
  auto huge = x.is_number_unsigned()
    && x.get<uint64_t>() > static_cast<uint64_t>(limits::max());
  auto n = x.is_number_integer() && !huge ? x.get<int64_t>() : INT64_MAX;
  if (n >= limits::min() && n <= limits::max())
    return static_cast<int8_t>(n);
  complain(name, "is to be a whole number from -128 to 127");
  return 0;
}

uint64_t field_reader::count(const char* name, uint64_t if_absent) {
  if (!has(name))
    return if_absent;
  auto& x = x_object.at(name);
  if (x.is_number_unsigned())
    return x.get<uint64_t>();
  complain(name, "is to be a whole number from 0 upwards");
  return if_absent;
}

show field_reader::show(const char* name) {
  auto x = show_from_string(text(name));
  if (x && *x != parley::show::unknown)
    return *x;
  complain(name, "is to be available, chat, away, xa, dnd or unavailable");
  return parley::show::available;
}

user_address field_reader::to_user(const std::string& text) {
  auto x = address::parse(text);
  if (x)
    return std::move(x->user);
  if (x_wrong.code == errc::none)
    x_wrong = std::move(x.error());
  return {};
}

user_address field_reader::user(const char* name) {
  auto x = text(name);
  return x_wrong.code == errc::none ? to_user(x) : user_address{};
}

std::optional<std::vector<user_address>> field_reader::users(const char* name) {
  if (!has(name))
    return std::nullopt;
  std::vector<user_address> out;
  for (auto& x : texts(name))
    out.push_back(to_user(x));
  return out;
}

wanted_contact field_reader::contact(const json& x) {
  wanted_contact out;
  if (x.is_string()) {
    out.address = x.get<std::string>();
    return out;
  }
  if (!x.is_object()) {
    complain("contacts", "is to be a list of objects");
    return out;
  }
  field_reader from(x);
  out.address = from.text("address");
  out.name = from.text_or_empty("name");
  if (from.has("groups"))
    out.groups = from.texts("groups");
  if (from.wrong().code != errc::none && x_wrong.code == errc::none)
    x_wrong = from.wrong();
  return out;
}

std::vector<wanted_contact> field_reader::contacts(const char* name) {
  std::vector<wanted_contact> out;
  auto list = find(name);
  if (!list)
    return out;
  if (!list->is_array()) {
    complain(name, "is to be a list of objects");
    return out;
  }
  for (auto& x : *list)
    out.push_back(contact(x));
  return out;
}

set_privacy field_reader::privacy() {
  set_privacy x;
  if (has("approve")) {
    x.approve = approval_from_string(text("approve"));
    if (!x.approve || *x.approve == approval::block)
      complain("approve", "is to be auto, ask or default");
  }
  if (has("sharing")) {
    x.sharing = sharing_from_string(text("sharing"));
    if (!x.sharing)
      complain("sharing", "is to be on, off or default");
  }
  x.allow = users("allow");
  x.block = users("block");
  if (!has("domains"))
    return x;
  auto wrong = "is to be an object of auto, ask, block or default by domain";
  auto& rules = x_object.at("domains");
  x.domains.emplace();
  if (!rules.is_object())
    complain("domains", wrong);
  else
    for (auto& [domain, rule] : rules.items()) {
      auto what = rule.is_string()
        ? approval_from_string(rule.get<std::string>())
        : std::nullopt;
      if (!what)
        complain("domains", wrong);
      x.domains->emplace_back(domain, what.value_or(approval::ask));
    }
  return x;
}

} // namespace parley::chat
