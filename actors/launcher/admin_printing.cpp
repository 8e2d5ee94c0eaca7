#include "actors/launcher/admin_printing.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "actors/launcher/printable.hpp"

namespace parley {

using nlohmann::json;

namespace {

std::string date_of(const json& ms) {
  auto t = static_cast<std::time_t>(ms.get<int64_t>() / 1000);
  std::tm utc{};
  gmtime_r(&t, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string text_of(const json& x) {
  return printable_line(x.is_string() ? x.get<std::string>() : json_line(x));
}

std::string cell_of(const std::string& column, const json& row) {
  const auto& x = row.at(column);
  return column.ends_with("_ms") ? date_of(x) : text_of(x);
}

/// The named columns of an array of objects.
void print_table(const json& rows, const std::vector<std::string>& columns) {
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& c : columns)
    lines[0].push_back(c.ends_with("_ms") ? c.substr(0, c.size() - 3) : c);
  for (const auto& r : rows) {
    auto& cells = lines.emplace_back();
    for (const auto& c : columns)
      cells.push_back(cell_of(c, r));
  }
  std::vector<size_t> widths(columns.size());
  for (const auto& cells : lines)
    for (size_t i = 0; i < cells.size(); ++i)
      widths[i] = std::max(widths[i], width_of(cells[i]));
  for (const auto& cells : lines) {
    std::string text;
    for (size_t i = 0; i < cells.size(); ++i) {
      text += cells[i];
      if (i + 1 < cells.size())
        text.append(widths[i] - width_of(cells[i]) + 2, ' ');
    }
    std::puts(text.c_str());
  }
}

} // namespace

void print_admin_answer(const json& answer, const std::string& op) {
  if (op == "user.list") {
    for (const auto& u : answer.at("users"))
      std::puts(text_of(u).c_str());
  } else if (op == "settings.list") {
    print_table(
      answer.at("settings"), {"name", "value", "default", "range", "text"});
  } else if (op == "settings.set") {
    std::printf("%s: %s, was %s\n", text_of(answer.at("name")).c_str(),
      text_of(answer.at("value")).c_str(),
      text_of(answer.at("before")).c_str());
  } else if (op == "sessions" || op == "user.show") {
    print_table(answer.at("sessions"),
      {"user", "endpoint", "state", "show", "priority", "transport", "peer",
        "software", "since_ms"});
  } else if (op == "audit") {
    print_table(answer.at("audit"), {"when_ms", "who", "what", "from", "to"});
  } else if (op == "kick") {
    std::printf("%s sessions ended\n", text_of(answer.at("ended")).c_str());
  }
}

void print_import(const json& done) {
  for (const auto& r : done.at("refused"))
    std::fprintf(stderr, "refused line %s, %s: %s %s\n",
      text_of(r.at("line")).c_str(), text_of(r.at("user")).c_str(),
      text_of(r.at("reason")).c_str(), text_of(r.at("text")).c_str());
  std::printf("%s accounts made, %zu rows refused\n",
    text_of(done.at("added")).c_str(), done.at("refused").size());
}

std::string json_line(const json& x) {
  auto line = x.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    auto c = static_cast<unsigned char>(line[i]);
    auto next =
      i + 1 < line.size() ? static_cast<unsigned char>(line[i + 1]) : 0;
    // JSON lets DEL and U+0080 to U+009F stand as they are.
    bool is_c1 = c == 0xc2 && next < 0xa0;
    if (c != 0x7f && !is_c1) {
      out += line[i];
      continue;
    }
    char escaped[8];
    std::snprintf(escaped, sizeof(escaped), "\\u%04x", is_c1 ? next : c);
    out += escaped;
    i += is_c1 ? 1 : 0;
  }
  return out;
}

} // namespace parley
