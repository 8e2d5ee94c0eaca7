#define BOOST_TEST_MODULE store_actors
#include <boost/test/unit_test.hpp>
