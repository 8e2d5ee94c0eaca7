#include "actors/accounts/guessing.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

/// In no address: separates the parts of a key.
constexpr char separator = '\n';

failure too_many(std::chrono::milliseconds retry_after) {
  failure x{errc::overloaded, "too many sign-ins are waiting; try again later"};
  x.retry_after = retry_after;
  return x;
}

} // namespace

guessing::attempt guessing::classify(
  const user_address& user, const std::string& source, time_point now) const {
  attempt x;
  x.source = source;
  x.pair = user.str() + separator + source;
  x.is_known = x_known.contains(x.pair, now);
  if (x.is_known)
    x.lane = x.pair;
  else if (x_sources.is_fresh(source, now))
    x.lane = user.str();
  else
    x.lane = user.str() + separator;
  return x;
}

double guessing::needed_by_strangers() const noexcept {
  constexpr double share = 0.25;
  return 1 + share * static_cast<double>(*x_rate);
}

double guessing::left_max() const noexcept {
  return std::max(static_cast<double>(*x_rate), needed_by_strangers());
}

std::optional<guessing::milliseconds> guessing::over_rate(
  bool is_known, time_point now) {
  if (!x_rate)
    return std::nullopt;
  const auto rate = static_cast<double>(*x_rate);
  const std::chrono::duration<double> since =
    now - x_left_at.value_or(now - std::chrono::hours{1});
  x_left = std::min(left_max(), x_left + since.count() * rate);
  x_left_at = now;
  const auto needed = is_known ? 1 : needed_by_strangers();
  if (x_left < needed) {
    const auto wait = std::chrono::duration<double, std::milli>{
      1'000 * (needed - x_left) / rate};
    return std::chrono::floor<milliseconds>(wait) + milliseconds{1};
  }
  x_left -= 1;
  return std::nullopt;
}

guessing::turn guessing::begin(const user_address& user,
  const std::string& source, uint64_t ticket, time_point now) {
  end(ticket, try_end::wrong, now);
  auto it = classify(user, source, now);
  turn x;
  x.wait = x_lanes.wait(it.lane, now);
  if (!it.is_known) {
    if (x_sources.under_way(source) >= defaults::source_tries_at_once) {
      x.why = too_many(defaults::source_retry_after);
      return x;
    }
    x.wait = std::max(x.wait, x_sources.wait(source, now));
  }
  if (x.wait > defaults::turn_wait_max) {
    x.why = too_many(x.wait);
    return x;
  }
  // Last: who is refused anyway takes nothing from the others.
  if (auto wait = over_rate(it.is_known, now)) {
    x.is_over_rate = true;
    x.why = failure{errc::overloaded, "too many sign-ins at once"};
    x.why.retry_after = *wait;
    return x;
  }
  it.has_to_wait = x.wait.count() > 0;
  it.lane_turn = now + x_lanes.take(it.lane, now, it.lane_pause);
  x.pause = it.lane_pause;
  if (!it.is_known) {
    milliseconds pause{};
    x_sources.take(source, now, pause);
    x.pause = std::max(x.pause, pause);
  }
  x_tries.emplace(ticket, std::move(it));
  return x;
}

void guessing::end(uint64_t ticket, try_end how, time_point now) {
  auto i = x_tries.find(ticket);
  if (i == x_tries.end())
    return;
  auto it = std::move(i->second);
  x_tries.erase(i);
  if (how == try_end::undecided || how == try_end::left)
    give_back(it);
  x_lanes.end(it.lane, how, now);
  if (!it.is_known)
    end_at_source(it, how, now);
  if (how == try_end::right)
    x_known.add(it.pair, now);
}

void guessing::give_back(const attempt& x) {
  if (x_rate)
    x_left = std::min(left_max(), x_left + 1);
  x_lanes.give_back(x.lane, x.lane_turn, x.lane_pause);
}

void guessing::end_at_source(const attempt& x, try_end how, time_point now) {
  if (how == try_end::right) {
    x_sources.end(x.source, try_end::undecided, now);
    x_sources.relent(x.source, now);
    return;
  }
  const bool has_failed = how == try_end::left && x.has_to_wait;
  x_sources.end(x.source, has_failed ? try_end::wrong : how, now);
}

void guessing::fail(const std::string& source, time_point now) {
  x_sources.fail(source, now);
}

std::string source_of(const std::string& peer) {
  auto host = peer.substr(0, peer.rfind(':'));
  if (host.size() < 2 || host.front() != '[' || host.back() != ']')
    return host;
  host = host.substr(1, host.size() - 2);
  host.resize(std::min(host.size(), host.find('%'))); // the scope
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  if (::inet_pton(AF_INET6, host.c_str(), octets.data()) != 1)
    return host;
  in6_addr whole{};
  std::copy(octets.begin(), octets.end(), whole.s6_addr);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (IN6_IS_ADDR_V4MAPPED(&whole)) {
    constexpr size_t v4_at = 12;
    ::inet_ntop(AF_INET, octets.data() + v4_at, text.data(), text.size());
    return text.data();
  }
  constexpr size_t prefix = 8;
  std::fill(octets.begin() + prefix, octets.end(), 0);
  ::inet_ntop(AF_INET6, octets.data(), text.data(), text.size());
  return std::string{text.data()} + "/64";
}

} // namespace parley
