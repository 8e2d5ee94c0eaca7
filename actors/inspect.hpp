#pragma once

#include <optional>
#include <variant>

#include <caf/error.hpp>

#include "protocol/address.hpp"
#include "protocol/shared.hpp"

/// The one bridge from structs that name their fields (`fields()`) to CAF's
/// inspection: what can be a message. CAF writes out the inspection of a
/// message wherever one is sent; that of all message types is compiled once, in
/// types.cpp (inspect_fields.hpp): a file that sends some compiles a quarter
/// faster, or more.
namespace parley {

template <class T>
concept has_fields = requires(T& x) {
  x.fields();
};

// Found by argument-dependent look-up.
template <class Inspector, has_fields T>
typename Inspector::result_type inspect(Inspector& f, T& x);

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, user_address& x);

template <class Inspector, class T>
typename Inspector::result_type inspect(Inspector& f, shared<T>& x);

} // namespace parley

// CAF 0.17 knows neither of these; 1.x does. Found through the inspector,
// which lives in this namespace.
namespace caf {

template <class Inspector, class T>
typename Inspector::result_type inspect(Inspector& f, std::optional<T>& x);

template <class Inspector, class... Ts>
typename Inspector::result_type inspect(Inspector& f, std::variant<Ts...>& x);

} // namespace caf
