#include "actors/launcher/import_file.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

constexpr std::array<std::string_view, 2> of_accounts{"user", "password"};
constexpr std::array<std::string_view, 5> of_contacts{
  "user", "contact", "name", "groups", "subscription"};

bool is_named(std::string_view cell, std::string_view column) {
  auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::equal(cell.begin(), cell.end(), column.begin(), column.end(),
    [lower](char a, char b) { return lower(a) == b; });
}

failure bad_row(std::string text) {
  return failure{errc::bad_request, std::move(text)};
}

} // namespace

bool is_header(const import_file::row& x, bool contacts) {
  std::span<const std::string_view> names = of_accounts;
  if (contacts)
    names = of_contacts;
  return x.why.code == errc::none && x.cells.size() >= of_accounts.size()
    && x.cells.size() <= names.size()
    && std::equal(x.cells.begin(), x.cells.end(), names.begin(), is_named);
}

std::optional<failure> header_fault(const import_file::row& x, bool contacts) {
  auto names_column = [](const std::string& cell) {
    return std::any_of(of_contacts.begin(), of_contacts.end(),
      [&cell](std::string_view column) { return is_named(cell, column); });
  };
  if (!contacts || is_header(x, contacts) || x.cells.size() < of_accounts.size()
    || !names_column(x.cells[0]) || !names_column(x.cells[1]))
    return std::nullopt;
  return bad_row("line " + std::to_string(x.line)
    + ": the columns are user,contact,name,groups,subscription in this order; "
      "the last ones may be left out, none before them");
}

bool import_file::read_line(std::string& line) {
  if (!std::getline(x_in, line))
    return false;
  if (++x_lines == 1 && line.starts_with(byte_order_mark))
    line.erase(0, byte_order_mark.size());
  x_end = "\n";
  if (line.ends_with('\r')) {
    line.pop_back();
    x_end = "\r\n";
  }
  return true;
}

std::optional<import_file::row> import_file::next() {
  std::string line;
  while (line.empty())
    if (x_broken || !read_line(line))
      return std::nullopt;
  row x;
  x.line = x_lines;
  for (size_t at = 0; x.why.code == errc::none && at <= line.size();)
    read_cell(x, line, at);
  return x;
}

/// Beyond the line's end: that was the last cell.
void import_file::read_cell(row& to, std::string& line, size_t& at) {
  if (line.size() > defaults::import_row_max) {
    to.why = bad_row("the row is too long");
    to.cells.resize(std::max<size_t>(to.cells.size(), 1));
    return;
  }
  if (line.compare(at, 1, "\"") == 0)
    return read_quoted(to, line, at);
  auto end = line.find(',', at);
  // The user's name and SCRAM secrets have no comma of their own.
  if (!x_plain && !to.cells.empty() && line.compare(at, 6, "SCRAM-") != 0)
    end = line.npos;
  if (end == line.npos)
    end = line.size();
  to.cells.push_back(line.substr(at, end - at));
  at = end + 1;
}

void import_file::read_quoted(row& to, std::string& line, size_t& at) {
  std::string cell;
  for (++at;; ++at) {
    if (at < line.size() && line[at] != '"') {
      cell += line[at];
    } else if (line.compare(at, 2, "\"\"") == 0) {
      cell += line[at++];
    } else if (at < line.size()) {
      break;
    } else if (std::string more, end = x_end;
               line.size() <= defaults::import_row_max && read_line(more)) {
      // A newline within.
      cell += end;
      at += end.size() - 1;
      line += end + more;
    } else {
      // Where the next row begins is anybody's guess.
      x_broken = true;
      to.why = bad_row("a quote is not closed; nothing behind it was read");
      break;
    }
  }
  to.cells.push_back(std::move(cell));
  if (to.why.code == errc::none && ++at < line.size() && line[at] != ',')
    to.why = bad_row("there is more behind a closing quote");
  ++at;
}

} // namespace parley
