#pragma once

#include "protocol/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace parley::native {

/// Puts the parts of a broadcast or of a list of contacts together, one request
/// at a time, within `broadcast_recipients_max` or `contacts_at_once`, and
/// `broadcast_bytes_max`. A connection leads all its decoded requests through
/// it, so that each number gets one answer.
class request_assembler {
public:
  /// Appends `x` to `out`, and before it, if `x` came between the parts of
  /// another request, the invalid_request that answers that one
  /// (`bad_request`).
  void add(numbered_request x, std::vector<numbered_request>& out);

  /// Appends the whole request to `out` with its last part, or, once, an
  /// invalid_request in its place: the part's own failure, `bad_request` for a
  /// part out of order, `too_many_recipients`, `bad_request` or `too_large`
  /// beyond the bounds, with limit and value. Further parts of a refused
  /// request are swallowed.
  void add(request_part x, std::vector<numbered_request>& out);

  /// Bytes held on the heap, about.
  size_t memory() const noexcept { return x_bytes; }

private:
  using content = decltype(request_part::what);

  void refuse(
    request_number number, failure why, std::vector<numbered_request>& out);
  void drop() noexcept;

  /// What has come so far; number 0: nothing.
  request_number x_number;
  content x_whole;
  uint32_t x_next_part = 0;
  size_t x_bytes = 0;
  /// Further parts of this one are swallowed; 0: none.
  request_number x_refused;
};

/// The same at the client for answers, and for what is told without having been
/// asked for. A server that keeps the protocol sends the parts one after
/// another.
class answer_assembler {
public:
  /// Nothing while parts are missing; the whole with the last one; `bad_frame`
  /// for a part out of order or beyond the bounds.
  result<std::optional<numbered_event>> add(answer_part x);

private:
  answer_part x_whole;
  uint32_t x_next_part = 0;
  size_t x_bytes = 0;
};

} // namespace parley::native
