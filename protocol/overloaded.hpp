#pragma once

namespace parley {

/// Several functions as one, to visit a variant with.
template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
// Clang 14 makes no such guide by itself.
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

} // namespace parley
