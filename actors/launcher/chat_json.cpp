#include "actors/launcher/chat_json.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>

#include <nlohmann/json.hpp>

namespace parley::chat {

namespace {

using json = nlohmann::ordered_json;

/// Reads the fields of a request; remembers the first that is not as it is to
/// be.
class field_reader {
public:
  explicit field_reader(const json& x) : x_object(x) {}

  const std::string& wrong() const noexcept { return x_wrong; }

  std::string text(const char* name) {
    auto i = find(name);
    if (!i)
      return {};
    if (!i->is_string())
      return complain(name, "is to be a string");
    return i->get<std::string>();
  }

  std::string text_or_empty(const char* name) {
    return x_object.contains(name) ? text(name) : std::string{};
  }

  bool flag(const char* name) {
    if (!x_object.contains(name))
      return false;
    auto& x = x_object.at(name);
    if (!x.is_boolean())
      complain(name, "is to be true or false");
    return x.is_boolean() && x.get<bool>();
  }

  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> out;
    auto list = find(name);
    if (!list)
      return out;
    auto is_text = [](const json& x) { return x.is_string(); };
    if (!list->is_array()
      || !std::all_of(list->begin(), list->end(), is_text)) {
      complain(name, "is to be a list of strings");
      return out;
    }
    for (auto& x : *list)
      out.push_back(x.get<std::string>());
    return out;
  }

