#define BOOST_TEST_MODULE session_stream
#include <boost/test/unit_test.hpp>
