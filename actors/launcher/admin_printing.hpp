#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace parley {

/// Prints what the server answered to `op` for a person. Names and texts come
/// from users: whatever could control a terminal is made visible.
void print_admin_answer(const nlohmann::json& answer, const std::string& op);

/// The rows that an import refused, to standard error.
void print_refused_rows(const nlohmann::json& done);

/// What became of an import; the refused rows go to standard error.
void print_import(const nlohmann::json& done, const std::string& op);

/// One line of JSON in which nothing controls a terminal.
std::string json_line(const nlohmann::json& x);

} // namespace parley
