#pragma once

#include "protocol/vocabulary.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// Comparing and making up values of the vocabulary by the fields they name.
namespace parley::test {

template <class T>
concept has_fields = requires(T x) {
  x.fields();
};

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_shared : std::false_type {};
template <class T>
struct is_shared<shared<T>> : std::true_type {};
template <class T>
struct is_variant : std::false_type {};
template <class... Ts>
struct is_variant<std::variant<Ts...>> : std::true_type {};

/// Equality that looks into shared values.
template <class T>
bool same(const T& a, const T& b) {
  if constexpr (is_shared<T>::value) {
    return a && b ? same(*a, *b) : bool(a) == bool(b);
  } else if constexpr (is_vector<T>::value) {
    if (a.size() != b.size())
      return false;
    for (size_t i = 0; i < a.size(); ++i)
      if (!same(a[i], b[i]))
        return false;
    return true;
  } else if constexpr (is_variant<T>::value) {
    if (a.index() != b.index())
      return false;
    return std::visit(
      [&](const auto& x) {
        return same(x, std::get<std::decay_t<decltype(x)>>(b));
      },
      a);
  } else if constexpr (has_fields<T>) {
    auto x = a;
    auto y = b;
    auto each = [&]<size_t... I>(
      std::index_sequence<I...>, auto&& p, auto&& q) {
      return (same(std::as_const(std::get<I>(p)), std::as_const(std::get<I>(q)))
        && ...);
    };
    auto p = x.fields();
    return each(std::make_index_sequence<std::tuple_size_v<decltype(p)>>{}, p,
      y.fields());
  } else {
    return a == b;
  }
}

/// Makes up values that a codec has to carry unharmed.
class maker {
public:
  explicit maker(uint64_t seed) : x_random(seed) {}

  uint64_t below(uint64_t n) { return x_random() % n; }

  /// Small, large or anything.
  uint64_t number() { return x_random() >> below(64); }

  /// At most `max` characters, of 1 to 4 bytes of UTF-8 each.
  std::string text(size_t max, size_t min = 0) {
    static const std::string characters[] = {
      "a", "7", " ", "\"", "\n", "ä", "ж", "字", "€", "🙂"};
    std::string x;
    for (auto n = min + below(max - min + 1); n > 0; --n)
      x += characters[below(std::size(characters))];
    return x;
  }

  std::string octets(size_t max) {
    std::string x(below(max + 1), '\0');
    for (auto& c : x)
      c = static_cast<char>(x_random());
    return x;
  }

  user_address user() {
    auto text = "u" + std::to_string(below(1000)) + "@example.org";
    return user_address::from_prepared(text);
  }

  parley::address address() {
    parley::address x{user(), {}};
    if (below(2) == 0)
      x.endpoint = endpoint_name::from_prepared(text(20, 1) + "/@");
    return x;
  }

  parley::failure failure() {
    constexpr errc codes[] = {errc::id_conflict, errc::too_large,
      errc::rate_limited, errc::bad_request, errc::resume_failed, errc::kicked};
    parley::failure x{codes[below(std::size(codes))], text(30)};
    if (below(2) == 0)
      x.limit = number();
    if (below(2) == 0)
      x.value = number();
    if (below(2) == 0)
      x.retry_after = std::chrono::milliseconds{below(1'000'000)};
    return x;
  }

  /// With everything that a sender can say.
  parley::im im() {
    parley::im x;
    x.id.value = text(30, 1);
    x.body = text(below(20) == 0 ? 5000 : 100);
    for (auto n = below(4) + x.body.empty(); n > 0; --n)
      x.payloads.push_back({text(20, 1), octets(50)});
    return x;
  }

  parley::availability availability() {
    return {
      static_cast<show>(below(6)), text(40), static_cast<int8_t>(x_random())};
  }

  parley::window window() {
    return {static_cast<uint32_t>(number()), number()};
  }

  parley::outcome outcome() {
    parley::outcome x{static_cast<outcome::kind>(below(3)), {}};
    if (x.what == outcome::kind::rejected)
      x.why = failure();
    return x;
  }

private:
  std::mt19937_64 x_random;
};

} // namespace parley::test
