#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "protocol/errors.hpp"

namespace parley {

/// The rows of an import: CSV as in RFC 4180, `user@domain,password` or
/// `user@domain,SCRAM-…` (RFC 5803), with one secret a hash. A cell in quotes
/// may hold commas, newlines and, doubled, quotes; one without may hold quotes
/// within. Beyond the RFC, a password without quotes goes to the end of its
/// line, commas included, and empty lines are passed over. `plain` is for other
/// rows: there a comma always ends a cell without quotes.
class import_file {
public:
  struct row {
    /// Where it begins, from 1.
    uint64_t line = 0;
    /// At least one.
    std::vector<std::string> cells;
    /// `bad_request` if the quotes are wrong or the row is too long; the cells
    /// before the fault are there.
    failure why;
  };

  explicit import_file(std::istream& in, bool plain = false)
    : x_in(in), x_plain(plain) {}

  /// Nothing at the end, and after a quote that is not closed.
  std::optional<row> next();

private:
  /// Without its end; `x_end` says which one that was.
  bool read_line(std::string& line);
  void read_cell(row& to, std::string& line, size_t& at);
  void read_quoted(row& to, std::string& line, size_t& at);

  std::istream& x_in;
  bool x_plain;
  uint64_t x_lines = 0;
  const char* x_end = "";
  bool x_broken = false;
};

/// The row names the columns: `user,password`, or of contacts `user,contact`
/// and maybe `name`, `groups` and `subscription` behind, in letters of any
/// case. None of them could be an address.
bool is_header(const import_file::row& x, bool contacts);

/// What is wrong with a first row of contacts that begins with names of columns
/// and is no header: it would be passed over as a bad row, and those below be
/// read by other columns than their own.
std::optional<failure> header_fault(const import_file::row& x, bool contacts);

} // namespace parley
