#include "actors/launcher/admin_printing.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "actors/launcher/counted.hpp"
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

/// What is wrong stands first in its line, how to mend it and whom it concerns
/// below.
void print_findings(const json& checks) {
  size_t width = 0;
  for (const auto& c : checks)
    width = std::max(width, width_of(text_of(c.at("check"))));
  for (const auto& c : checks) {
    auto check = text_of(c.at("check"));
    check.append(width - width_of(check), ' ');
    std::printf("%-7s  %s  %s\n", text_of(c.at("state")).c_str(), check.c_str(),
      text_of(c.at("what")).c_str());
    if (c.at("remedy") != "")
      std::printf("         → %s\n", text_of(c.at("remedy")).c_str());
    for (const auto& u : c.value("users", json::array()))
      std::printf("           %s\n", text_of(u).c_str());
  }
}

std::string time_of(const json& us) {
  constexpr int64_t second = 1'000'000;
  auto n = us.get<int64_t>();
  auto date = date_of(json(n / 1'000));
  char rest[16];
  std::snprintf(rest, sizeof(rest), ".%06dZ", static_cast<int>(n % second));
  return date.substr(0, date.size() - 1) + rest;
}

void print_trace(const json& answer) {
  const auto& ims = answer.at("ims");
  if (!answer.at("tracing").get<bool>())
    std::puts("tracing is off: trace_ims is 0 in the server's file");
  else if (ims.empty())
    std::puts("nothing is known of an IM with this id; each worker keeps the "
              "latest of its senders, trace_ims by the number of threads");
  for (const auto& im : ims) {
    auto to = text_of(im.at("to"));
    std::printf("%s from %s to %s\n", text_of(im.at("id")).c_str(),
      text_of(im.at("from")).c_str(), to.empty() ? "nobody" : to.c_str());
    for (const auto& e : im.at("events")) {
      std::string more;
      for (const char* key : {"endpoint", "reason"})
        if (e.contains(key))
          more += "  " + text_of(e.at(key));
      std::printf("  %s  %s%s\n", time_of(e.at("at_us")).c_str(),
        text_of(e.at("event")).c_str(), more.c_str());
    }
    if (im.contains("account_removed"))
      std::puts("  the recipient's account has been removed since, and with it "
                "what waited");
  }
}

void print_sessions(const json& sessions) {
  print_table(sessions,
    {"user", "endpoint", "state", "show", "priority", "transport", "peer",
      "software", "since_ms"});
}

/// A title, and the table below unless it is empty.
void print_part(const char* title, const json& rows,
  const std::vector<std::string>& columns) {
  std::printf("\n%s: %zu\n", title, rows.size());
  if (!rows.empty())
    print_table(rows, columns);
}

json texts_joined(const json& texts) {
  std::string all;
  for (const auto& x : texts)
    all += (all.empty() ? "" : "; ") + x.get<std::string>();
  return all;
}

std::string yes_or_no(const json& x) {
  return x.is_null() ? "?" : x.get<bool>() ? "yes" : "no";
}

void print_contacts_of(const json& answer) {
  auto rows = json::array();
  for (const auto& c : answer.at("contacts")) {
    json r{{"contact", c.at("address")}, {"name", c.at("name")},
      {"groups", texts_joined(c.at("groups"))}, {"to", c.at("to")},
      {"from", c.at("from")}};
    const auto& other = c.at("other");
    r["its to"] = other.is_null() ? json("?") : other.at("to");
    r["its from"] = other.is_null() ? json("?") : other.at("from");
    if (c.at("pretended").get<bool>())
      r["from"] = "pretended";
    if (!other.is_null() && other.at("pretended").get<bool>())
      r["its from"] = "pretended";
    r["agree"] = c.at("agree").is_null() ? "?"
      : c.at("agree").get<bool>()        ? "yes"
                                         : "NO";
    r["listed"] = yes_or_no(c.at("listed"));
    rows.push_back(std::move(r));
  }
  print_part("contacts and others", rows,
    {"contact", "listed", "name", "groups", "to", "its from", "from", "its to",
      "agree"});
}

void print_watchers(const json& watchers) {
  auto rows = json::array();
  for (const auto& w : watchers)
    rows.push_back(
      {{"watcher", w.at("address")}, {"recorded", yes_or_no(w.at("recorded"))},
        {"live", yes_or_no(w.at("live"))},
        {"pretended", yes_or_no(w.at("pretended"))}});
  print_part("watchers", rows, {"watcher", "recorded", "live", "pretended"});
}

void print_privacy(const json& x) {
  std::printf("\nprivacy: approve %s, sharing %s\n",
    text_of(x.at("approve")).c_str(), text_of(x.at("sharing")).c_str());
  for (const char* list : {"allow", "block"})
    for (const auto& u : x.at(list))
      std::printf("  %s %s\n", list, text_of(u).c_str());
  for (const auto& [domain, rule] : x.at("domains").items())
    std::printf("  %s all of %s\n", text_of(rule).c_str(),
      printable_line(domain).c_str());
}

void print_user(const json& answer) {
  std::printf("%s\n", text_of(answer.at("user")).c_str());
  for (const auto& [name, x] : answer.at("limits").items())
    std::printf("  %s: %s of %s\n", printable_line(name).c_str(),
      text_of(x.at("count")).c_str(), text_of(x.at("max")).c_str());
  std::printf("\nsessions: %zu\n", answer.at("sessions").size());
  if (!answer.at("sessions").empty())
    print_sessions(answer.at("sessions"));
  print_contacts_of(answer);
  std::printf("\nrequests waiting: %zu\n", answer.at("requests").size());
  for (const auto& r : answer.at("requests"))
    std::printf("%s\n", text_of(r).c_str());
  print_watchers(answer.at("watchers"));
  print_privacy(answer.at("privacy"));
  if (!answer.contains("seen"))
    return;
  const auto& seen = answer.at("seen");
  std::printf("\n%s sees: %s %s\n", text_of(seen.at("viewer")).c_str(),
    text_of(seen.at("show")).c_str(), text_of(seen.at("status")).c_str());
  if (!seen.at("endpoints").empty())
    print_table(
      seen.at("endpoints"), {"endpoint", "show", "priority", "status"});
}

void print_count(const json& n, const char* what, const char* done) {
  std::printf("%s %s\n", counted(n.get<uint64_t>(), what).c_str(), done);
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
  } else if (op == "sessions") {
    print_sessions(answer.at("sessions"));
  } else if (op == "user.remove") {
    print_count(answer.at("deleted"), "stored IM", "removed with it");
  } else if (op == "user.show") {
    print_user(answer);
  } else if (op == "contacts.export") {
    print_count(answer.at("exported"), "contact", "exported");
  } else if (op == "audit") {
    print_table(answer.at("audit"), {"when_ms", "who", "what", "from", "to"});
  } else if (op == "troubleshoot") {
    print_findings(answer.at("checks"));
  } else if (op == "trace") {
    print_trace(answer);
  } else if (op == "kick") {
    print_count(answer.at("ended"), "session", "ended");
  }
}

void print_refused_rows(const json& done) {
  for (const auto& r : done.at("refused")) {
    auto whom = text_of(r.at("user"));
    if (r.contains("contact"))
      whom += ", " + text_of(r.at("contact"));
    std::fprintf(stderr, "refused line %s, %s: %s %s\n",
      text_of(r.at("line")).c_str(), whom.c_str(),
      text_of(r.at("reason")).c_str(), text_of(r.at("text")).c_str());
  }
}

void print_import(const json& done, const std::string& op) {
  print_refused_rows(done);
  bool contacts = op == "contacts.import";
  auto count = done.at(contacts ? "imported" : "added").get<uint64_t>();
  auto rows = counted(done.at("refused").size(), "row");
  std::printf("%s %s, %s refused\n",
    counted(count, contacts ? "contact" : "account").c_str(),
    contacts ? "imported" : "made", rows.c_str());
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
