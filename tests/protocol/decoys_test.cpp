#include <boost/test/unit_test.hpp>

#include <map>
#include <string>

#include "protocol/decoys.hpp"
#include "protocol/defaults.hpp"
#include "protocol/sasl.hpp"

using namespace parley;

namespace {

std::string user(int n) {
  return "user" + std::to_string(n) + "@example.org";
}

/// As imported from a server that does more.
scram_keys imported(uint32_t iterations, size_t salt_bytes) {
  auto x =
    decoy_keys("x", "y", {{}, {iterations, static_cast<uint32_t>(salt_bytes)}});
  x.sha1 = {};
  return x;
}

/// The first challenge without its nonce: salt and iterations.
std::string challenge(const std::shared_ptr<const decoys>& from,
  const std::string& name, const scram_keys* keys,
  const std::string& mechanism = "SCRAM-SHA-256") {
  auto server = sasl_server::make(mechanism, {}, "example.org", from);
  BOOST_REQUIRE(server.has_value());
  BOOST_REQUIRE((server->respond("n,,n=" + name + ",r=abc")
    == sasl_server::step::find_keys));
  BOOST_REQUIRE((server->keys_found(keys) == sasl_server::step::challenge));
  const auto& text = server->data();
  return text.substr(text.find(",s="));
}

} // namespace

BOOST_AUTO_TEST_CASE(decoys_look_like_keys_and_stay_the_same) {
  const decoys all{"secret"};
  const auto decoy = all.keys_of("eve@example.org");
  BOOST_TEST((decoy == all.keys_of("eve@example.org")));
  BOOST_TEST((decoy == all.own_keys_of("eve@example.org")));
  const auto real = derive_keys("pencil", defaults::scram_iterations);
  BOOST_REQUIRE(real.has_value());
  for (auto which : {&scram_keys::sha1, &scram_keys::sha256}) {
    const auto& x = decoy.*which;
    const auto& y = (*real).*which;
    BOOST_TEST(x.salt.size() == y.salt.size());
    BOOST_TEST(x.iterations == y.iterations);
    BOOST_TEST(x.stored_key.size() == y.stored_key.size());
    BOOST_TEST(x.server_key.size() == y.server_key.size());
    BOOST_TEST(x.stored_key != x.server_key);
  }
  BOOST_TEST(!password_matches("pencil", decoy));
  const auto other_user = all.keys_of("eva@example.org");
  const auto other_secret = decoys{"Secret"}.keys_of("eve@example.org");
  BOOST_TEST(decoy.sha256.salt != other_user.sha256.salt);
  BOOST_TEST(decoy.sha1.salt != other_user.sha1.salt);
  BOOST_TEST(decoy.sha256.salt != other_secret.sha256.salt);
}

BOOST_AUTO_TEST_CASE(decoys_are_as_the_accounts_are_and_as_often) {
  decoys all{"secret"};
  // None of the server's own making.
  for (int i = 0; i < 300; ++i)
    all.add(imported(10'000, 36));
  for (int i = 0; i < 100; ++i)
    all.add(imported(15'000, 24));
  std::map<std::pair<uint32_t, size_t>, int> seen;
  constexpr int names = 4'000;
  for (int i = 0; i < names; ++i) {
    const auto x = all.keys_of(user(i));
    ++seen[{x.sha256.iterations, x.sha256.salt.size()}];
    BOOST_TEST(x.sha1.iterations == 0u);
    BOOST_TEST(x.sha256.stored_key.size() == 32u);
  }
  BOOST_TEST(seen.size() == 2u);
  const auto often = seen[std::pair{10'000u, size_t{36}}];
  // Three quarters; the names are always the same, so is the count.
  BOOST_TEST(often > names * 70 / 100);
  BOOST_TEST(often < names * 80 / 100);
}

BOOST_AUTO_TEST_CASE(a_new_account_changes_few_decoys) {
  decoys all{"secret"};
  for (int i = 0; i < 500; ++i) {
    all.add(imported(10'000, 36));
    all.add(imported(15'000, 24));
  }
  std::map<int, scram_keys> before;
  for (int i = 0; i < 1'000; ++i)
    before[i] = all.keys_of(user(i));
  for (int i = 0; i < 10; ++i)
    all.add(imported(10'000, 36));
  int changed = 0;
  for (int i = 0; i < 1'000; ++i)
    changed += before[i] != all.keys_of(user(i));
  BOOST_TEST(changed < 20);
}

BOOST_AUTO_TEST_CASE(long_salts_are_drawn_as_well) {
  const auto x = imported(10'000, defaults::scram_salt_max);
  BOOST_TEST(x.sha256.salt.size() == defaults::scram_salt_max);
  BOOST_TEST(x.sha256.salt.substr(0, 32) != x.sha256.salt.substr(32, 32));
}

BOOST_AUTO_TEST_CASE(the_shapes_are_bounded) {
  decoys all{"secret"};
  for (uint32_t i = 1; i <= 2 * defaults::scram_shapes_max; ++i)
    all.add(imported(i, 16));
  for (int i = 0; i < 1'000; ++i)
    BOOST_TEST(
      all.keys_of(user(i)).sha256.iterations <= defaults::scram_shapes_max);
}

BOOST_AUTO_TEST_CASE(
  the_first_challenge_does_not_tell_imported_accounts_apart) {
  auto all = std::make_shared<decoys>("secret");
  const auto real = imported(10'000, 36);
  all->add(real);
  const auto shape_of = [](const std::string& text) {
    return std::pair{text.size(), text.substr(text.find(",i="))};
  };
  BOOST_TEST((shape_of(challenge(all, "alice@example.org", &real))
    == shape_of(challenge(all, "nobody@example.org", nullptr))));
  // Nor for a hash that they have no keys of.
  BOOST_TEST((
    shape_of(challenge(all, "alice@example.org", &real, "SCRAM-SHA-1"))
    == shape_of(challenge(all, "nobody@example.org", nullptr, "SCRAM-SHA-1"))));
}
