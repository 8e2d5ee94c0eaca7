#include "actors/launcher/chat_json.hpp"

#include <cstdio>
#include <set>

#include <nlohmann/json.hpp>

#include "actors/launcher/chat_command.hpp"
#include "actors/launcher/chat_json_parts.hpp"
#include "actors/launcher/limit_words.hpp"

namespace parley::chat {

namespace {

constexpr auto unknown_outcome =
  "this client ended before it heard of the outcome";

double seconds(std::chrono::milliseconds x) {
  return std::chrono::duration<double>(x).count();
}

void put_outcome(json& to, const outcome& x) {
  to["outcome"] = to_string(x.what);
  if (x.what == outcome::kind::rejected)
    put_failure(to, x.why, "unknown");
}

} // namespace

std::string line_of(const json& x) {
  return x.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

void put_failure(json& to, const failure& why, std::string_view none_means,
  std::string_view whose) {
  to["reason"] = reason_of(why, none_means);
  if (auto text = why.text.empty() ? limit_words(why, whose) : why.text;
      !text.empty())
    to["text"] = std::move(text);
  if (why.limit)
    to["limit"] = *why.limit;
  if (why.value)
    to["value"] = *why.value;
  if (why.retry_after)
    to["retry_after"] = seconds(*why.retry_after);
}

void put_error(json& to, const failure& why, std::string_view whose) {
  auto told = why;
  if (told.text.empty())
    told.text = words_of(why, whose);
  put_failure(to, told, "unknown");
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

std::string unknown_outcome_line(std::string_view id, std::string_view to) {
  return line_of({{"event", "outcome"}, {"id", text(id)}, {"to", text(to)},
    {"outcome", "unknown"}, {"text", unknown_outcome}});
}

std::string unknown_broadcast_line(
  std::string_view id, const std::vector<std::string_view>& to) {
  auto list = json::array();
  std::set<std::string_view> told;
  for (auto one : to)
    if (told.insert(one).second)
      list.push_back({{"to", text(one)}, {"outcome", "unknown"}});
  return line_of({{"event", "broadcast"}, {"id", text(id)},
    {"outcomes", std::move(list)}, {"text", unknown_outcome}});
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

std::string error_line(
  std::string_view id, const failure& why, std::string_view whose) {
  json y{{"event", "error"}};
  if (!id.empty())
    y["id"] = text(id);
  put_error(y, why, whose);
  return line_of(y);
}

std::string error_line(const bad_line& x) {
  json y{{"event", "error"}};
  if (!x.id.empty())
    y["id"] = json::parse(x.id);
  put_error(y, x.why);
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
