#include <algorithm>
#include <sstream>
#include <string_view>

#include "actors/launcher/contact_row.hpp"
#include "actors/launcher/import_file.hpp"
#include "actors/launcher/scram_text.hpp"
#include "protocol/defaults.hpp"
#include "tests/fuzz/input.hpp"

// The input is a file of an import: the first byte says of accounts or of
// contacts. Each row goes as far as it would before an actor is asked.

using namespace parley;
using namespace parley::fuzz;

namespace {

using cells = std::vector<std::string>;

void check_hash(const scram_keys::per_hash& x, size_t key_bytes) {
  if (x.iterations == 0) {
    expect(x.salt.empty() && x.stored_key.empty() && x.server_key.empty(),
      "a hash without iterations has nothing");
    return;
  }
  expect(x.iterations <= defaults::scram_iterations_max && !x.salt.empty()
      && x.salt.size() <= defaults::scram_salt_max,
    "salt and iterations are within their bounds");
  expect(x.stored_key.size() == key_bytes && x.server_key.size() == key_bytes,
    "keys have the length of their hash");
}

/// RFC 4648, 4.
void check_base64(std::string_view text) {
  constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  auto rest = text.find_first_not_of(letters);
  expect(
    rest == text.npos || text.substr(rest) == "=" || text.substr(rest) == "==",
    "salt and keys are base64");
}

/// Salt and keys, that lie between colons and dollars.
void check_secret(std::string_view text) {
  text.remove_prefix(text.find(':') + 1);
  for (auto end = text.find_first_of("$:"); end != text.npos;
       end = text.find_first_of("$:")) {
    check_base64(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  check_base64(text);
}

void check_account(const cells& row) {
  if (row.size() < 2)
    return;
  static_cast<void>(user_address::parse(row.front()));
  cells secrets(row.begin() + 1, row.end());
  if (!is_scram_text(secrets.front()))
    return;
  auto keys = parse_scram_text(secrets);
  if (!keys)
    return;
  for (auto& secret : secrets)
    check_secret(secret);
  check_hash(keys->sha1, 20);
  check_hash(keys->sha256, 32);
  expect(keys->sha1.iterations != 0 || keys->sha256.iterations != 0,
    "what is taken has keys of a hash");
}

void check_contact(const cells& row) {
  auto x = parse_contact_row(row);
  if (!x)
    return;
  expect(!x->user.empty(), "a contact belongs to a user");
  auto& groups = x->contact.groups;
  expect(x->contact.name.size() <= defaults::contact_name_max
      && groups.size() <= defaults::contact_groups_max,
    "name and groups are within their bounds");
  for (auto& group : groups)
    expect(!group.empty() && group.size() <= defaults::contact_name_max
        && std::count(groups.begin(), groups.end(), group) == 1,
      "groups are distinct, and have names");
  // Written as an export does, and read again.
  contact kept;
  kept.address = user_address::from_prepared(x->contact.address);
  kept.name = x->contact.name;
  kept.groups = groups;
  kept.subscription.to = x->subscribes ? half::pending : half::none;
  auto again = parse_contact_row(cells_of(x->user, kept));
  expect(again && again->user == x->user && again->contact.groups == groups
      && again->contact.address == x->contact.address
      && again->contact.name == x->contact.name
      && again->subscribes == x->subscribes,
    "a row that is written is read the same again");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  input in{data, size};
  bool contacts = in.byte() % 2 != 0;
  std::string text{in.rest()};
  std::istringstream file{text};
  import_file rows{file, contacts};
  uint64_t line = 0;
  size_t bytes = 0;
  while (auto row = rows.next()) {
    expect(row->line > line, "rows know their lines");
    line = row->line;
    expect(!row->cells.empty(), "a row has a cell");
    for (auto& cell : row->cells)
      bytes += cell.size();
    expect(bytes <= text.size(), "cells hold no more than the file");
    if (row->why.code != errc::none)
      continue;
    if (contacts)
      check_contact(row->cells);
    else
      check_account(row->cells);
  }
  return 0;
}
