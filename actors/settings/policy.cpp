#include "actors/settings/policy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace parley {

namespace {

constexpr uint64_t second = 1'000;
constexpr uint64_t day = 86'400'000;
constexpr uint64_t year = 365 * day;

using unit = setting_unit;

constexpr setting on_off(
  std::string_view name, bool policy::*field, std::string_view text) {
  return {name, unit::on_off, 0, 1, false, text, field, nullptr};
}

constexpr setting number(std::string_view name, unit u, uint64_t min,
  uint64_t max, bool may_be_unlimited, uint64_t policy::*field,
  std::string_view text) {
  return {name, u, min, max, may_be_unlimited, text, nullptr, field};
}

constexpr auto table = std::to_array<setting>({
  on_off("account.registration", &policy::account_registration,
    "Clients may make accounts themselves."),
  number("contacts.max", unit::count, 0, 100'000, true, &policy::contacts_max,
    "Contacts of one user."),
  number("documents.bytes_max", unit::bytes, 0, 1ull << 30, true,
    &policy::documents_bytes_max,
    "Bytes of what one user keeps at the server for its clients."),
  number("documents.max", unit::count, 0, 1'000'000, true,
    &policy::documents_max,
    "Documents and collections that one user keeps at the server."),
  number("im.body_max", unit::bytes, 1, 262'144, false, &policy::im_body_max,
    "Bytes of an IM's body and payloads together."),
  number("im.broadcast_max", unit::count, 1, 100'000, false,
    &policy::im_broadcast_max, "Recipients of one broadcast."),
  on_off("im.client_history", &policy::im_client_history,
    "Told to clients: they may keep a history."),
  on_off("im.cut_and_paste", &policy::im_cut_and_paste,
    "Told to clients: they may copy text out of conversations."),
  on_off("im.enabled", &policy::im_enabled, "IMs are routed at all."),
  number("im.grace", unit::duration, 100, 30 * second, false,
    &policy::im_grace_ms,
    "How long an IM waits for an acknowledgement before it is stored."),
  number("im.idle_release", unit::duration, second, 86'400 * second, true,
    &policy::im_idle_release_ms,
    "How long a silent conversation keeps its chosen endpoint."),
  number("im.offline_max", unit::count, 0, 1'000'000, true,
    &policy::im_offline_max, "IMs that may wait for one user."),
  number("im.offline_ttl", unit::duration, 60 * second, 10 * year, true,
    &policy::im_offline_ttl_ms, "How long an IM waits before it expires."),
  number("im.rate", unit::per_second, 1, 1'000'000, true, &policy::im_rate,
    "IMs a second and account."),
  number("im.retry_memory", unit::duration, 60 * second, year, false,
    &policy::im_retry_memory_ms,
    "How long the id of an IM that was stored is known again."),
  on_off("im.store_offline", &policy::im_store_offline,
    "IMs for users who are not there are stored."),
  on_off("presence.adhoc", &policy::presence_adhoc,
    "Users may watch somebody for a limited time who is no contact."),
  number("presence.adhoc_max", unit::count, 0, 100'000, true,
    &policy::presence_adhoc_max, "Ad-hoc watches of one user at once."),
  number("presence.adhoc_ttl", unit::duration, second, 604'800 * second, false,
    &policy::presence_adhoc_ttl_ms, "The longest ad-hoc watch."),
  on_off("presence.auto_approve", &policy::presence_auto_approve,
    "Watchers are approved where the user has said nothing else."),
  on_off("presence.sharing", &policy::presence_sharing,
    "Users see each other's availability."),
  on_off("presence.sharing_override", &policy::presence_sharing_override,
    "A user's own switch counts more than presence.sharing."),
  number("session.buffer", unit::count, 5, 10'000, false,
    &policy::session_buffer,
    "IMs and answers that a session keeps until they are acknowledged."),
  number("session.endpoints_max", unit::count, 1, 1'000, false,
    &policy::session_endpoints_max, "Endpoints of one user at once."),
  number("session.heartbeat", unit::duration, second, 600 * second, false,
    &policy::session_heartbeat_ms,
    "Silence after which a connection is asked for life."),
  number("session.resume_window", unit::duration, 0, 3'600 * second, false,
    &policy::session_resume_window_ms,
    "How long a session outlives its connection."),
  number("signin.rate", unit::per_second, 1, 100'000, true,
    &policy::signin_rate, "Sign-ins a second."),
  number("watchers.max", unit::count, 0, 100'000, true, &policy::watchers_max,
    "Watchers of one user."),
});

std::string duration_text(uint64_t ms) {
  if (ms % day == 0 && ms != 0)
    return std::to_string(ms / day) + " d";
  if (ms % second == 0)
    return std::to_string(ms / second) + " s";
  return std::to_string(ms) + " ms";
}

std::string as_text(unit u, uint64_t x) {
  if (x == unlimited)
    return "unlimited";
  switch (u) {
  case unit::on_off:
    return x ? "on" : "off";
  case unit::duration:
    return duration_text(x);
  case unit::bytes:
    return std::to_string(x) + " B";
  default:
    return std::to_string(x);
  }
}

std::string bare_text(unit u, uint64_t x) {
  if (u != unit::duration || x == unlimited)
    return x == unlimited || u == unit::on_off ? as_text(u, x)
                                               : std::to_string(x);
  auto text = std::to_string(x / second);
  auto rest = x % second;
  if (rest == 0)
    return text;
  text += '.';
  for (auto digit = second / 10; rest > 0; digit /= 10) {
    text += static_cast<char>('0' + rest / digit);
    rest %= digit;
  }
  return text;
}

std::optional<double> unit_factor(unit u, std::string_view suffix) {
  if (u == unit::duration) {
    if (suffix == "ms")
      return 1;
    if (suffix.empty() || suffix == "s")
      return second;
    if (suffix == "min")
      return 60 * second;
    if (suffix == "h")
      return 3'600 * second;
    if (suffix == "d")
      return day;
    if (suffix == "y")
      return year;
    return std::nullopt;
  }
  if (suffix.empty() || (u == unit::bytes && suffix == "B"))
    return 1;
  return std::nullopt;
}

/// Digits, perhaps a fraction, perhaps a unit.
std::optional<uint64_t> parse_number(unit u, std::string_view text) {
  double x = 0;
  auto [rest, ec] = std::from_chars(
    text.data(), text.data() + text.size(), x, std::chars_format::fixed);
  if (ec != std::errc{} || !(x >= 0) || x > 1e15)
    return std::nullopt;
  std::string_view suffix{
    rest, static_cast<size_t>(text.data() + text.size() - rest)};
  // A blank stands between a number and its unit, and nowhere else.
  if (suffix.ends_with(' '))
    return std::nullopt;
  while (!suffix.empty() && suffix.front() == ' ')
    suffix.remove_prefix(1);
  auto factor = unit_factor(u, suffix);
  if (!factor)
    return std::nullopt;
  // 1.001 s is 1000.999… ms in binary, and years have more digits to lose.
  constexpr double few_digits = 1e-6;
  constexpr double last_digits = 4 * std::numeric_limits<double>::epsilon();
  auto whole = std::round(x * *factor);
  auto rounding = std::max(few_digits, whole * last_digits);
  if (std::abs(x * *factor - whole) > rounding)
    return std::nullopt;
  return static_cast<uint64_t>(whole);
}

/// Of a value in the range it is the fraction that was wrong.
std::string whole(unit u, std::string_view text) {
  if (text.find('.') == text.npos || u == unit::on_off)
    return {};
  if (u == unit::duration)
    return ", in whole milliseconds";
  return u == unit::bytes ? ", in whole bytes" : ", in whole numbers";
}

} // namespace

