#include <nlohmann/json.hpp>

#include "actors/launcher/chat_defaults.hpp"
#include "actors/launcher/chat_fields.hpp"
#include "actors/launcher/chat_json.hpp"
#include "actors/launcher/counted.hpp"

namespace parley::chat {

namespace {

std::vector<std::string> addresses_of(std::vector<wanted_contact> x) {
  std::vector<std::string> out;
  for (auto& one : x)
    out.push_back(std::move(one.address));
  return out;
}

/// About contacts, presence of others, and privacy; false if the operation is
/// none of these.
bool read_contacts_request(
  const std::string& op, field_reader& from, script_request& to) {
  auto as = [&](contacts_request what) {
    to.what = contacts_line{std::move(what)};
  };
  if (op == "contacts.add")
    as(add_contacts{from.contacts("contacts")});
  else if (op == "contacts.remove")
    as(remove_contacts{addresses_of(from.contacts("contacts"))});
  else if (op == "subscribe")
    as(subscribe{from.user("to")});
  else if (op == "unsubscribe")
    as(unsubscribe{from.user("to")});
  else if (op == "approve")
    as(approve{from.user("from")});
  else if (op == "deny")
    as(deny{from.user("from")});
  else if (op == "watch")
    as(watch{from.user("address"),
      from.count("seconds", defaults::chat_watch_seconds)});
  else if (op == "unwatch")
    as(watch{from.user("address"), 0});
  else if (op == "privacy") {
    as(from.privacy());
    // A mistyped field would make it a question.
    from.end();
  } else
    return false;
  return true;
}

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
  else if (op == "contacts.list")
    to.what = list_line{};
  else if (op == "quit")
    to.what = quit_line{};
  else
    return read_contacts_request(op, from, to);
  return true;
}

/// Reads no further than to the `id` of an object that may be cut off.
class id_finder : public nlohmann::json_sax<field_reader::json> {
public:
  /// As JSON text; empty if there is none.
  std::string id;

  bool null() override { return goes_on(); }
  bool boolean(bool) override { return goes_on(); }
  bool number_integer(number_integer_t) override { return goes_on(); }
  bool number_unsigned(number_unsigned_t) override { return goes_on(); }
  bool number_float(number_float_t, const string_t&) override {
    return goes_on();
  }
  bool string(string_t& x) override {
    if (x_is_id)
      id = field_reader::json(x).dump();
    return goes_on();
  }
  bool binary(binary_t&) override { return goes_on(); }
  bool start_object(size_t) override { return opens(); }
  bool end_object() override { return closes(); }
  bool start_array(size_t) override { return opens(); }
  bool end_array() override { return closes(); }
  bool key(string_t& x) override {
    x_is_id = x_depth == 1 && x == "id";
    return true;
  }
  bool parse_error(
    size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

private:
  bool goes_on() const noexcept { return !x_is_id && x_depth > 0; }
  bool opens() {
    auto x = !x_is_id;
    ++x_depth;
    return x;
  }
  bool closes() {
    --x_depth;
    return goes_on();
  }

  size_t x_depth = 0;
  bool x_is_id = false;
};

bad_line too_long(std::string_view line) {
  id_finder found;
  field_reader::json::sax_parse(line, &found);
  failure why{errc::too_large,
    "the line is too long: at most "
      + counted(defaults::chat_line_max, "byte")};
  why.limit = defaults::chat_line_max;
  return {std::move(found.id), std::move(why)};
}

} // namespace

tl::expected<script_request, bad_line> parse_request(std::string_view line) {
  using json = field_reader::json;
  if (line.size() > defaults::chat_line_max)
    return tl::unexpected<bad_line>(too_long(line));
  auto bad = [](std::string id, failure why) {
    return tl::unexpected<bad_line>(bad_line{std::move(id), std::move(why)});
  };
  auto x = json::parse(line, nullptr, false);
  if (x.is_discarded())
    return bad({}, failure{errc::bad_request, "the line is not valid JSON"});
  if (!x.is_object())
    return bad({}, failure{errc::bad_request, "the line is not a JSON object"});
  std::string id;
  if (auto i = x.find("id"); i != x.end() && i->is_primitive())
    id = i->dump();
  field_reader from(x);
  auto op = from.text("op");
  script_request y;
  y.id = from.text_or_empty("id");
  if (x.contains("id") && y.id.empty())
    from.complain("id", "is to have at least one byte");
  auto well = [&] { return from.wrong().code == errc::none; };
  if (well() && !read_request(op, from, y))
    return bad(std::move(id),
      failure{errc::unknown_request,
        "this version does not know the operation " + op});
  if (!well())
    return bad(std::move(id), from.wrong());
  return y;
}

} // namespace parley::chat
