#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "protocol/errors.hpp"

/// What the lines of `parley chat --jsonl` are made of.
namespace parley::chat {

using json = nlohmann::ordered_json;

/// With its newline; bytes that are no UTF-8 are replaced.
std::string line_of(const json& x);

/// Bytes that may be no UTF-8 are replaced when the line is written.
inline std::string text(std::string_view x) {
  return std::string{x};
}

/// Reason, text and numbers; `none_means` as in `reason_of`, `whose` as in
/// `limit_words`.
void put_failure(json& to, const failure& why, std::string_view none_means,
  std::string_view whose = {});

/// The same for an event that tells of nothing else: there is always a text.
void put_error(json& to, const failure& why, std::string_view whose = {});

} // namespace parley::chat