std::string setting::value(const policy& x) const {
  return as_text(unit, flag ? uint64_t{x.*flag} : x.*number);
}

std::string setting::bare_value(const policy& x) const {
  return bare_text(unit, flag ? uint64_t{x.*flag} : x.*number);
}

std::string setting::range() const {
  if (unit == setting_unit::on_off)
    return "on, off";
  auto text = as_text(unit, min) + " to " + as_text(unit, max);
  return may_be_unlimited ? text + ", unlimited" : text;
}

result<void> setting::assign(policy& x, std::string_view text) const {
  auto refuse = [this, text] {
    return fail(errc::bad_request,
      "'" + std::string{text} + "' is no value of " + std::string{name}
        + "; it takes " + range() + whole(unit, text));
  };
  if (flag) {
    if (text != "on" && text != "off")
      return refuse();
    x.*flag = text == "on";
    return {};
  }
  if (text == "unlimited" || text == "∞") {
    if (!may_be_unlimited)
      return refuse();
    x.*number = unlimited;
    return {};
  }
  auto n = parse_number(unit, text);
  if (!n || *n < min || *n > max)
    return refuse();
  x.*number = *n;
  return {};
}

std::span<const setting> settings_table() noexcept {
  return table;
}

const setting* find_setting(std::string_view name) noexcept {
  auto i = std::find_if(table.begin(), table.end(),
    [name](const setting& s) { return s.name == name; });
  return i == table.end() ? nullptr : &*i;
}

std::vector<std::pair<std::string, std::string>> policy_as_text(
  const policy& x) {
  std::vector<std::pair<std::string, std::string>> xs;
  for (const auto& s : table)
    xs.emplace_back(s.name, s.bare_value(x));
  return xs;
}

} // namespace parley
