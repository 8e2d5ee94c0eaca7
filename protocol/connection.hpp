#pragma once

#include <memory>
#include <string>

#include "protocol/client_connection.hpp"

namespace parley {

/// The server's side of one native connection. TLS, framing, hello, SASL and
/// heartbeat are stages of it: (TLS handshake) → magic → hello → sign-in or
/// resume → session → closed.
class connection final : public client_connection {
public:
  /// Calls nothing of `o`; with plain TCP the server's magic is in `output()`
  /// at once.
  connection(std::shared_ptr<const connection_config> config, owner& o,
    std::string peer, steady_time now);
  ~connection() override;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void receive(
    std::span<const char> bytes, steady_time now, wall_time wall) override;
  void disconnected() override;
  void tick(steady_time now) override;
  void reading(bool goes_on) override;
  std::string_view output() override;
  void written(size_t n) override;
  size_t output_waiting() const noexcept override;

  void keys_found(const scram_keys* keys) override;
  void authentication_refused(const failure& why) override;
  void password_checked(bool fits) override;
  sequence accept(const signed_in& what,
    std::unique_ptr<connection_legacy> legacy = nullptr) override;
  void refuse(const failure& why) override;

  bool send(sequence number, const event& what) override;
  void send_window(const window& requests) override;
  void send_going_away(std::chrono::milliseconds come_back_after) override;
  void close(const failure& why, error_scope scope) override;
  void probe(std::chrono::milliseconds timeout, steady_time now) override;
  void heartbeat_changed(std::chrono::milliseconds interval) override;

  bool in_session() const noexcept override;
  bool is_closed() const noexcept override;
  size_t memory() const noexcept override;

private:
  class impl;
  std::unique_ptr<impl> x_impl;
};

} // namespace parley
