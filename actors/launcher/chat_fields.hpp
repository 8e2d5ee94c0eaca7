#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "protocol/errors.hpp"
#include "protocol/vocabulary.hpp"

namespace parley::chat {

/// Reads the fields of a request in JSON; remembers what is wrong with the
/// first that is not as it is to be, and reads on. Names are literals.
class field_reader {
public:
  using json = nlohmann::ordered_json;

  explicit field_reader(const json& x) : x_object(x) {}

  /// Code none if all is well.
  const failure& wrong() const noexcept { return x_wrong; }

  bool has(const char* name);

  std::string text(const char* name);
  std::string text_or_empty(const char* name);
  /// False if it is absent.
  bool flag(const char* name);
  std::vector<std::string> texts(const char* name);
  /// From -128 to 127; 0 if it is absent.
  int8_t small_number(const char* name);
  /// `if_absent` if it is.
  uint64_t count(const char* name, uint64_t if_absent);
  /// What an endpoint can show: not *unknown*.
  parley::show show(const char* name);
  /// An endpoint in it does not count.
  user_address user(const char* name);
  /// Objects with `address`, and maybe `name` and `groups`, or addresses alone.
  std::vector<wanted_contact> contacts(const char* name);
  /// All fields may be absent.
  set_privacy privacy();

  std::string complain(const char* name, const char* what);

  /// Once all is read: a field that nobody asked for is wrong.
  void end();

private:
  const json* find(const char* name);
  user_address to_user(const std::string& text);
  std::optional<std::vector<user_address>> users(const char* name);
  wanted_contact contact(const json& x);

  const json& x_object;
  std::vector<std::string_view> x_known;
  failure x_wrong;
};

} // namespace parley::chat
