#include "protocol/errors.hpp"

#include <array>
#include <utility>

namespace parley {

namespace {

using entry = std::pair<errc, std::string_view>;

constexpr std::array entries{
  entry{errc::none, "none"},
  entry{errc::id_conflict, "id_conflict"},
  entry{errc::too_large, "too_large"},
  entry{errc::bad_address, "bad_address"},
  entry{errc::im_disabled, "im_disabled"},
  entry{errc::no_such_user, "no_such_user"},
  entry{errc::refused, "refused"},
  entry{errc::rate_limited, "rate_limited"},
  entry{errc::recipient_offline, "recipient_offline"},
  entry{errc::quota_exceeded, "quota_exceeded"},
  entry{errc::store_failed, "store_failed"},
  entry{errc::bad_request, "bad_request"},
  entry{errc::unknown_request, "unknown_request"},
  entry{errc::window_exceeded, "window_exceeded"},
  entry{errc::too_many_recipients, "too_many_recipients"},
  entry{errc::overloaded, "overloaded"},
  entry{errc::not_authorised, "not_authorised"},
  entry{errc::exists, "exists"},
  entry{errc::contact_list_full, "contact_list_full"},
  entry{errc::watcher_limit, "watcher_limit"},
  entry{errc::watch_limit, "watch_limit"},
  entry{errc::watch_disabled, "watch_disabled"},
  entry{errc::not_found, "not_found"},
  entry{errc::other_rules, "other_rules"},
  entry{errc::authentication_failed, "authentication_failed"},
  entry{errc::too_many_endpoints, "too_many_endpoints"},
  entry{errc::mechanism_unavailable, "mechanism_unavailable"},
  entry{errc::resume_failed, "resume_failed"},
  entry{errc::bad_magic, "bad_magic"},
  entry{errc::bad_frame, "bad_frame"},
  entry{errc::frame_too_large, "frame_too_large"},
  entry{errc::unsupported_version, "unsupported_version"},
  entry{errc::not_signed_in, "not_signed_in"},
  entry{errc::timed_out, "timed_out"},
  entry{errc::slow_consumer, "slow_consumer"},
  entry{errc::tls_failed, "tls_failed"},
  entry{errc::too_many_connections, "too_many_connections"},
  entry{errc::replaced, "replaced"},
  entry{errc::account_removed, "account_removed"},
  entry{errc::kicked, "kicked"},
  entry{errc::server_stopping, "server_stopping"},
  entry{errc::expired, "expired"},
  entry{errc::signed_out, "signed_out"},
  entry{errc::store_locked, "store_locked"},
  entry{errc::schema_too_new, "schema_too_new"},
  entry{errc::store_corrupt, "store_corrupt"},
  entry{errc::store_unavailable, "store_unavailable"},
};

/// Names by code; empty where there is no code.
constexpr auto names = [] {
  std::array<std::string_view, 256> result;
  for (auto [code, name] : entries)
    result[static_cast<uint8_t>(code)] = name;
  return result;
}();

} // namespace

std::string_view to_string(errc code) noexcept {
  auto name = names[static_cast<uint8_t>(code)];
  return name.empty() ? names[0] : name;
}

errc errc_from_string(std::string_view text) noexcept {
  for (auto [code, name] : entries)
    if (name == text)
      return code;
  return errc::none;
}

} // namespace parley
