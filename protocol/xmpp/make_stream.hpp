#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "protocol/client_connection.hpp"

namespace parley::xmpp {

/// What a stream is carried by: TCP (RFC 6120), or a WebSocket (RFC 7395).
enum class carrier : uint8_t { tcp, websocket };

/// A connection that speaks XMPP, for a socket that was just accepted.
std::unique_ptr<client_connection> make_stream(
  std::shared_ptr<const connection_config> config, client_connection::owner& o,
  std::string peer, steady_time now, carrier by = carrier::tcp);

} // namespace parley::xmpp