  int8_t small_number(const char* name) {
    if (!x_object.contains(name))
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

  parley::show show(const char* name) {
    auto x = show_from_string(text(name));
    if (!x)
      complain(name, "is to be available, chat, away, xa, dnd or unavailable");
    return x.value_or(parley::show::available);
  }

  std::string complain(const char* name, const char* what) {
    if (x_wrong.empty())
      x_wrong = std::string{name} + " " + what;
    return {};
  }

private:
  const json* find(const char* name) {
    auto i = x_object.find(name);
    if (i == x_object.end())
      complain(name, "is missing");
    return i == x_object.end() ? nullptr : &*i;
  }

  const json& x_object;
  std::string x_wrong;
};

/// False if the operation is not known.
bool read_request(
  const std::string& op, field_reader& from, script_request& to) {
  if (op == "send")
    to.what =
      send_line{from.text("to"), from.text("body"), from.flag("receipts")};
  else if (op == "broadcast")
    to.what = broadcast_line{
      from.texts("to"), from.text("body"), from.flag("receipts")};
  else if (op == "presence")
    to.what = presence_line{{from.show("show"), from.text_or_empty("status"),
      from.small_number("priority")}};
  else if (op == "typing")
    to.what = typing_line{from.text("to")};
  else if (op == "read")
    to.what = read_line{from.text("from"), from.text("id")};
  else if (op == "quit")
    to.what = quit_line{};
  else
    return false;
  return true;
}

std::string line_of(const json& x) {
  return x.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

/// Bytes that may be no UTF-8 are replaced when the line is written.
std::string text(std::string_view x) {
  return std::string{x};
}

double seconds(std::chrono::milliseconds x) {
  return std::chrono::duration<double>(x).count();
}

void put_failure(json& to, const failure& why, std::string_view none_means) {
  to["reason"] = reason_of(why, none_means);
  if (!why.text.empty())
    to["text"] = why.text;
  if (why.limit)
    to["limit"] = *why.limit;
  if (why.value)
    to["value"] = *why.value;
  if (why.retry_after)
    to["retry_after"] = seconds(*why.retry_after);
}

void put_outcome(json& to, const outcome& x) {
  to["outcome"] = to_string(x.what);
  if (x.what == outcome::kind::rejected)
    put_failure(to, x.why, "unknown");
}

} // namespace

tl::expected<script_request, bad_line> parse_request(std::string_view line) {
  auto bad = [](std::string id, errc code, std::string why) {
    return tl::unexpected<bad_line>(
      bad_line{std::move(id), failure{code, std::move(why)}});
  };
  auto x = json::parse(line, nullptr, false);
  if (x.is_discarded())
    return bad({}, errc::bad_request, "the line is not valid JSON");
  if (!x.is_object())
    return bad({}, errc::bad_request, "the line is not a JSON object");
  std::string id;
  if (auto i = x.find("id"); i != x.end() && i->is_primitive())
    id = i->dump();
  field_reader from(x);
  auto op = from.text("op");
  script_request y;
  y.id = from.text_or_empty("id");
  if (x.contains("id") && y.id.empty())
    from.complain("id", "is to have at least one byte");
  auto known = from.wrong().empty() ? read_request(op, from, y) : true;
  if (!known)
    return bad(std::move(id), errc::unknown_request,
      "this version does not know the operation " + op);
  if (!from.wrong().empty())
    return bad(std::move(id), errc::bad_request, from.wrong());
  return y;
}

std::string ready_line(std::string_view address, bool resumed) {
  return line_of(
    {{"event", "ready"}, {"address", text(address)}, {"resumed", resumed}});
}

std::string message_line(const received_im& x) {
  json y{{"event", "message"}, {"from", text(x.from)}, {"to", text(x.to)},
    {"id", text(x.id)}, {"body", text(x.body)}, {"sent_at", rfc3339(x.sent_at)},
    {"offline", x.offline}};
  for (auto& p : x.payloads)
    y["payloads"].push_back({{"type", text(p.type)}, {"data", text(p.data)}});
  return line_of(y);
}

std::string outcome_line(
  std::string_view id, std::string_view to, const outcome& x) {
  json y{{"event", "outcome"}, {"id", text(id)}, {"to", text(to)}};
  put_outcome(y, x);
  return line_of(y);
}

std::string broadcast_line_of(
  std::string_view id, const std::vector<recipient_outcome>& outcomes) {
  auto list = json::array();
  for (auto& x : outcomes) {
    json y{{"to", x.to}};
    put_outcome(y, x.what);
    list.push_back(std::move(y));
  }
  return line_of(
    {{"event", "broadcast"}, {"id", text(id)}, {"outcomes", std::move(list)}});
}

std::string done_line(std::string_view id) {
  return line_of({{"event", "done"}, {"id", text(id)}});
}

std::string typing_line_of(std::string_view from) {
  return line_of({{"event", "typing"}, {"from", text(from)}});
}

std::string receipt_line(
  std::string_view id, std::string_view endpoint, receipt::kind what) {
  return line_of({{"event", "receipt"}, {"id", text(id)},
    {"endpoint", text(endpoint)}, {"kind", to_string(what)}});
}

std::string policy_line(
  const std::vector<std::pair<std::string, std::string>>& values) {
  json y{{"event", "policy"}};
  for (auto& [name, value] : values)
    y[name] = value;
  return line_of(y);
}

std::string error_line(std::string_view id, const failure& why) {
  json y{{"event", "error"}};
  if (!id.empty())
    y["id"] = text(id);
  put_failure(y, why, "unknown");
  return line_of(y);
}

std::string error_line(const bad_line& x) {
  json y{{"event", "error"}};
  if (!x.id.empty())
    y["id"] = json::parse(x.id);
  put_failure(y, x.why, "unknown");
  return line_of(y);
}

std::string disconnected_line(
  const failure& why, std::chrono::milliseconds retry_in) {
  json y{{"event", "disconnected"}};
  put_failure(y, why, "connection_lost");
  y["retry_in"] = seconds(retry_in);
  return line_of(y);
}

std::string reason_of(const failure& why, std::string_view none_means) {
  if (why.code != errc::none)
    return std::string{to_string(why.code)};
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz_";
  auto name =
    std::string_view{why.text}.substr(0, std::string_view{why.text}.find(':'));
  auto is_name = name.find('_') != std::string_view::npos
    && name.find_first_not_of(letters) == std::string_view::npos;
  return std::string{is_name ? name : none_means};
}

std::string rfc3339(wall_time x) {
  using namespace std::chrono;
  auto day = floor<days>(x);
  year_month_day date{day};
  hh_mm_ss time{floor<milliseconds>(x - day)};
  char out[64];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
    static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
    static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
    static_cast<int>(time.minutes().count()),
    static_cast<int>(time.seconds().count()),
    static_cast<int>(time.subseconds().count()));
  return out;
}

} // namespace parley::chat
