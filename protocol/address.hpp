#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "protocol/errors.hpp"

namespace parley {

/// A user: `user@domain`, prepared (RFC 6122: nodeprep, and nameprep for the
/// domain), so that equal users are equal strings. Each part has 1 to 255
/// bytes. Empty is "no user". Immutable and shared: a copy costs a counter.
class user_address {
public:
  user_address() = default;

  /// Prepares `text`; `bad_address` if it is not `user@domain`, if a part is
  /// empty or over 255 bytes, or holds what RFC 6122 forbids.
  static result<user_address> parse(std::string_view text);

  /// Of a string that came out of a user_address: nothing is checked.
  static user_address from_prepared(std::string text);

  const std::string& str() const noexcept;
  std::string_view node() const noexcept;
  std::string_view domain() const noexcept;
  bool empty() const noexcept { return x_data == nullptr; }

  /// FNV-1a, 64 bits, of the text: the same on every machine and in every
  /// version.
  uint64_t hash() const noexcept { return x_data ? x_data->hash : 0; }

  bool operator==(const user_address& y) const noexcept {
    return x_data == y.x_data || (hash() == y.hash() && str() == y.str());
  }
  std::strong_ordering operator<=>(const user_address& y) const noexcept {
    if (x_data == y.x_data)
      return std::strong_ordering::equal;
    return str() <=> y.str();
  }

private:
  struct data {
    std::string text;
    uint64_t hash;
  };
  std::shared_ptr<const data> x_data;
};

/// The name of a signed-in client among its user's, 1 to 255 bytes, prepared
/// by resourceprep. Empty is "no endpoint".
class endpoint_name {
public:
  endpoint_name() = default;
  static result<endpoint_name> parse(std::string_view text);
  static endpoint_name from_prepared(std::string text) {
    endpoint_name x;
    x.x_text = std::move(text);
    return x;
  }

  const std::string& str() const noexcept { return x_text; }
  bool empty() const noexcept { return x_text.empty(); }

  auto operator<=>(const endpoint_name&) const = default;
  auto fields() { return std::tie(x_text); }

private:
  std::string x_text;
};

/// A user, or one of its endpoints: `user@domain` or `user@domain/endpoint`.
struct address {
  user_address user;
  endpoint_name endpoint;

  static result<address> parse(std::string_view text);

  bool empty() const noexcept { return user.empty(); }
  bool is_full() const noexcept { return !endpoint.empty(); }
  std::string str() const;

  auto operator<=>(const address&) const = default;
  auto fields() { return std::tie(user, endpoint); }
};

} // namespace parley

template <>
struct std::hash<parley::user_address> {
  size_t operator()(const parley::user_address& x) const noexcept {
    return static_cast<size_t>(x.hash());
  }
};

template <>
struct std::hash<parley::endpoint_name> {
  size_t operator()(const parley::endpoint_name& x) const noexcept {
    return std::hash<std::string>{}(x.str());
  }
};
