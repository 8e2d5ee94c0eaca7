#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <rocksdb/env.h>

#include "persistence/bytes.hpp"
#include "persistence/keys.hpp"
#include "persistence/records.hpp"
#include "persistence/stored_contacts.hpp"
#include "protocol/framing.hpp"
#include "tests/persistence/fixture.hpp"
#include "tests/protocol/golden.hpp"

// Makes the seeds of the targets whose inputs are encoded, out of the values of
// the golden tests and of the store: fuzz-seeds FOLDER (tests/fuzz/corpus).

using namespace parley;
using namespace parley::test;

namespace {

std::filesystem::path folder;

void put(const std::string& target, std::string name, std::string_view bytes) {
  std::replace(name.begin(), name.end(), ' ', '-');
  std::filesystem::create_directories(folder / target);
  std::ofstream out{folder / target / (name + ".seed"), std::ios::binary};
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush())
    throw std::runtime_error{"cannot write " + name};
}

std::string choice(int x) {
  return std::string(1, static_cast<char>(x));
}

/// A text of fuzz::input.
std::string text(std::string_view x) {
  return choice(static_cast<int>(x.size() >> 8))
    + choice(static_cast<int>(x.size() & 0xff)) + std::string{x};
}

// -- frames -------------------------------------------------------------------

/// Some frames to a file: as bytes, whole or in pieces of one, and as texts.
template <class Golden>
void put_frames(const char* side, int which, const Golden& all) {
  constexpr size_t together = 7;
  for (size_t i = 0; i < all.size(); i += together) {
    auto bytes = choice(which) + choice(i % 2 == 0 ? 0xff : 0);
    auto texts = choice(which + 2);
    for (auto j = i; j < std::min(all.size(), i + together); ++j) {
      auto frame = from_hex(all[j].hex);
      bytes += frame;
      texts += text(std::string_view{frame}.substr(native::length_bytes));
    }
    put("frames", std::string{side} + " bytes from " + all[i].name, bytes);
    put("frames", std::string{side} + " from " + all[i].name, texts);
  }
}

// -- a connection -------------------------------------------------------------

/// Steps as in connection.cpp.
constexpr int step_raw = 0;
constexpr int step_frame = 1;
constexpr int step_straight = 4;
constexpr int step_time = 5;
constexpr int step_answer = 6;
constexpr int step_event = 7;

std::string step(int what, std::string_view x) {
  return choice(what) + text(x);
}

template <class Frame>
std::string frame(const Frame& x) {
  std::string bytes;
  if (!native::encode_client(bytes, x))
    throw std::runtime_error{"cannot be encoded"};
  return step(step_frame, std::string_view{bytes}.substr(native::length_bytes));
}

void put_connections() {
  auto all = golden_client_frames();
  // In a session, several requests to a file.
  for (size_t i = 0; i < all.size(); i += 7) {
    std::string bytes = choice(6) + choice(63);
    for (auto j = i; j < std::min(all.size(), i + 7); ++j)
      bytes +=
        step(step_frame, from_hex(all[j].hex).substr(native::length_bytes));
    put("connection", std::string{"session from "} + all[i].name, bytes);
  }
  native::authenticate first;
  first.mechanism = "SCRAM-SHA-256";
  first.initial = "n,,n=alice,r=nonce";
  first.endpoint = "desk";
  native::authenticate plain = first;
  plain.mechanism = "PLAIN";
  plain.initial = std::string("\0alice\0wrong", 12);
  auto answer = frame(native::sasl_response{"c=biws,r=nonce,p=AAAA"});
  put("connection", "sign in", choice(2) + choice(7) + frame(first) + answer);
  put("connection", "sign in thrice",
    choice(2) + choice(7) + frame(first) + answer + frame(first) + answer
      + frame(first) + answer);
  put("connection", "plain over tls", choice(3) + choice(99) + frame(plain));
  put("connection", "plain over tcp", choice(2) + choice(99) + frame(plain));
  put("connection", "session over tls",
    choice(7) + choice(9) + frame(native::ping{7}) + step(step_time, "\x7f"));
  put("connection", "magic by hand",
    choice(0) + choice(0) + step(step_raw, native::magic)
      + frame(native::hello{}) + frame(native::ping{1}));
  put("connection", "http",
    choice(0) + choice(2) + step(step_straight, "GET / HTTP/1.1\r\n\r\n"));
  put("connection", "events and acks",
    choice(6) + choice(99) + step(step_event, "hello") + step(step_event, "you")
      + frame(native::ack{{2}}) + step(step_time, "\x3d"));
  put("connection", "gateway late",
    choice(30) + choice(99) + frame(native::ping{1}) + step(step_answer, "\4")
      + step(step_event, "hi") + step(step_answer, "\7"));
  put("connection", "too large",
    choice(6) + choice(99) + step(step_straight, "\x7f\xff\xff\xff"));
}

// -- the store ----------------------------------------------------------------

template <class... Values>
void put_records(const char* name, int which, const Values&... values) {
  int n = 0;
  (put("records", name + (" " + std::to_string(++n)), choice(which) + values),
    ...);
}

