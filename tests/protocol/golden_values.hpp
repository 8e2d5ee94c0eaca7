#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/protocol/golden.hpp"

/// What the golden frames are made of.
namespace parley::test {

inline address to_address(std::string_view text) {
  address x;
  auto slash = text.find('/');
  x.user = user_address::from_prepared(std::string{text.substr(0, slash)});
  if (slash != text.npos)
    x.endpoint =
      endpoint_name::from_prepared(std::string{text.substr(slash + 1)});
  return x;
}

inline user_address to_user(std::string_view text) {
  return user_address::from_prepared(std::string{text});
}

inline native::numbered_event numbered(uint64_t number, event what) {
  return {sequence{number}, std::move(what)};
}

native::server_frame answered(uint64_t number, uint64_t request, auto what) {
  return numbered(number, answer{request_number{request}, std::move(what)});
}

inline native::client_frame asked(uint64_t number, request what) {
  return numbered_request{request_number{number}, std::move(what)};
}

/// Those of contacts, privacy and presence.
std::vector<golden<native::client_frame>> golden_contacts_requests();
std::vector<golden<native::server_frame>> golden_contacts_events();

} // namespace parley::test
