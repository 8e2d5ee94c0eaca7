#include "protocol/parts.hpp"

#include "protocol/codec_fields.hpp"
#include "protocol/defaults.hpp"

namespace parley::native {

namespace {

size_t bytes_of(const std::string& to) {
  return sizeof(std::string) + to.size();
}

size_t bytes_of(const broadcast& x) {
  size_t n = x.message ? content_size(*x.message) : 0;
  for (auto& to : x.to)
    n += bytes_of(to);
  return n;
}

size_t bytes_of(const broadcast_outcomes& x) {
  size_t n = 0;
  for (auto& one : x.outcomes)
    n += sizeof(one) + one.to.size() + one.what.why.text.size();
  return n;
}

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()),
    std::make_move_iterator(from.end()));
}

} // namespace

// -- a client's broadcast -----------------------------------------------------

void broadcast_assembler::add(
  numbered_request x, std::vector<numbered_request>& out) {
  if (x.number.value != 0) {
    if (x_number.value != 0 && x_number != x.number)
      refuse(x_number,
        failure{errc::bad_request,
          "another request came between the parts of this broadcast"},
        out);
    drop();
    // Of a broadcast's part, perhaps: more of it may come.
    if (std::holds_alternative<invalid_request>(x.what))
      x_refused = x.number;
  }
  out.push_back(std::move(x));
}

void broadcast_assembler::add(
  broadcast_part x, std::vector<numbered_request>& out) {
  if (x_number.value != 0 && x_number != x.number)
    refuse(x_number,
      failure{errc::bad_request,
        "another request came between the parts of this broadcast"},
      out);
  if (x_number.value == 0 && x_refused == x.number && x.part != 0)
    return;
  if (x.why.code != errc::none) {
    refuse(x.number, std::move(x.why), out);
    return;
  }
  if (x.part != x_next_part) {
    refuse(x.number,
      failure{errc::bad_request, "the broadcast's parts are out of order"},
      out);
    return;
  }
  using namespace defaults;
  if (auto n = x_whole.to.size() + x.what.to.size();
      n > broadcast_recipients_max) {
    refuse(x.number,
      over_limit(errc::too_many_recipients, "recipients of a broadcast",
        broadcast_recipients_max, n),
      out);
    return;
  }
  if (auto n = x_bytes + bytes_of(x.what); n > broadcast_bytes_max) {
    refuse(x.number,
      over_limit(errc::too_large, "bytes of a broadcast in parts",
        broadcast_bytes_max, n),
      out);
    return;
  }
  x_bytes += bytes_of(x.what);
  x_number = x.number;
  ++x_next_part;
  if (x.part == 0)
    x_whole = std::move(x.what);
  else
    append(x_whole.to, std::move(x.what.to));
  if (x.more)
    return;
  if (x_whole.to.empty()) {
    refuse(x.number,
      failure{errc::bad_request, "a broadcast needs a recipient"}, out);
    return;
  }
  out.push_back({x_number, std::move(x_whole)});
  drop();
}

void broadcast_assembler::refuse(
  request_number number, failure why, std::vector<numbered_request>& out) {
  drop();
  x_refused = number;
  out.push_back({number, invalid_request{std::move(why)}});
}

void broadcast_assembler::drop() noexcept {
  x_number = {};
  x_whole = {};
  x_next_part = 0;
  x_bytes = 0;
  x_refused = {};
}

// -- a server's answer to it --------------------------------------------------

result<std::optional<numbered_event>> outcomes_assembler::add(outcomes_part x) {
  auto begins = x_next_part == 0;
  auto in_order = x.part == x_next_part
    && (begins || (x.number == x_whole.number && x.to == x_whole.to));
  x_bytes += bytes_of(x.what);
  if (!in_order || x_bytes > defaults::broadcast_outcomes_bytes_max) {
    *this = {};
    return fail(errc::bad_frame,
      in_order ? "the answer to a broadcast is too long"
               : "the parts of an answer are out of order");
  }
  ++x_next_part;
  if (begins)
    x_whole = std::move(x);
  else
    append(x_whole.what.outcomes, std::move(x.what.outcomes));
  if (x.more)
    return std::nullopt;
  numbered_event whole{
    x_whole.number, answer{x_whole.to, std::move(x_whole.what)}};
  *this = {};
  return whole;
}

} // namespace parley::native
