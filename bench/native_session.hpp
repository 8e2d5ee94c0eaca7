#pragma once

#include <memory>

#include "bench/session.hpp"

namespace parley::wire {
class ClientFrame;
} // namespace parley::wire

namespace parley::bench {

/// A session of Parley's own protocol.
class native_session final : public session {
public:
  using session::session;

  uint64_t send(const outgoing_im& im, int64_t sent_at_ms) override;
  uint64_t broadcast(std::string_view id, std::span<const std::string> to,
    std::string_view body) override;
  uint64_t set_presence(uint32_t show, std::string_view status) override;
  void sign_out() override;
  void tick(int64_t now) override;

private:
  enum class step : uint8_t { magic, welcome, sasl };

  void begin() override;
  size_t consume(std::string_view bytes) override;
  void acknowledge() override;

  void handle(std::string_view bytes);
  void handle_im(const frame_view& frame);
  void handle_outcome(const frame_view& frame);
  void handle_presence(const frame_view& frame);
  void handle_rare(std::string_view bytes);
  void authenticate();
  void challenge(std::string_view data);
  void write_frame(const wire::ClientFrame& frame);

  /// Before it is open.
  step x_step = step::magic;
  std::unique_ptr<scram_exchange> x_scram;
  uint64_t x_last_request = 0;
  /// Behind the relay: the number of this side's last answer.
  uint64_t x_own_answer = 0;
  uint64_t x_last_event = 0;
  uint64_t x_acknowledged = 0;
  int64_t x_heartbeat = 0;
};

} // namespace parley::bench
