#pragma once

#include <memory>
#include <string>

#include "protocol/client_connection.hpp"

namespace parley::xmpp {

/// A connection that speaks XMPP, for a socket that was just accepted.
std::unique_ptr<client_connection> make_stream(
  std::shared_ptr<const connection_config> config, client_connection::owner& o,
  std::string peer, steady_time now);

} // namespace parley::xmpp
