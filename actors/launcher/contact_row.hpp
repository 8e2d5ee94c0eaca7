#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protocol/contacts.hpp"

namespace parley {

/// A row of a file of contacts: `user,contact[,name[,groups[,to|none]]]`.
/// Groups are separated by `;`; within one, `;` and `\` have a `\` before them.
/// `to`, the default: the user asks to see the contact.
struct contact_row {
  user_address user;
  wanted_contact contact;
  bool subscribes = true;
};

/// Of an array of two to five texts; `bad_request`, or `bad_address` if the
/// user is none. The contact's address is not looked at.
result<contact_row> parse_contact_row(const nlohmann::json& cells);

/// All five texts.
nlohmann::json cells_of(const user_address& user, const contact& x);

} // namespace parley
