#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/circular_buffer.hpp>

#include "protocol/client/events.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

/// A request that has no answer yet.
struct pending_request {
  enum class kind : uint8_t {
    send,
    broadcast,
    availability,
    sign_out,
    /// About contacts, watches or privacy: `other`.
    other,
    /// The contact list, as the owner asked for it.
    list,
    /// The same, as the client asked by itself.
    follow,
  };

  /// What a broadcast needs to be encoded again.
  struct broadcast_content {
    im message;
    std::vector<std::string> to;
  };

  pending_request::kind what = kind::send;
  /// Answered; stays until all before it are.
  bool answered = false;
  /// An availability that the Authenticate under way carries already.
  bool covered = false;
  request_tag tag;
  /// Bytes of body and payloads: what counts against the window.
  uint32_t bytes = 0;
  /// Of a send: sizes of the first two fields in `encoded`.
  uint32_t id_size = 0;
  uint32_t to_size = 0;
  /// Of a send: a wire::SendIm, which is all of it but the number.
  std::string encoded;
  std::unique_ptr<broadcast_content> list;
  availability presence;
  std::unique_ptr<request> other;

  /// Of a send: views into `encoded`.
  std::string_view id() const noexcept;
  std::string_view to() const noexcept;
};

/// The requests of a client in the order in which they were made: first those
/// that the server was sent, numbered without gaps, then those that wait for
/// the window or for a session.
class request_queue {
public:
  /// A request with the number under which it is to be sent.
  struct numbered {
    request_number number;
    const pending_request* what = nullptr;
  };

  void push(pending_request x);

  /// Before all that wait.
  void push_next(pending_request x);

  /// The next one to send, if there is one and the window has room, which a
  /// sign_out does not need; it counts as sent then. `what` is valid until the
  /// next call of anything.
  std::optional<numbered> next();

  /// Takes out the request that the event `by` answers; nothing if it is not
  /// there or was answered. It counts against the window until `by` is
  /// acknowledged.
  std::optional<pending_request> settle(request_number number, sequence by);

  /// A request that the server sent back since its window had just shrunk:
  /// sent again when there is room, before all that wait but after those that
  /// came back before it.
  void give_back(pending_request x);

  /// The client acknowledged all events up to this one.
  void acknowledged(sequence upto) noexcept;

  void window_changed(const window& x) noexcept { x_window = x; }

  /// The session was resumed and the server has requests up to `last`: calls
  /// `f(numbered)` for every other that had been sent.
  template <class F>
  void resume(request_number last, F f) const {
    for (size_t i = 0; i < x_sent; ++i)
      if (!x_queue[i].answered && x_base + i > last.value)
        f(numbered{{x_base + i}, &x_queue[i]});
  }

  /// A new session: what has no answer waits again, numbers start at 1.
  /// Returns the tags of availabilities that are covered by the sign-in.
  std::vector<request_tag> start_session();

  /// An Authenticate goes out with the last availability.
  void cover_availability() noexcept;

  /// Requests without an answer.
  size_t unanswered() const noexcept { return x_unanswered; }

  /// Calls `f(pending_request)` for each of them.
  template <class F>
  void each_unanswered(F f) const {
    for (auto& x : x_queue)
      if (!x.answered)
        f(x);
  }

  /// The first one that has no answer is a sign_out.
  bool leaves_next() const noexcept;

  /// All that was sent is answered, and for what waits there is no room before
  /// these answers are acknowledged.
  bool is_stuck() const noexcept;

  size_t memory() const noexcept;

private:
  bool has_room(const pending_request& x) const noexcept;
  void insert(size_t place, pending_request x);
  void pop_answered() noexcept;

  struct answered_bytes {
    uint64_t event;
    uint32_t bytes;
  };

  boost::circular_buffer<pending_request> x_queue;
  /// So many at the front of the queue were sent; the first has the number
  /// `x_base`.
  size_t x_sent = 0;
  uint64_t x_base = 1;
  /// So many of those after them came back.
  size_t x_back = 0;
  size_t x_unanswered = 0;

  window x_window;
  uint32_t x_used_messages = 0;
  uint64_t x_used_bytes = 0;
  /// Answered by events that are not acknowledged yet.
  boost::circular_buffer<answered_bytes> x_answered;
};

} // namespace parley
