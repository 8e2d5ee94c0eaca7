#include <boost/test/unit_test.hpp>

#include <sstream>

#include "actors/launcher/admin_printing.hpp"
#include "actors/launcher/import_file.hpp"
#include "actors/launcher/printable.hpp"
#include "protocol/defaults.hpp"

using namespace parley;

namespace {

using cells = std::vector<std::string>;

/// All rows of a file, with what is wrong instead of the cells.
std::vector<cells> rows_of(const std::string& text) {
  std::istringstream in{text};
  import_file file{in};
  std::vector<cells> all;
  while (auto row = file.next())
    all.push_back(
      row->why.code == errc::none ? row->cells : cells{"bad", row->why.text});
  return all;
}

bool is_bad(const std::vector<cells>& rows, size_t i) {
  return rows.at(i).front() == "bad";
}

} // namespace

// -- rows of an import --------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_row_is_a_user_and_a_password) {
  BOOST_TEST((rows_of("a@b,secret\n\r\n\nc@d,word\r\nlast@x,no newline")
    == std::vector<cells>{
      {"a@b", "secret"}, {"c@d", "word"}, {"last@x", "no newline"}}));
  BOOST_TEST((rows_of("\xef\xbb\xbf"
                      "a@b,\n")
    == std::vector<cells>{{"a@b", ""}}));
  BOOST_TEST((rows_of("alone\n") == std::vector<cells>{{"alone"}}));
  BOOST_TEST(rows_of("").empty());
}

BOOST_AUTO_TEST_CASE(a_cell_in_quotes_holds_whatever_it_likes) {
  BOOST_TEST((rows_of("a@b,\"pa,ss\"\n\"c,d@e\",x\n")
    == std::vector<cells>{{"a@b", "pa,ss"}, {"c,d@e", "x"}}));
  BOOST_TEST((rows_of("a@b,\"say \"\"hi\"\"\"\r\nc@d,\"\"\n")
    == std::vector<cells>{{"a@b", "say \"hi\""}, {"c@d", ""}}));
  BOOST_TEST((rows_of("a@b,\"two\nlines\"\nc@d,x\n")
    == std::vector<cells>{{"a@b", "two\nlines"}, {"c@d", "x"}}));
  BOOST_TEST((rows_of("a@b,\"two\r\nlines\r\n\",\"x\"\r\nc@d,x\r\n")
    == std::vector<cells>{{"a@b", "two\r\nlines\r\n", "x"}, {"c@d", "x"}}));
}

BOOST_AUTO_TEST_CASE(without_quotes_a_password_goes_to_the_end_of_its_line) {
  BOOST_TEST((rows_of("a@b,with, a comma\nc@d,in\"side\"\n")
    == std::vector<cells>{{"a@b", "with, a comma"}, {"c@d", "in\"side\""}}));
  BOOST_TEST((rows_of("a@b,SCRAM-SHA-256$x,SCRAM-SHA-1$y\n")
    == std::vector<cells>{{"a@b", "SCRAM-SHA-256$x", "SCRAM-SHA-1$y"}}));
}

BOOST_AUTO_TEST_CASE(
  wrong_quotes_spoil_one_row_or_the_rest_but_never_silently) {
  auto rows = rows_of("a@b,\"x\"y\nc@d,z\n");
  BOOST_TEST(rows.size() == 2u);
  BOOST_TEST(is_bad(rows, 0));
  BOOST_TEST((rows[1] == cells{"c@d", "z"}));
  rows = rows_of("c@d,z\na@b,\"x\ne@f,y\n");
  BOOST_TEST(rows.size() == 2u);
  BOOST_TEST(is_bad(rows, 1));
}

BOOST_AUTO_TEST_CASE(a_row_has_a_bound) {
  auto big = std::string(defaults::import_row_max, 'x');
  auto rows = rows_of("a@b," + big + "\nc@d,z\n");
  BOOST_TEST(rows.size() == 2u);
  BOOST_TEST(is_bad(rows, 0));
  rows = rows_of("a@b,\"x\n" + big + "\nc@d,z\n");
  BOOST_TEST(rows.size() == 1u);
  BOOST_TEST(is_bad(rows, 0));
}

BOOST_AUTO_TEST_CASE(rows_know_their_lines) {
  std::istringstream in{"a@b,x\n\nc@d,\"y\nz\"\ne@f,w\n"};
  import_file file{in};
  std::vector<uint64_t> lines;
  while (auto row = file.next())
    lines.push_back(row->line);
  BOOST_TEST((lines == std::vector<uint64_t>{1, 3, 5}));
}

