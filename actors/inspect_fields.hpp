#pragma once

#include <tuple>
#include <utility>

#include <caf/none.hpp>
#include <caf/sec.hpp>

#include "actors/inspect.hpp"

/// What inspect.hpp declares. Included only where inspections are compiled.
namespace parley {

template <class Inspector, has_fields T>
typename Inspector::result_type inspect(Inspector& f, T& x) {
  return std::apply([&f](auto&... xs) { return f(xs...); }, x.fields());
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, user_address& x) {
  if constexpr (Inspector::reads_state) {
    auto text = x.str();
    return f(text);
  } else {
    std::string text;
    if (auto e = f(text))
      return e;
    x = user_address::from_prepared(std::move(text));
    return caf::none;
  }
}

template <class Inspector, class T>
typename Inspector::result_type inspect(Inspector& f, shared<T>& x) {
  if constexpr (Inspector::reads_state) {
    static T none{};
    return f(x ? const_cast<T&>(*x) : none);
  } else {
    T tmp;
    if (auto e = f(tmp))
      return e;
    x.reset(std::move(tmp));
    return caf::none;
  }
}

} // namespace parley

namespace caf {

template <class Inspector, class T>
typename Inspector::result_type inspect(Inspector& f, std::optional<T>& x) {
  bool has = x.has_value();
  if constexpr (Inspector::reads_state) {
    if (has)
      return f(has, *x);
    return f(has);
  } else {
    if (auto e = f(has))
      return e;
    if (!has) {
      x.reset();
      return none;
    }
    return f(x.emplace());
  }
}

template <class Inspector, class... Ts>
typename Inspector::result_type inspect(Inspector& f, std::variant<Ts...>& x) {
  if constexpr (Inspector::reads_state) {
    auto i = static_cast<uint8_t>(x.index());
    return std::visit([&f, &i](auto& v) { return f(i, v); }, x);
  } else {
    uint8_t i = 0;
    if (auto e = f(i))
      return e;
    if (i >= sizeof...(Ts))
      return sec::invalid_argument;
    error result;
    size_t k = 0;
    auto one = [&]<class T>() {
      if (k++ != i)
        return;
      T v{};
      result = f(v);
      x = std::move(v);
    };
    (one.template operator()<Ts>(), ...);
    return result;
  }
}

} // namespace caf
