#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// What comes before the frames: one request of HTTP/1.1 for a WebSocket (RFC
/// 6455, 4), or for where there is one (XEP-0156).
namespace parley::xmpp {

struct http_answer {
  std::string text;
  /// Frames follow; otherwise nothing does.
  bool is_upgrade = false;
};

/// Answers the head of a request, which ends with an empty line. Total on any
/// text.
http_answer answer_to(std::string_view head, bool is_encrypted);

/// Says no before there was a request, or a whole one; `status` is one of
/// HTTP's, `retry_after` is told unless it is 0.
std::string http_refusal(unsigned status, std::string_view why,
  std::chrono::milliseconds retry_after = {});

/// Gathers the head of a request from what comes in pieces.
class handshake {
public:
  /// The answer, once the head is whole, or is longer than it may be; takes
  /// from the front of `bytes` what belongs to it, all if it is not whole.
  std::optional<http_answer> take(std::string_view& bytes, bool is_encrypted);
  size_t memory() const noexcept { return x_head.capacity(); }

private:
  std::string x_head;
};

} // namespace parley::xmpp