BOOST_AUTO_TEST_CASE(a_row_that_names_the_columns_is_none_of_them) {
  auto begins_with_header = [](const std::string& text, bool contacts) {
    std::istringstream in{text};
    return is_header(import_file{in, contacts}.next().value(), contacts);
  };
  for (auto text : {"user,password\na@b,x\n", "User,PASSWORD\r\n",
         "\xef\xbb\xbf"
         "user,password",
         "\n\"user\",\"password\"\n"})
    BOOST_TEST(begins_with_header(text, false), text);
  for (auto text :
    {"user,contact\n", "user,contact,name\n", "user,Contact,name,groups\n",
      "user,contact,name,groups,subscription\n"})
    BOOST_TEST(begins_with_header(text, true), text);
  for (auto text : {"user\n", "user@domain,password\n", "user,passwords\n",
         "user,password,more\n", "user,contact\n", "alice,password\n"})
    BOOST_TEST(!begins_with_header(text, false), text);
  for (auto text :
    {"user\n", "user,password\n", "user,contact,groups\n", "user,contact,\n",
      "contact,user\n", "user,contact,name,groups,subscription,more\n"})
    BOOST_TEST(!begins_with_header(text, true), text);
}

BOOST_AUTO_TEST_CASE(a_header_with_a_gap_or_another_order_is_a_fault) {
  auto is_fault = [](const std::string& text, bool contacts = true) {
    std::istringstream in{text};
    auto row = import_file{in, contacts}.next().value();
    return header_fault(row, contacts).has_value();
  };
  for (auto text : {"user,contact,subscription\n", "User,Contact,groups\n",
         "contact,user\n", "user,contact,\n", "user,name\n",
         "user,contact,name,groups,subscription,more\n"})
    BOOST_TEST(is_fault(text), text);
  for (auto text : {"user,contact\n", "user,contact,name,groups\n", "user\n",
         "a@b,c@d,user,contact\n", "user,c@d\n", "a@b,contact\n"})
    BOOST_TEST(!is_fault(text), text);
  BOOST_TEST(!is_fault("user,contact\n", false));
}

// -- text for a terminal ------------------------------------------------------

BOOST_AUTO_TEST_CASE(foreign_text_cannot_command_the_terminal) {
  BOOST_TEST(printable("a\x1b[2Jb\x07\x7f\xc2\x9b\r", "") == "a^[[2Jb^G??^M");
  BOOST_TEST(printable("a\nb\tc", "  ") == "a\n  b c");
  BOOST_TEST(printable_line("a\nb\x1b") == "a b^[");
  BOOST_TEST(printable("grüße ✓ 🙂", "") == "grüße ✓ 🙂");
  // An 8-bit terminal takes these for control characters.
  BOOST_TEST(printable("\x9b"
                       "2J\xc2",
               "")
    == "?2J?");
}

BOOST_AUTO_TEST_CASE(foreign_text_cannot_turn_the_direction_of_a_line) {
  BOOST_TEST(
    printable("a\u202eb\u202c\u202a\u2066c\u2069\u200e\u200f\u061c", "")
    == "a?b???c????");
  // Those before and behind, and letters that run that way by themselves.
  BOOST_TEST(printable_line("\u200d\u2010\u2029\u202f\u2065\u206aשלום")
    == "\u200d\u2010\u2029\u202f\u2065\u206aשלום");
}

BOOST_AUTO_TEST_CASE(a_text_is_as_wide_as_a_terminal_shows_it) {
  BOOST_TEST(width_of("") == 0u);
  BOOST_TEST(width_of("grüße ✓") == 7u);
  BOOST_TEST(width_of("日本語 desk") == 11u);
  BOOST_TEST(width_of("🙂") == 2u);
  // A diaeresis of its own, and a space of no width.
  BOOST_TEST(width_of("u\u0308ber") == 4u);
  BOOST_TEST(width_of("a\u200bb") == 2u);
  BOOST_TEST(width_of("a\xff") == 2u);
}

BOOST_AUTO_TEST_CASE(neither_can_a_line_of_json) {
  nlohmann::json x{{"a", "\x1b[2J\x7f\xc2\x9bü"}};
  auto line = json_line(x);
  BOOST_TEST(line == "{\"a\":\"\\u001b[2J\\u007f\\u009bü\"}");
  BOOST_TEST((nlohmann::json::parse(line) == x));
}
