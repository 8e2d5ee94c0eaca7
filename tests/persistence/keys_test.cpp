#include "persistence/keys.hpp"
#include "tests/persistence/fixture.hpp"

#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;
using namespace std::string_literals;

namespace {

const retry_key sample{user("a@b"), {"m1"}, user("c@d")};

/// By bytes, as RocksDB sorts; Boost.Test compares strings by signed char.
bool sorted(const std::string& a, const std::string& b) {
  return a < b;
}

} // namespace

BOOST_AUTO_TEST_SUITE(key_layout)

// They stand in data folders: a change here is a new schema.
BOOST_AUTO_TEST_CASE(keys_are_what_the_readme_says) {
  BOOST_TEST(keys::user(alice) == "alice@example.org");
  BOOST_TEST(
    keys::im(user("a@b"), im_order{258}) == "\0\3a@b\0\0\0\0\0\0\1\2"s);
  BOOST_TEST(keys::id(sample) == "\1\0\3a@b\0\2m1c@d"s);
  BOOST_TEST(keys::forgettable({at(258), im_order{3}, sample})
    == "\2\x80\0\0\0\0\0\1\2\0\0\0\0\0\0\0\3\0\3a@b\0\2m1c@d"s);
  BOOST_TEST(keys::body({user("a@b"), {"m1"}, 258})
    == "\0\3a@b\0\2m1\0\0\0\0\0\0\1\2\0"s);
  BOOST_TEST(keys::body_references({user("a@b"), {"m1"}, 258})
    == "\0\3a@b\0\2m1\0\0\0\0\0\0\1\2\1"s);
  BOOST_TEST(keys::roster(user("a@b")) == "\0\3a@b\0"s);
  BOOST_TEST(keys::contacts(user("a@b")) == "\0\3a@b\1"s);
  BOOST_TEST(keys::contact(user("a@b"), user("c@d")) == "\0\3a@b\1c@d"s);
  BOOST_TEST(keys::note(user("a@b"), true, user("c@d")) == "\0\3a@b\0c@d"s);
  BOOST_TEST(keys::note(user("a@b"), false, user("c@d")) == "\0\3a@b\1c@d"s);
  BOOST_TEST(keys::documents(user("a@b")) == "\0\3a@b\0"s);
  BOOST_TEST(keys::collection(user("a@b"), "n") == "\0\3a@b\1\0\1n\0"s);
  BOOST_TEST(keys::document(user("a@b"), "n", "id") == "\0\3a@b\1\0\1n\1id"s);
  BOOST_TEST(keys::audit(258) == "\0\0\0\0\0\0\1\2"s);
  BOOST_TEST(keys::schema == "schema");
  BOOST_TEST(keys::secret == "secret");
}

BOOST_AUTO_TEST_CASE(keys_sort_as_what_they_stand_for) {
  BOOST_TEST(
    sorted(keys::im(bob, im_order{255}), keys::im(bob, im_order{256})));
  BOOST_TEST(sorted(keys::im(bob, im_order{UINT64_MAX}), keys::im_end(bob)));
  BOOST_TEST(
    sorted(keys::im_end(user("a@b")), keys::im(user("a@c"), im_order{})));
  // No user's IMs are among those of one whose name begins likewise.
  auto longer = keys::im(user("a@bc"), im_order{7});
  BOOST_TEST((sorted(longer, keys::im(user("a@b"), im_order{}))
    || sorted(keys::im_end(user("a@b")), longer)));

  BOOST_TEST(sorted(keys::forgettable({at(-1), {}, sample}),
    keys::forgettable({at(0), {}, sample})));
  BOOST_TEST(sorted(keys::forgettable({at(255), {}, sample}),
    keys::forgettable_begin(at(256))));
  BOOST_TEST(sorted(keys::id_kind(), keys::id_begin(user(""))));
  BOOST_TEST(sorted(keys::id_begin(sample.sender), keys::id(sample)));
  BOOST_TEST(sorted(keys::id(sample), keys::id_end(sample.sender)));
  BOOST_TEST(
    sorted(keys::id_end(user(std::string(511, '\xff'))), keys::id_kind_end()));
  BOOST_TEST(
    sorted(keys::id_kind_end(), keys::forgettable_begin(at(INT64_MIN))));
  BOOST_TEST(sorted(keys::audit(255), keys::audit(256)));

  BOOST_TEST(sorted(keys::roster(bob), keys::contacts(bob)));
  BOOST_TEST(sorted(keys::contacts(bob), keys::contact(bob, user("a"))));
  BOOST_TEST(sorted(keys::contact(bob, alice), keys::contact(bob, carol)));
  BOOST_TEST(sorted(
    keys::contact(bob, user(std::string(511, '\xff'))), keys::roster_end(bob)));
  // Nor is anybody's roster among that of another.
  for (auto& other : {alice, user("bob@example.orgs"), user("bob@example.or")})
    for (auto& key :
      {keys::roster(other), keys::contacts(other), keys::contact(other, bob)})
      BOOST_TEST(
        (sorted(key, keys::roster(bob)) || sorted(keys::roster_end(bob), key)));
}

