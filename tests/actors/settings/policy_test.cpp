#include "actors/settings/policy.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <random>

namespace parley::test {

namespace {

constexpr uint64_t s = 1'000;
constexpr uint64_t d = 86'400 * s;

struct row {
  std::string_view name;
  /// 0 and 1 for a switch; milliseconds for a duration.
  uint64_t value;
  uint64_t min;
  uint64_t max;
  bool may_be_unlimited;
};

/// The table of requirements, section 5, written down a second time.
constexpr row contract[] = {
  {"im.enabled", 1, 0, 1, false},
  {"im.store_offline", 1, 0, 1, false},
  {"im.client_history", 1, 0, 1, false},
  {"im.cut_and_paste", 1, 0, 1, false},
  {"im.grace", 2 * s, 100, 30 * s, false},
  {"im.idle_release", 600 * s, s, 86'400 * s, true},
  {"im.body_max", 32'768, 1, 262'144, false},
  {"im.offline_max", 1'000, 0, 1'000'000, true},
  {"im.offline_ttl", 30 * d, 60 * s, 3'650 * d, true},
  {"im.retry_memory", 7 * d, 60 * s, 365 * d, false},
  {"im.broadcast_max", 1'000, 1, 100'000, false},
  {"im.rate", unlimited, 1, 1'000'000, true},
  {"account.registration", 0, 0, 1, false},
  {"documents.max", 1'000, 0, 1'000'000, true},
  {"documents.bytes_max", 4'194'304, 0, 1'073'741'824, true},
  {"contacts.max", 200, 0, 100'000, true},
  {"watchers.max", 200, 0, 100'000, true},
  {"presence.sharing", 1, 0, 1, false},
  {"presence.sharing_override", 0, 0, 1, false},
  {"presence.auto_approve", 1, 0, 1, false},
  {"presence.adhoc", 1, 0, 1, false},
  {"presence.adhoc_max", unlimited, 0, 100'000, true},
  {"presence.adhoc_ttl", 4'080 * s, s, 604'800 * s, false},
  {"session.endpoints_max", 10, 1, 1'000, false},
  {"session.resume_window", 60 * s, 0, 3'600 * s, false},
  {"session.buffer", 100, 5, 10'000, false},
  {"session.heartbeat", 60 * s, s, 600 * s, false},
  {"signin.rate", unlimited, 1, 100'000, true},
};

uint64_t value_of(const setting& x, const policy& p) {
  return x.flag ? uint64_t{p.*x.flag} : p.*x.number;
}

const setting& find(std::string_view name) {
  auto* x = find_setting(name);
  BOOST_REQUIRE(x != nullptr);
  return *x;
}

/// What became of `text` in a fresh policy; nothing if it was refused.
std::optional<uint64_t> assigned(std::string_view name, std::string_view text) {
  policy p;
  auto& x = find(name);
  if (x.assign(p, text))
    return value_of(x, p);
  BOOST_TEST((p == policy{}), name << " was changed by a refused value");
  return std::nullopt;
}

BOOST_AUTO_TEST_SUITE(settings_table_)

BOOST_AUTO_TEST_CASE(names_defaults_and_ranges_are_those_of_the_contract) {
  BOOST_TEST(settings_table().size() == std::size(contract));
  for (const auto& r : contract) {
    BOOST_TEST_CONTEXT(r.name) {
      auto& x = find(r.name);
      BOOST_TEST(value_of(x, policy{}) == r.value);
      BOOST_TEST(x.min == r.min);
      BOOST_TEST(x.max == r.max);
      BOOST_TEST(x.may_be_unlimited == r.may_be_unlimited);
      BOOST_TEST(!x.text.empty());
      BOOST_TEST((x.flag == nullptr) == (x.number != nullptr));
      BOOST_TEST((x.flag != nullptr) == (x.unit == setting_unit::on_off));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_table_is_sorted_and_every_default_is_within_it) {
  auto table = settings_table();
  BOOST_TEST(std::is_sorted(table.begin(), table.end(),
    [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const auto& x : table) {
    auto v = value_of(x, policy{});
    if (v == unlimited)
      BOOST_TEST(x.may_be_unlimited, x.name);
    else
      BOOST_TEST((v >= x.min && v <= x.max), x.name);
  }
  BOOST_TEST(find_setting("im.nothing") == nullptr);
  BOOST_TEST(find_setting("") == nullptr);
}

BOOST_AUTO_TEST_CASE(each_setting_has_a_field_of_its_own) {
  for (const auto& x : settings_table()) {
    policy p;
    if (x.flag)
      p.*x.flag = !(p.*x.flag);
    else
      p.*x.number = x.min + 1;
    auto before = policy_as_text(policy{});
    auto after = policy_as_text(p);
    size_t changed = 0;
    for (size_t i = 0; i < before.size(); ++i)
      changed += before[i] != after[i];
    BOOST_TEST(changed == 1u, x.name);
  }
}

BOOST_AUTO_TEST_CASE(both_ends_of_a_range_are_in_it_and_one_beyond_is_not) {
  for (const auto& x : settings_table()) {
    if (x.flag)
      continue;
    BOOST_TEST_CONTEXT(x.name) {
      auto text = [&x](uint64_t v) {
        return std::to_string(v)
          + (x.unit == setting_unit::duration ? " ms" : "");
      };
      BOOST_CHECK(assigned(x.name, text(x.min)) == x.min);
      BOOST_CHECK(assigned(x.name, text(x.max)) == x.max);
      BOOST_CHECK(!assigned(x.name, text(x.max + 1)));
      if (x.min > 0)
        BOOST_CHECK(!assigned(x.name, text(x.min - 1)));
      auto u = assigned(x.name, "unlimited");
      BOOST_TEST(u.has_value() == x.may_be_unlimited);
      if (u)
        BOOST_TEST(*u == unlimited);
    }
  }
}

BOOST_AUTO_TEST_CASE(units_are_understood_where_they_belong) {
  BOOST_CHECK(assigned("im.grace", "2") == 2 * s);
  BOOST_CHECK(assigned("im.grace", "2s") == 2 * s);
  BOOST_CHECK(assigned("im.grace", "2 s") == 2 * s);
  BOOST_CHECK(assigned("im.grace", "0.5") == 500u);
  BOOST_CHECK(assigned("im.grace", "150ms") == 150u);
  BOOST_CHECK(assigned("im.idle_release", "5 min") == 300 * s);
  BOOST_CHECK(assigned("im.offline_ttl", "36 h") == 36 * 3'600 * s);
  BOOST_CHECK(assigned("im.offline_ttl", "1.5d") == 129'600 * s);
  BOOST_CHECK(assigned("im.offline_ttl", "10 y") == 3'650 * d);
  BOOST_CHECK(assigned("im.body_max", "1000 B") == 1'000u);
  BOOST_CHECK(assigned("im.enabled", "off") == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_no_value_is_refused) {
  for (auto text : {"", " ", "x", "-1", "1 parsec", "1,5", "nan", "inf", "0x10",
         "1e3", "2 s s", "99999999999999999999", "+1", "1 B", "-0"})
    BOOST_TEST(!assigned("im.idle_release", text).has_value(), text);
  for (auto text : {"", "1", "true", "ON", "on ", "yes", "unlimited"})
    BOOST_TEST(!assigned("im.enabled", text).has_value(), text);
  for (auto text : {"1.5", "3 s", "200 ms"})
    BOOST_TEST(!assigned("contacts.max", text).has_value(), text);
  BOOST_TEST(!assigned("im.grace", "1.0005").has_value());
}

BOOST_AUTO_TEST_CASE(no_value_of_any_kind_has_blanks_around_it) {
  for (const auto& x : settings_table()) {
    std::vector<std::string> values{x.bare_value(policy{}), x.value(policy{})};
    if (x.may_be_unlimited)
      values.emplace_back("unlimited");
    for (const auto& value : values) {
      BOOST_TEST(assigned(x.name, value).has_value(), x.name << ' ' << value);
      for (const auto& text :
        {' ' + value, value + ' ', value + "  ", '\t' + value, value + '\n'})
        BOOST_TEST(!assigned(x.name, text), x.name << " '" << text << "'");
    }
  }
}

BOOST_AUTO_TEST_CASE(every_millisecond_can_be_written_as_seconds) {
  for (uint64_t ms = 100; ms <= 30'000; ++ms) {
    auto digits = std::to_string(ms % s);
    auto text = std::to_string(ms / s) + "."
      + std::string(3 - digits.size(), '0') + digits;
    BOOST_REQUIRE_MESSAGE(assigned("im.grace", text) == ms, text);
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_names_setting_value_and_range) {
  policy p;
  auto bad = find("im.grace").assign(p, "31 s");
  BOOST_REQUIRE(!bad);
  BOOST_CHECK(bad.error().code == errc::bad_request);
  for (auto part : {"im.grace", "31 s", "100 ms", "30 s"})
    BOOST_TEST(bad.error().text.find(part) != std::string::npos, part);
  BOOST_TEST(bad.error().text.ends_with("30 s"));
  // It is in the range.
  bad = find("im.grace").assign(p, "2.0005");
  BOOST_REQUIRE(!bad);
  BOOST_TEST(bad.error().text.ends_with("30 s, in whole milliseconds"));
  BOOST_TEST(find("im.enabled").range() == "on, off");
  BOOST_TEST(find("im.offline_max").range() == "0 to 1000000, unlimited");
}

BOOST_AUTO_TEST_CASE(a_value_as_text_can_be_assigned_again) {
  std::mt19937_64 random(17);
  for (const auto& x : settings_table())
    for (int i = 0; i < 2'000; ++i) {
      policy p;
      if (x.flag) {
        p.*x.flag = i % 2;
      } else {
        p.*x.number = x.min + random() % (x.max - x.min + 1);
        if (x.unit == setting_unit::duration && i % 2)
          p.*x.number = std::max(x.min, p.*x.number / s * s);
        if (x.may_be_unlimited && i % 100 == 0)
          p.*x.number = unlimited;
      }
      policy q;
      auto text = x.value(p);
      BOOST_REQUIRE_MESSAGE(x.assign(q, text), x.name << " " << text);
      BOOST_REQUIRE_MESSAGE(p == q, x.name << " " << text);
    }
}

BOOST_AUTO_TEST_CASE(clients_are_told_bare_values_that_can_be_assigned_again) {
  auto told = [](std::string_view name, std::string_view value) {
    policy p;
    BOOST_REQUIRE(find(name).assign(p, value));
    for (const auto& [n, text] : policy_as_text(p))
      if (n == name)
        return text;
    return std::string{"nothing"};
  };
  BOOST_TEST(told("im.body_max", "32768 B") == "32768");
  BOOST_TEST(told("im.grace", "2 s") == "2");
  BOOST_TEST(told("im.grace", "100 ms") == "0.1");
  BOOST_TEST(told("im.grace", "1050 ms") == "1.05");
  BOOST_TEST(told("im.grace", "1001 ms") == "1.001");
  BOOST_TEST(told("im.offline_ttl", "30 d") == "2592000");
  BOOST_TEST(told("im.offline_ttl", "unlimited") == "unlimited");
  BOOST_TEST(told("session.resume_window", "0") == "0");
  BOOST_TEST(told("im.client_history", "off") == "off");
  BOOST_TEST(told("contacts.max", "7") == "7");
  std::mt19937_64 random(18);
  for (const auto& x : settings_table())
    for (int i = 0; i < 2'000; ++i) {
      policy p;
      if (x.flag)
        p.*x.flag = i % 2;
      else
        p.*x.number = x.min + random() % (x.max - x.min + 1);
      policy q;
      auto text = x.bare_value(p);
      BOOST_REQUIRE_MESSAGE(x.assign(q, text), x.name << " " << text);
      BOOST_REQUIRE_MESSAGE(p == q, x.name << " " << text);
      BOOST_TEST(text.find(' ') == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(half_of_the_buffer_is_for_each_direction) {
  for (uint64_t n : {5u, 6u, 100u, 10'000u}) {
    policy p;
    p.session_buffer = n;
    BOOST_TEST(p.window_messages() >= 1u);
    BOOST_TEST(2 * p.window_messages() <= n);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
