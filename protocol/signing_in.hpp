#pragma once

#include "protocol/vocabulary.hpp"

#include <chrono>
#include <string>
#include <tuple>

namespace parley {

/// What a client speaks.
enum class wire_protocol : uint8_t { native, xmpp, xmpp_websocket };

/// A client proved who it is and asks for a session.
struct sign_in {
  user_address user;
  /// Empty: the server makes one.
  endpoint_name endpoint;
  availability presence;
  /// What the client will take unacknowledged; all zero: as much as the
  /// server allows.
  window wanted;
  /// For the operator: client software, peer address, "TLSv1.3" or "plain".
  std::string software;
  std::string peer;
  std::string transport;
  wire_protocol protocol = wire_protocol::native;
  auto fields() {
    return std::tie(
      user, endpoint, presence, wanted, software, peer, transport, protocol);
  }
};

/// A client asks for its suspended session; it gets no session of another
/// protocol.
struct resume {
  std::string token;
  /// With its number of the last event that it has; where the protocol does
  /// not number events, 0: the connection before knows.
  sequence last_event;
  std::string peer;
  std::string transport;
  /// Who proved to be this user; empty: the token alone counts.
  user_address by;
  wire_protocol protocol = wire_protocol::native;
  auto fields() {
    return std::tie(token, last_event, peer, transport, by, protocol);
  }
};

/// The server's word to a sign_in or resume.
struct signed_in {
  address self;
  std::string token;
  bool resumed = false;
  request_number last_request;
  window requests;
  window ims;
  std::chrono::milliseconds heartbeat{};
  std::chrono::milliseconds resume_window{};
  auto fields() {
    return std::tie(self, token, resumed, last_request, requests, ims,
      heartbeat, resume_window);
  }
};

} // namespace parley
