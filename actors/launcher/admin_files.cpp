#include "actors/launcher/admin_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

#include "actors/launcher/counted.hpp"
#include "actors/launcher/import_file.hpp"
#include "actors/launcher/limit_words.hpp"
#include "actors/launcher/printable.hpp"
#include "protocol/defaults.hpp"
#include "protocol/unicode.hpp"

namespace parley {

using nlohmann::json;

namespace {

/// What the system said last, if it said anything.
std::string why() {
  return errno == 0 ? "" : std::string{": "} + std::strerror(errno);
}

} // namespace

std::ifstream open_admin_file(const std::string& file) {
  // Opening a folder succeeds, and reading it is an empty file.
  std::error_code ec;
  if (std::filesystem::is_directory(file, ec))
    throw admin_refused{
      "file_failed", "cannot read " + file + ": it is a folder"};
  errno = 0;
  std::ifstream in{file};
  if (!in)
    throw admin_refused{"file_failed", "cannot read " + file + why()};
  return in;
}

namespace {

/// Gathers rows, sends them, and notes what became of each.
class row_sender {
public:
  row_sender(admin_socket& server, std::string op)
    : x_server(server),
      x_op(std::move(op)),
      x_contacts(x_op == "contacts.import"),
      x_done(x_contacts ? "imported" : "added") {}

  bool takes_contacts() const noexcept { return x_contacts; }

  void add(import_file::row row) {
    auto is_text = [](const std::string& cell) { return is_utf8(cell); };
    if (row.why.code == errc::none
      && !std::all_of(row.cells.begin(), row.cells.end(), is_text))
      row.why = failure{errc::bad_request, "the row is not written in UTF-8"};
    if (row.why.code != errc::none) {
      refuse(row);
      return;
    }
    for (const auto& cell : row.cells)
      x_bytes += cell.size();
    x_rows.push_back(std::move(row.cells));
    x_lines.push_back(row.line);
    auto max = x_contacts ? defaults::contact_rows : defaults::import_rows;
    if (x_lines.size() == max || x_bytes > defaults::contact_rows_bytes)
      flush();
  }

  void flush() {
    if (x_lines.empty())
      return;
    auto answer = ask({{"op", x_op}, {"rows", x_rows}, {"more", true}});
    x_count += answer.at(x_done).get<uint64_t>();
    for (auto& r : answer.at("refused")) {
      r["line"] = x_lines.at(r.at("index").get<size_t>());
      r.erase("index");
      put_words(r);
      x_refused.push_back(std::move(r));
    }
    x_rows.clear();
    x_lines.clear();
    x_bytes = 0;
  }

  /// Nothing more comes: that is what ends the import in the audit log.
  void finish() {
    flush();
    ask({{"op", x_op}, {"rows", json::array()}, {"refused", x_refused_here}});
  }

  /// What became of the rows so far.
  json result() const {
    auto refused = x_refused;
    std::sort(refused.begin(), refused.end(),
      [](const json& a, const json& b) { return a.at("line") < b.at("line"); });
    return {{x_done, x_count}, {"refused", std::move(refused)}};
  }

  /// Adds that to a failure, and from which line on nothing is known.
  void tell(admin_refused& e) const {
    e.answer.update(result());
    e.text += " (" + counted(x_count, x_contacts ? "contact" : "account")
      + (x_contacts ? " imported before" : " made before");
    if (!x_lines.empty()) {
      e.answer["go_on_from_line"] = x_lines.front();
      e.text += "; go on from line " + std::to_string(x_lines.front());
    }
    e.text += ')';
  }

private:
  /// A failure says how far the import came.
  json ask(const json& request) {
    try {
      auto answer = x_server.ask(request);
      if (answer.contains("error"))
        throw admin_refused{std::move(answer)};
      return answer;
    } catch (admin_refused& e) {
      tell(e);
      throw;
    }
  }

  /// A limit of contacts is told by its number.
  static void put_words(json& refused) {
    failure why{errc_from_string(refused.at("reason").get<std::string>())};
    if (refused.at("text") != "" || !refused.contains("contact"))
      return;
    if (auto limit = refused.find("limit"); limit != refused.end())
      why.limit = limit->get<uint64_t>();
    const auto& contact = refused.at("contact").get_ref<const std::string&>();
    refused["text"] = limit_words(why, refused.value("whose", contact));
  }

  void refuse(const import_file::row& row) {
    json x{{"line", row.line}, {"user", row.cells.front()},
      {"reason", to_string(row.why.code)}, {"text", row.why.text}};
    if (x_contacts)
      x["contact"] = row.cells.size() > 1 ? row.cells[1] : "";
    x_refused.push_back(std::move(x));
    ++x_refused_here;
  }