void put_values() {
  using namespace records;
  auto one = make_im(alice, "m1", "hello");
  auto other = make_im(bob, "m2", "");
  other.receipts = true;
  other.payloads = {{"read", "m0"}, {"x", "\xff"}};
  auto desk = endpoint_name::from_prepared("desk");
  put_records("im", 0, encode_im(one, {}, {}), encode_im(other, desk, {}),
    encode_im(one, {}, 0x1234567890abcdef));
  put_records("body", 1, encode_body(one), encode_body(other));
  const auto on = sharing::on;
  put_records("head", 2, encode_head({{7}, {9}, 300, true, true, 200, 3, 1}),
    encode_head({{7}, {9}, 2, false, true, 0, 0, 0}),
    std::string("\1\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\11\2", 18),
    encode_head({{7}, {9}, 2, true, false, 2, 1, 0, on, 300}));
  put_records("id", 3, encode_id({77, at(1'700'000'000'000), {9}}));
  put_records("account", 4, encode_account(make_keys("k")));
  put_records("setting", 5, encode_setting("unlimited"));
  put_records("audit", 6,
    encode_audit({at(1), "root", "settings set im.rate", "unlimited", "10"}));
  roster_head head;
  head.version.value = 300;
  head.removals = {{{298}, bob}, {{299}, carol}};
  head.privacy = {approval::ask, sharing::off, {bob}, {carol},
    {{"example.net", approval::block}}};
  head.contacts = 2;
  put_records("roster", 7, encode_roster(head), encode_roster({}));
  auto item = make_item(bob, "Bob", {"friends", "work"});
  item.what.subscription = {half::active, half::pending};
  item.pretended = true;
  auto approved = make_item(bob, "Bob");
  approved.what.preapproved = true;
  approved.approved_at = 300;
  put_records("contact", 8, encode_contact(item), encode_contact(approved));
  put_records("note", 9,
    encode_note({subscription_note::kind::unsubscribed, 300}),
    encode_note({subscription_note::kind::subscribe, 300, 200}));
  put_records("number", 10, encode_number(UINT64_MAX));
  put_records("totals", 11, encode_totals({{300, 70'000}, 9}));
  put_records("collection", 12,
    encode_collection({{readers::everybody, any_number, true, false}, 300}));
  put_records(
    "document", 13, encode_document({300, at(1'700'000'000'000), "<a/>"}));
}

/// A list of three, and four changes of it.
void put_contacts() {
  const auto entry = [](const std::string& name) {
    return records::encode_contact(make_item(bob, name));
  };
  auto list = stored_contacts::empty();
  for (const auto* name : {"a@b", "c@b", "e@b"})
    stored_contacts::append(list, {name, entry(name)});
  std::string all;
  for (const auto& x : {list, stored_contacts::change("c@b", {}),
         stored_contacts::change("d@b", entry("d")),
         stored_contacts::change("e@b", entry("new")),
         stored_contacts::change("c@b", entry("again"))}) {
    bytes::put_fixed(all, static_cast<uint16_t>(x.size()));
    all += x;
  }
  put_records("contacts", 35, all);
}

void put_keys() {
  const retry_key sent{alice, {"m1"}, bob};
  put_records("key of im", 20, keys::im(bob, {7}));
  put_records("key of id", 16, keys::id(sent));
  put_records("key of forgettable", 17,
    keys::forgettable({at(1'700'000'000'000), {7}, sent}));
  put_records("key of roster", 18, keys::roster(alice), keys::contacts(alice),
    keys::contact(alice, bob));
  put_records("key of note", 19, keys::note(alice, true, bob),
    keys::note(alice, false, bob));
  put_records("key of audit", 33, keys::audit(258));
  put_records("key of document", 34, keys::documents(alice),
    keys::collection(alice, "n"), keys::document(alice, "n", "i"));
}

/// The log of a store that was just used.
void put_log() {
  std::unique_ptr<rocksdb::Env> env{
    rocksdb::NewMemEnv(rocksdb::Env::Default())};
  store::options how{"/store", env.get()};
  auto db = std::move(store::open(how).value());
  std::vector<store_operation> batch;
  batch.emplace_back(put_account{alice, make_keys("k")});
  batch.emplace_back(make_put(alice, 1, make_im(bob, "m1", "hello")));
  if (!db->commit(batch))
    throw std::runtime_error{"cannot be committed"};
  std::vector<std::string> files;
  env->GetChildren(how.path, &files);
  for (const auto& name : files) {
    std::string bytes;
    bool is_log = name.ends_with(".log") || name.starts_with("MANIFEST");
    if (is_log
      && rocksdb::ReadFileToString(env.get(), how.path + "/" + name, &bytes)
           .ok()
      && bytes.size() <= 4096)
      put("records", name.ends_with(".log") ? "log" : "manifest",
        choice(32) + bytes);
  }
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz-seeds FOLDER\n");
    return 2;
  }
  folder = argv[1];
  put_frames("client", 0, golden_client_frames());
  put_frames("server", 1, golden_server_frames());
  put_connections();
  put_values();
  put_contacts();
  put_keys();
  put_log();
  return 0;
}
