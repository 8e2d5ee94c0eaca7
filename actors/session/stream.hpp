#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "actors/router/inbox.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

/// Both directions of one session, apart from any connection: numbers events,
/// keeps them until the client has them, knows which requests came before, and
/// how many may be under way. Rules only.
class event_stream {
public:
  struct kept_event {
    /// Of an IM; 0 for all else.
    im_order order;
    event what;
    /// The client has it, though not all that came before.
    bool settled = false;
  };

  // -- events

  /// Keeps an event and gives it the next number. An answer also settles its
  /// request.
  sequence push(im_order order, event what);

  /// The client has all up to `upto`. Appends the IMs among them, which are
  /// owed an acknowledgement, to `out`. False, and nothing happens, for a
  /// number that was never given.
  bool acknowledge(sequence upto, std::vector<acknowledged_im>& out);

  /// The client has this answer, whatever else it has.
  void settle(sequence number);

  /// What the client does not have, in order; some of it is settled.
  std::span<const kept_event> unacknowledged() const noexcept;
  /// The number of the first of these.
  sequence first_unacknowledged() const noexcept {
    return sequence{x_acknowledged + 1};
  }
  sequence last() const noexcept {
    return sequence{x_acknowledged + unacknowledged().size()};
  }

  // -- requests

  enum class verdict : uint8_t {
    fresh,
    /// Came before: its answer was given or will be.
    repeated,
    /// More than the window allows; not counted.
    beyond_window,
  };

  /// A sign-out always fits.
  verdict admit(const numbered_request& x, const window& granted);

  request_number last_request() const noexcept { return x_last_request; }
  /// Unanswered, or with an answer that the client does not have.
  size_t under_way() const noexcept { return x_unanswered + x_answers; }
  /// Requests beyond the window since the client last acknowledged something.
  size_t refused() const noexcept { return x_refused; }
  /// Receipts that the client does not have.
  size_t receipts() const noexcept { return x_receipts; }

  /// Bytes of answers beyond an outcome each that the client does not have.
  uint64_t answer_bytes() const noexcept { return x_answer_bytes; }
  /// About what it holds in bytes, IMs' contents apart.
  uint64_t own_bytes() const noexcept;
  /// What the client leaves untaken: events with all that is in them.
  uint64_t untaken_bytes() const noexcept;
  /// Of requests without answer.
  uint64_t request_bytes() const noexcept {
    return x_open_bytes + x_open_texts * sizeof(std::string);
  }

  /// Gives back memory that only traffic needs.
  void shrink();

private:
  struct open_request {
    request_number number;
    /// In the window.
    uint64_t bytes = 0;
    /// In own_bytes(): IMs are counted elsewhere, too.
    uint64_t own = 0;
    /// That a broadcast lists.
    uint32_t texts = 0;
    bool answered = false;
  };

  /// It waits no longer for the client.
  void count_out(const event& what) noexcept;
  void skip_settled() noexcept;
  /// Where it stands in x_open; its size if it awaits no answer.
  size_t find_open(request_number number) const noexcept;
  void close(request_number number) noexcept;

  std::vector<kept_event> x_kept;
  /// x_kept before this is acknowledged.
  size_t x_head = 0;
  uint64_t x_acknowledged = 0;
  size_t x_answers = 0;
  size_t x_receipts = 0;
  /// Of answers that say more than one outcome.
  uint64_t x_answer_bytes = 0;
  /// Contents of kept IMs.
  uint64_t x_im_bytes = 0;
  /// In rising order; answered ones are taken out once they come to the front.
  std::vector<open_request> x_open;
  size_t x_open_head = 0;
  size_t x_unanswered = 0;
  uint64_t x_open_bytes = 0;
  uint64_t x_own_open_bytes = 0;
  uint64_t x_open_texts = 0;
  size_t x_refused = 0;
  request_number x_last_request;
};

} // namespace parley
