#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/lean_queue.hpp"
#include "protocol/vocabulary.hpp"

namespace parley::xmpp {

/// What of a stream is done, in both directions: the counters of stream
/// management (XEP-0198), and which events of the session are safe at the
/// client. Rules only.
class ledger {
public:
  // -- from the client

  /// A stanza came; those before `manage` do not count.
  void received() noexcept { x_received += x_managed; }
  /// The latest stanza is done when this request is.
  void open(request_number what) {
    if (x_managed)
      x_open.push_back({what, x_received});
  }
  void close(request_number what) noexcept;
  /// `h`: so many stanzas, all from the first on, are done.
  uint32_t done() const noexcept;
  bool has_open() const noexcept { return !x_open.empty(); }

  // -- to the client

  /// A stanza goes out; it carries this event, or 0.
  void sent(sequence what);
  /// So does the stanza that went out last.
  void carries(sequence what);
  /// What went out before counts by the bytes that reached the client's
  /// system, what goes out from now on by the client's own word.
  void manage() noexcept { x_managed = true; }
  bool is_managed() const noexcept { return x_managed; }
  /// Where the bytes of stanzas end that had no place in the output yet.
  void placed(uint64_t end_of_output) noexcept;
  /// Whether something waits for `reached`.
  bool awaits_bytes() const noexcept {
    return !x_out.empty() && !x_out.front().counted;
  }
  /// The client's system has so many bytes. Returns up to which event all is
  /// safe, 0 for nothing new.
  sequence reached(uint64_t bytes);
  /// The client says `h`; nothing for a number that cannot be.
  std::optional<sequence> acknowledged(uint32_t h);
  /// Stanzas that the client has not acknowledged.
  uint64_t unacknowledged() const noexcept { return x_sent - x_acknowledged; }
  /// How many stanzas went out, and how many of them the client has.
  uint64_t sent_in_all() const noexcept { return x_sent; }
  uint64_t acknowledged_in_all() const noexcept { return x_acknowledged; }

  /// The stream goes on with another connection: what the client has not
  /// acknowledged is void, and will be sent again.
  void resume() noexcept;

private:
  struct open_request {
    request_number number;
    uint64_t stanza = 0;
  };
  struct outgoing {
    sequence event;
    /// In stanzas, or in bytes; 0: not known yet.
    uint64_t mark = 0;
    bool counted = false;
  };

  sequence take(uint64_t stanzas, uint64_t bytes);

  uint64_t x_received = 0;
  /// In rising order.
  std::vector<open_request> x_open;
  uint64_t x_sent = 0;
  uint64_t x_acknowledged = 0;
  lean_queue<outgoing> x_out;
  bool x_managed = false;
};

} // namespace parley::xmpp
