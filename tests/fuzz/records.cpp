#include "persistence/records.hpp"
#include "persistence/keys.hpp"
#include "persistence/log_check.hpp"
#include "persistence/stored_contacts.hpp"
#include "tests/fuzz/input.hpp"

// The first byte chooses what the rest is read as: a value of a family, a key,
// a file of RocksDB's log, or a list of contacts and changes of it.

using namespace parley;
using namespace parley::fuzz;

namespace {

/// What decodes is written again byte for byte: nothing is passed over.
template <class Decode, class Encode>
void check(std::string_view bytes, const Decode& decode, const Encode& encode) {
  auto x = decode(bytes);
  if (x)
    expect(encode(*x) == bytes, "what is read is written the same again");
}

/// What is read in short agrees with what is read whole.
void check_contact(std::string_view value) {
  check(value, records::decode_contact, records::encode_contact);
  auto x = records::decode_contact(value);
  auto brief = records::decode_contact_brief(value);
  expect(!x || brief, "a contact can be read in short");
  expect(records::check_contact(value) == (x ? brief : std::nullopt),
    "a contact is one for all readers");
  if (x)
    expect(brief->subscription == x->what.subscription
        && brief->listed == x->what.listed
        && brief->preapproved == x->what.preapproved
        && brief->pretended == x->pretended && brief->version == x->version
        && brief->asked == x->asked && brief->heard == x->heard
        && brief->approved_at == x->approved_at,
      "a contact says in short what it says");
}

void check_im(std::string_view value) {
  check(value, records::decode_im, [](const records::im_record& x) {
    im message;
    message.id = x.id;
    message.from = x.from;
    message.sent_at = x.sent_at;
    message.receipts = x.receipts;
    message.body = x.body;
    message.payloads = x.payloads;
    return records::encode_im(message, x.to, x.body_hash);
  });
}

void check_body(std::string_view value) {
  check(value, records::decode_body, [](const records::body_record& x) {
    im message;
    message.body = x.body;
    message.payloads = x.payloads;
    return records::encode_body(message);
  });
}

void check_head(std::string_view value) {
  auto x = records::decode_head(value);
  if (!x)
    return;
  auto bytes = records::encode_head(*x);
  // Older forms are written in the form of today.
  if (value.front() == 1) {
    expect(bytes.substr(1, value.size() - 1) == value.substr(1),
      "an old head says the same in today's form");
  } else if (value.front() == 2) {
    auto again = records::decode_head(bytes);
    expect(again && records::encode_head(*again) == bytes,
      "an old head says the same in today's form");
  } else {
    expect(bytes == value, "what is read is written the same again");
  }
}

void check_log(std::string_view file) {
  size_t records = 0;
  auto end = parley::check_log(file, [&](std::string_view head) {
    ++records;
    expect(head.size() <= log_record_head, "a head is bounded");
    if (head.size() == log_record_head) {
      static_cast<void>(log_sequence(head));
      static_cast<void>(log_count(head));
    }
  });
  // Seven bytes are the least that a record takes.
  expect(records <= file.size() / 7, "no more records than there is room for");
  expect(!file.empty() || end == log_end::clean, "an empty file is clean");
  const auto manifest = check_manifest(file);
  expect(manifest.whole <= file.size(), "no more is whole than there is");
  expect(manifest.end == end
      || (end == log_end::damaged && manifest.end == log_end::torn)
      || (end == log_end::torn && manifest.end == log_end::damaged),
    "a MANIFEST is read as any log, but that a group may be torn, and that what"
    " follows is no write batch");
  if (manifest.end == log_end::torn)
    expect(
      parley::check_log(file.substr(0, manifest.whole), [](std::string_view) {})
        == log_end::clean,
      "without its torn end it is clean");
}

void check_keys(uint8_t which, std::string_view key) {
  switch (which % 5) {
  case 0:
    return check(key, keys::parse_im,
      [](const auto& x) { return keys::im(x.first, x.second); });
  case 1:
    return check(
      key, keys::parse_id, [](const auto& x) { return keys::id(x); });
  case 2:
    return check(key, keys::parse_forgettable,
      [](const auto& x) { return keys::forgettable(x); });
  case 3:
    return check(key, keys::parse_roster, [](const keys::roster_place& x) {
      auto user = user_address::from_prepared(std::string{x.user});
      switch (x.what) {
      case keys::roster_place::part::head:
        return keys::roster(user);
      case keys::roster_place::part::contacts:
        return keys::contacts(user);
      default:
        return keys::contact(
          user, user_address::from_prepared(std::string{x.contact}));
      }
    });
  default:
    return check(key, keys::parse_note, [](const keys::note_place& x) {
      return keys::note(x.from, x.is_wish, x.to);
    });
  }
}

void check_document_key(std::string_view key) {
  check(key, keys::parse_document, [](const keys::document_place& x) {
    auto owner = user_address::from_prepared(std::string{x.owner});
    if (x.collection.empty())
      return keys::documents(owner);
    return x.id.empty() ? keys::collection(owner, x.collection)
                        : keys::document(owner, x.collection, x.id);
  });
}

/// A whole list and any changes of it: laying all upon it at once gives what
/// one after the other does. Of a list that is not whole only that nothing
/// breaks.
void check_contacts(input& in) {
  const auto list = in.text();
  std::vector<std::string_view> changes;
  while (!in.empty() && changes.size() < 8)
    changes.push_back(in.text());
  const auto joined = stored_contacts::join(changes);
  auto one_by_one = std::string{list};
  for (auto x : changes)
    one_by_one = stored_contacts::with_changes(one_by_one, {x});
  const auto rows_of = [](std::string from, bool* is_whole = nullptr) {
    contact_rows out;
    out.assign(std::move(from), 0, [is_whole](std::string_view) {
      if (is_whole)
        *is_whole = false;
    });
    return out;
  };
  bool is_whole = true;
  rows_of(std::string{list}, &is_whole);
  const auto a = rows_of(stored_contacts::with_changes(list, changes));
  const auto b = rows_of(one_by_one);
  const auto c = rows_of(stored_contacts::with_changes(list, {joined}));
  if (!is_whole)
    return;
  for (const auto* other : {&b, &c}) {
    expect(a.size() == other->size(), "changes can be joined");
    for (size_t i = 0; i < a.size(); ++i)
      expect(a.item(i) == other->item(i), "changes can be joined");
  }
}

void check_value(uint8_t which, std::string_view value) {
  switch (which % 14) {
  case 0:
    return check_im(value);
  case 1:
    return check_body(value);
  case 2:
    return check_head(value);
  case 3:
    return check(value, records::decode_id, records::encode_id);
  case 4:
    return check(value, records::decode_account, records::encode_account);
  case 5:
    return check(value, records::decode_setting, records::encode_setting);
  case 6:
    return check(value, records::decode_audit, records::encode_audit);
  case 7:
    return check(value, records::decode_roster, records::encode_roster);
  case 8:
    return check_contact(value);
  case 9:
    return check(value, records::decode_note, records::encode_note);
  case 11:
    return check(value, records::decode_totals, records::encode_totals);
  case 12:
    return check(value, records::decode_collection, records::encode_collection);
  case 13:
    return check(value, records::decode_document, records::encode_document);
  default:
    return check(value, records::decode_number, records::encode_number);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  input in{data, size};
  auto which = in.byte();
  auto contacts = in;
  auto bytes = in.rest();
  if (which < 16)
    check_value(which, bytes);
  else if (which < 32)
    check_keys(which, bytes);
  else if (which == 32)
    check_log(bytes);
  else if (which == 34)
    check_document_key(bytes);
  else if (which == 35)
    check_contacts(contacts);
  else
    check(bytes, keys::parse_audit, keys::audit);
  return 0;
}
