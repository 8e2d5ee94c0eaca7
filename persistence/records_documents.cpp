#include "persistence/bytes.hpp"
#include "persistence/records.hpp"

// What users keep: documents, and collections of them.
namespace parley::records {

namespace {

using bytes::put_fixed;
using bytes::put_text;
using bytes::put_varint;

constexpr uint8_t form = 1;
constexpr uint8_t flag_keeps = 1;
constexpr uint8_t flag_greets = 2;

std::string begun() {
  std::string out;
  put_fixed(out, form);
  return out;
}

} // namespace

std::string encode_totals(const totals_record& x) {
  auto out = begun();
  for (auto n : {x.what.count, x.what.bytes, x.last})
    put_varint(out, n);
  return out;
}

std::optional<totals_record> decode_totals(std::string_view value) {
  bytes::reader in(value);
  totals_record x;
  bool is_known = in.fixed<uint8_t>() == form;
  for (auto* n : {&x.what.count, &x.what.bytes, &x.last})
    *n = in.varint();
  return is_known && in.complete() ? std::optional(x) : std::nullopt;
}

std::string encode_collection(const collection_record& x) {
  auto out = begun();
  put_fixed(out, static_cast<uint8_t>(x.rules.who));
  put_fixed(out,
    static_cast<uint8_t>(
      (x.rules.keeps ? flag_keeps : 0) | (x.rules.greets ? flag_greets : 0)));
  put_varint(out, x.rules.documents_max);
  put_varint(out, x.count);
  return out;
}

std::optional<collection_record> decode_collection(std::string_view value) {
  bytes::reader in(value);
  collection_record x;
  bool is_known = in.fixed<uint8_t>() == form;
  auto who = in.fixed<uint8_t>();
  auto flags = in.fixed<uint8_t>();
  x.rules.who = static_cast<readers>(who);
  x.rules.keeps = flags & flag_keeps;
  x.rules.greets = flags & flag_greets;
  x.rules.documents_max = in.varint();
  x.count = in.varint();
  is_known &= who <= static_cast<uint8_t>(readers::everybody)
    && !(flags & ~(flag_keeps | flag_greets));
  return is_known && in.complete() ? std::optional(x) : std::nullopt;
}

std::string encode_document(const document_record& x) {
  auto out = begun();
  put_varint(out, x.number);
  put_fixed(
    out, static_cast<uint64_t>(x.written_at.time_since_epoch().count()));
  put_text(out, x.bytes);
  return out;
}

std::optional<document_record> decode_document(std::string_view value) {
  bytes::reader in(value);
  document_record x;
  bool is_known = in.fixed<uint8_t>() == form;
  x.number = in.varint();
  x.written_at =
    wall_time(wall_time::duration(static_cast<int64_t>(in.fixed<uint64_t>())));
  x.bytes = in.text();
  return is_known && in.complete() ? std::optional(std::move(x)) : std::nullopt;
}

} // namespace parley::records
