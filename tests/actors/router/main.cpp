#define BOOST_TEST_MODULE inbox
#include <boost/test/unit_test.hpp>
