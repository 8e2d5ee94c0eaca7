#include "tests/persistence/fixture.hpp"
#include "tests/persistence/model.hpp"

#include <iostream>
#include <random>

using namespace parley;
using namespace parley::test;

BOOST_AUTO_TEST_SUITE(properties)

BOOST_AUTO_TEST_CASE(random_operations_do_what_the_model_does) {
  std::random_device source;
  for (int run = 0; run < 12; ++run) {
    auto seed = source();
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::cout << "seed " << seed << '\n';
      operation_source operations(seed);
      store_model model;
      memory_store db;
      for (int i = 0; i < 150; ++i) {
        auto batch = operations.batch();
        commit(*db, batch);
        model.commit(batch);
        if (operations.one_in(10)) {
          auto before = operations.some_time();
          BOOST_REQUIRE(forget_ids(*db, before) == model.forget_ids(before));
        }
        if (operations.one_in(12))
          db.reopen();
        if (operations.one_in(5))
          BOOST_REQUIRE_NO_THROW(model.expect_same(*db));
      }
      model.expect_same(*db);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
