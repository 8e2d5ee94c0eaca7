#include "protocol/address.hpp"

#include "protocol/defaults.hpp"
#include "protocol/unicode.hpp"
#include "tests/fuzz/input.hpp"

// The whole input is an address as somebody wrote it.

using namespace parley;
using namespace parley::fuzz;

namespace {

void check_part(std::string_view part, const char* what) {
  expect(!part.empty() && part.size() <= defaults::address_part_max, what);
  expect(is_utf8(part), "a part is UTF-8");
  for (unsigned char c : part)
    expect(c >= 0x20 && c != 0x7f, "a part has no control character");
}

void check_user(const user_address& x) {
  check_part(x.node(), "a name has 1 to 255 bytes");
  check_part(x.domain(), "a domain has 1 to 255 bytes");
  expect(x.node().find_first_of("\"&'/:<>@ ") == std::string_view::npos,
    "a name has none of the characters of RFC 6122, appendix A.5");
  expect(x.domain().find_first_of("/@ ") == std::string_view::npos,
    "a domain cannot be taken for more than a domain");
  auto again = user_address::parse(x.str());
  expect(again && again->str() == x.str(), "a prepared user stays as it is");
  expect(again->hash() == x.hash(), "equal users have equal hashes");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  if (auto x = user_address::parse(text)) {
    check_user(*x);
    auto whole = address::parse(text);
    expect(whole && whole->user == *x && !whole->is_full(),
      "a user is an address without an endpoint");
  }
  if (auto x = endpoint_name::parse(text)) {
    check_part(x->str(), "an endpoint has 1 to 255 bytes");
    auto again = endpoint_name::parse(x->str());
    expect(again && *again == *x, "a prepared endpoint stays as it is");
  }
  if (auto x = address::parse(text)) {
    check_user(x->user);
    if (x->is_full())
      check_part(x->endpoint.str(), "an endpoint has 1 to 255 bytes");
    auto again = address::parse(x->str());
    expect(again && *again == *x, "a prepared address stays as it is");
  }
  return 0;
}