  admin_socket& x_server;
  std::string x_op;
  bool x_contacts;
  /// What the server calls the number of rows that it took.
  const char* x_done;
  json x_rows = json::array();
  std::vector<uint64_t> x_lines;
  size_t x_bytes = 0;
  uint64_t x_count = 0;
  json x_refused = json::array();
  /// Of these, the rows that the server never saw.
  uint64_t x_refused_here = 0;
};

json import_rows_of(admin_socket& server, const std::string& op,
  std::istream& in, const std::string& name) {
  row_sender to{server, op};
  import_file rows{in, to.takes_contacts()};
  auto row = rows.next();
  if (row)
    if (auto why = header_fault(*row, to.takes_contacts()))
      throw admin_refused{to_string(why->code), why->text};
  if (row && is_header(*row, to.takes_contacts()))
    row = rows.next();
  for (; row; row = rows.next())
    to.add(std::move(*row));
  const bool is_broken = in.bad();
  to.finish();
  if (is_broken) {
    admin_refused e{"file_failed", "cannot read on in " + name};
    to.tell(e);
    throw e;
  }
  return to.result();
}

/// A cell of a CSV file (RFC 4180).
std::string quoted(const std::string& cell) {
  bool plain = cell.find_first_of(",\"\r\n") == cell.npos;
  if (plain)
    return cell;
  std::string out{'"'};
  for (char c : cell) {
    if (c == '"')
      out += '"';
    out += c;
  }
  return out + '"';
}

std::string line_of(const json& cells) {
  std::string line;
  for (const auto& c : cells) {
    if (!line.empty())
      line += ',';
    line += quoted(c.get_ref<const std::string&>());
  }
  return line + '\n';
}

/// Where an export goes to. A file is whole at its end, or stays as it was;
/// what is none, such as a link to a terminal, is written to as it stands.
class exported_file {
public:
  explicit exported_file(const std::string& file) : x_file(file) {
    if (file == "-")
      return;
    // Who knows whom is nobody else's business.
    ::umask(S_IRWXG | S_IRWXO);
    namespace fs = std::filesystem;
    std::error_code ec;
    auto what = fs::symlink_status(file, ec).type();
    if (what != fs::file_type::regular && what != fs::file_type::not_found)
      return;
    x_beside = file + ".XXXXXX";
    errno = 0;
    int fd = ::mkstemp(x_beside.data());
    if (fd == -1) {
      x_beside.clear();
      // In a folder of others, onto a file of one's own.
      if (what == fs::file_type::regular)
        return;
      refuse();
    }
    keep_owner(fd);
    ::close(fd);
    open(x_beside);
  }

  ~exported_file() {
    if (!x_beside.empty())
      ::unlink(x_beside.c_str());
  }

  exported_file(const exported_file&) = delete;
  exported_file& operator=(const exported_file&) = delete;

  /// The server has agreed: nothing is emptied before.
  void begin() {
    if (x_file != "-" && !x_made.is_open())
      open(x_file);
    check(out());
  }

  void add(const std::string& line) {
    out() << (x_to_terminal ? printable(line, "") : line);
  }

  void finish() {
    out().flush();
    check(out());
    if (x_beside.empty())
      return;
    x_made.close();
    check(x_made);
    errno = 0;
    if (std::rename(x_beside.c_str(), x_file.c_str()) != 0)
      refuse();
    x_beside.clear();
  }

private:
  /// Whose the file was it stays, as far as that is allowed.
  void keep_owner(int fd) const {
    struct stat before {};
    if (::stat(x_file.c_str(), &before) == 0
      && ::fchown(fd, before.st_uid, before.st_gid) != 0)
      errno = 0; // root alone may
  }

  std::ostream& out() { return x_file == "-" ? std::cout : x_made; }

  void open(const std::string& file) {
    errno = 0;
    x_made.open(file);
    check(x_made);
  }

  void check(const std::ostream& x) const {
    if (!x)
      refuse();
  }

  [[noreturn]] void refuse() const {
    throw admin_refused{"file_failed", "cannot write " + x_file + why()};
  }

  std::string x_file;
  /// What becomes the file at the end; empty without one.
  std::string x_beside;
  std::ofstream x_made;
  bool x_to_terminal = x_file == "-" && ::isatty(STDOUT_FILENO) == 1;
};

} // namespace

json import_file_of(
  admin_socket& server, const std::string& op, const std::string& file) {
  if (file == "-")
    return import_rows_of(server, op, std::cin, "standard input");
  auto in = open_admin_file(file);
  return import_rows_of(server, op, in, file);
}

json export_contacts(
  admin_socket& server, json request, const std::string& file) {
  exported_file made{file};
  uint64_t count = 0;
  std::string next;
  do {
    auto answer = server.ask(request);
    if (answer.contains("error"))
      throw admin_refused{std::move(answer)};
    made.begin();
    for (const auto& row : answer.at("rows")) {
      made.add(line_of(row));
      ++count;
    }
    next = answer.at("next").get<std::string>();
    request["after"] = next;
  } while (!next.empty());
  made.finish();
  return {{"exported", count}};
}

} // namespace parley