BOOST_AUTO_TEST_CASE(keys_are_read_as_they_were_written) {
  auto place = keys::parse_im(keys::im(bob, im_order{77}));
  BOOST_REQUIRE(place.has_value());
  BOOST_TEST((place->first == bob));
  BOOST_TEST(place->second.value == 77u);
  BOOST_TEST((keys::parse_id(keys::id(sample)) == sample));
  auto forgettable = keys::parse_forgettable(
    keys::forgettable({at(1'700'000'000'123), im_order{5}, sample}));
  BOOST_REQUIRE(forgettable.has_value());
  BOOST_TEST((forgettable->stored_at == at(1'700'000'000'123)));
  BOOST_TEST(forgettable->order.value == 5u);
  BOOST_TEST((forgettable->key == sample));
  BOOST_TEST(keys::parse_audit(keys::audit(9)).value() == 9u);

  auto head_key = keys::roster(bob);
  auto head = keys::parse_roster(head_key).value();
  BOOST_TEST(head.user == bob.str());
  BOOST_TEST((head.what == keys::roster_place::part::head));
  auto list_key = keys::contacts(bob);
  auto list = keys::parse_roster(list_key).value();
  BOOST_TEST(list.user == bob.str());
  BOOST_TEST((list.what == keys::roster_place::part::contacts));
  auto entry_key = keys::contact(bob, carol);
  auto entry = keys::parse_roster(entry_key).value();
  BOOST_TEST(entry.user == bob.str());
  BOOST_TEST((entry.what == keys::roster_place::part::contact));
  BOOST_TEST(entry.contact == carol.str());
  for (bool is_wish : {true, false}) {
    auto note = keys::parse_note(keys::note(bob, is_wish, carol)).value();
    BOOST_TEST((note.from == bob));
    BOOST_TEST((note.to == carol));
    BOOST_TEST(note.is_wish == is_wish);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_key_is_refused) {
  auto im = keys::im(bob, im_order{77});
  for (size_t n = 0; n < im.size(); ++n)
    BOOST_TEST(!keys::parse_im(im.substr(0, n)));
  BOOST_TEST(!keys::parse_im(im + "x"));
  // The recipient takes the rest, so that a shorter key may be one.
  auto id = keys::id(sample);
  for (size_t n = 0; n + sample.recipient.str().size() < id.size(); ++n)
    BOOST_TEST(!keys::parse_id(id.substr(0, n)));
  BOOST_TEST(!keys::parse_id(keys::forgettable({at(0), {}, sample})));
  BOOST_TEST(!keys::parse_forgettable(id));
  auto entry = keys::contact(bob, carol);
  auto note = keys::note(bob, true, carol);
  for (size_t n = 0; n <= 3 + bob.str().size(); ++n) {
    if (n < 3 + bob.str().size())
      BOOST_TEST(!keys::parse_roster(entry.substr(0, n)));
    BOOST_TEST(!keys::parse_note(note.substr(0, n)));
  }
  BOOST_TEST(!keys::parse_roster(keys::roster(bob) + "x"));
  BOOST_TEST(!keys::parse_roster(keys::roster_end(bob)));
  BOOST_TEST(!keys::parse_roster(keys::roster_end(bob) + "x"));
  BOOST_TEST(!keys::parse_note(keys::roster_end(bob) + "x"));
  BOOST_TEST(!keys::parse_audit("1234567"));
  BOOST_TEST(!keys::parse_audit("123456789"));
}

BOOST_AUTO_TEST_SUITE_END()
