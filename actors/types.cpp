#include "actors/types.hpp"

#include <array>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <caf/deserializer.hpp>
#include <caf/detail/stringification_inspector.hpp>
#include <caf/serializer.hpp>

#include "actors/inspect_fields.hpp"

namespace parley {

namespace {

using any_function = void (*)();

template <class T>
constexpr bool is_inspected_here = has_fields<T>;
template <>
constexpr bool is_inspected_here<user_address> = true;
template <class T>
constexpr bool is_inspected_here<shared<T>> = true;
template <class... Ts>
constexpr bool is_inspected_here<std::variant<Ts...>> = true;

/// CAF itself inspects a vector, element by element.
template <class T>
struct inspected : std::type_identity<T> {};
template <class T>
struct inspected<std::vector<T>> : std::type_identity<T> {};

template <class Inspector, class Message>
any_function inspection() {
  using T = typename inspected<Message>::type;
  using function = typename Inspector::result_type (*)(Inspector&, T&);
  using caf::inspect;
  using parley::inspect;
  if constexpr (is_inspected_here<T>)
    return reinterpret_cast<any_function>(static_cast<function>(inspect));
  else
    return nullptr;
}

template <class Inspector, size_t... Is>
auto inspections(std::index_sequence<Is...>) {
  return std::array{inspection<Inspector,
    typename caf::type_by_id<caf::id_block::parley::begin + Is>::type>()...};
}

template <class Inspector>
auto inspections() {
  using block = caf::id_block::parley;
  return inspections<Inspector>(
    std::make_index_sequence<block::end - block::begin>{});
}

} // namespace

// Whose address is taken is compiled.
extern const auto all_serializers = inspections<caf::serializer>();
extern const auto all_deserializers = inspections<caf::deserializer>();
extern const auto all_printers =
  inspections<caf::detail::stringification_inspector>();

void add_message_types(caf::actor_system_config& cfg) {
  cfg.add_message_types<caf::id_block::parley>();
}

} // namespace parley
