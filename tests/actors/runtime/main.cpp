#define BOOST_TEST_MODULE actor.runtime
#include <boost/test/unit_test.hpp>
