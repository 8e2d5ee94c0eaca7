#include <boost/test/unit_test.hpp>

#include "protocol/client/contact_book.hpp"
#include "protocol/client/presence_table.hpp"

using namespace parley;

namespace {

user_address user(const std::string& name) {
  return user_address::from_prepared(name + "@example.org");
}

contact entry(const std::string& name, half to, half from = half::none) {
  return {user(name), {}, {}, true, {to, from}, false};
}

contact_list list(uint64_t since, uint64_t version,
  std::vector<contact> contacts, std::vector<user_address> removed = {}) {
  return {{since}, {version}, std::move(contacts), std::move(removed)};
}

using news_list = std::vector<contact_book::news>;

news_list taken(contact_book& book, const contact_list& x) {
  news_list out;
  BOOST_TEST(book.take(x, out));
  return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_list_follows_differences_and_refuses_what_has_a_gap) {
  contact_book book;
  news_list out;
  // Nothing is known yet.
  BOOST_TEST(!book.take(list(3, 4, {entry("bob", half::none)}), out));
  taken(book, list(0, 4, {entry("bob", half::none)}));
  taken(book, list(4, 5, {entry("carol", half::none)}));
  BOOST_TEST(book.all().size() == 2u);
  BOOST_TEST(book.known().value == 5u);
  BOOST_TEST(!book.take(list(6, 7, {}, {user("bob")}), out));
  BOOST_TEST(book.all().size() == 2u);
  BOOST_TEST(book.known().value == 5u);
  // A difference to something older holds what is newer.
  taken(book, list(2, 7, {}, {user("bob"), user("never")}));
  BOOST_TEST(book.all().size() == 1u);
  BOOST_TEST(book.known().value == 7u);
  BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(an_answer_that_a_change_has_overtaken_changes_nothing) {
  contact_book book;
  taken(book, list(0, 9, {entry("bob", half::active)}));
  taken(book, list(3, 8, {}, {user("bob")}));
  BOOST_TEST(book.all().size() == 1u);
  BOOST_TEST(book.known().value == 9u);
}

BOOST_AUTO_TEST_CASE(a_whole_list_replaces_whatever_there_was) {
  contact_book book;
  taken(
    book, list(0, 9, {entry("bob", half::none), entry("carol", half::active)}));
  auto news = taken(book, list(0, 2, {entry("bob", half::none)}));
  BOOST_TEST(book.all().size() == 1u);
  BOOST_TEST(book.known().value == 2u);
  BOOST_TEST((news == news_list{{user("carol"), subscription_event::ended}}));
}

BOOST_AUTO_TEST_CASE(an_empty_list_is_a_list) {
  contact_book book;
  taken(book, list(0, 0, {}));
  // The first change rests on it.
  auto news = taken(book, list(0, 1, {entry("bob", half::active)}));
  BOOST_TEST((news == news_list{{user("bob"), subscription_event::approved}}));
}

BOOST_AUTO_TEST_CASE(of_the_first_list_only_requests_are_news) {
  contact_book book;
  auto news = taken(book,
    list(0, 5,
      {entry("bob", half::active), entry("carol", half::none, half::pending),
        entry("dave", half::pending, half::active)}));
  BOOST_TEST((news == news_list{{user("carol"), subscription_event::request}}));
}

BOOST_AUTO_TEST_CASE(each_change_of_a_half_is_told_as_what_it_means) {
  constexpr half halves[] = {half::none, half::pending, half::active};
  for (auto before : halves)
    for (auto after : halves) {
      contact_book book;
      taken(book, list(0, 1, {entry("bob", before)}));
      auto news = taken(book, list(1, 2, {entry("bob", after)}));
      auto expected = [&](subscription_event x) {
        BOOST_TEST((news == news_list{{user("bob"), x}}));
      };
      if (after == before || after == half::pending)
        BOOST_TEST(news.empty());
      else if (after == half::active)
        expected(subscription_event::approved);
      else if (before == half::pending)
        expected(subscription_event::denied);
      else
        expected(subscription_event::ended);

      contact_book other;
      taken(other, list(0, 1, {entry("bob", half::none, before)}));
      news = taken(other, list(1, 2, {entry("bob", half::none, after)}));
      if (after == half::pending && before != after)
        expected(subscription_event::request);
      else
        BOOST_TEST(news.empty());
    }
}

BOOST_AUTO_TEST_CASE(an_end_that_the_user_made_is_no_news_once) {
  contact_book book;
  taken(book, list(0, 1, {entry("bob", half::active)}));
  book.expect_end(user("bob"));
  BOOST_TEST(taken(book, list(1, 2, {entry("bob", half::none)})).empty());
  taken(book, list(2, 3, {entry("bob", half::active)}));
  BOOST_TEST(taken(book, list(3, 4, {}, {user("bob")})).size() == 1u);
  // There was nothing to end, so nothing is expected.
  book.expect_end(user("bob"));
  taken(book, list(4, 5, {entry("bob", half::active)}));
  BOOST_TEST(taken(book, list(5, 6, {}, {user("bob")})).size() == 1u);
  taken(book, list(6, 7, {entry("bob", half::active)}));
  book.expect_end(user("bob"));
  book.forget_end(user("bob"));
  BOOST_TEST(taken(book, list(7, 8, {}, {user("bob")})).size() == 1u);
}

// -- presence -----------------------------------------------------------------

namespace {

presence_notice notice(const char* from, show what) {
  presence_notice x;
  x.from = *address::parse(from);
  x.what.show = what;
  return x;
}

std::vector<std::string> reset(presence_table& x) {
  std::vector<std::string> out;
  for (auto& one : x.reset()) {
    BOOST_TEST((one.what.show == show::unavailable));
    BOOST_TEST((one.composed == show::unavailable));
    out.push_back(one.from.str());
  }
  return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_reset_tells_of_each_endpoint_that_was_available) {
  using texts = std::vector<std::string>;
  presence_table x;
  x.take(notice("b@x.org/desk", show::available));
  x.take(notice("b@x.org/desk", show::dnd));
  x.take(notice("b@x.org/phone", show::away));
  x.take(notice("c@x.org/desk", show::chat));
  x.take(notice("d@x.org/desk", show::available));
  x.take(notice("d@x.org/desk", show::unavailable));
  x.take(notice("e@x.org", show::unknown));
  BOOST_TEST(
    (reset(x) == texts{"b@x.org/desk", "b@x.org/phone", "c@x.org/desk"}));
  BOOST_TEST(reset(x).empty());
}

BOOST_AUTO_TEST_CASE(unknown_from_a_user_speaks_for_all_of_its_endpoints) {
  using texts = std::vector<std::string>;
  presence_table x;
  for (auto who : {"b@x.org/desk", "b@x.org/phone", "bb@x.org/a", "a@x.org/z"})
    x.take(notice(who, show::available));
  x.take(notice("b@x.org", show::unknown));
  BOOST_TEST((reset(x) == texts{"a@x.org/z", "bb@x.org/a"}));
}
