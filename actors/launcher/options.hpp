#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "actors/gateway/listener.hpp"
#include "protocol/defaults_memory.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// What only a start can change: command line over TOML file over defaults.
struct serve_options {
  std::string data;
  std::vector<listen_address> listen;
  /// Where clients of XMPP connect.
  std::vector<listen_address> xmpp;
  /// The same over WebSocket.
  std::vector<listen_address> xmpp_ws;
  /// TCP without TLS.
  bool plain = false;
  /// Plain TCP also elsewhere than on loopback; only the file can say so.
  bool plain_anywhere = false;
  /// Of user names without one.
  std::string domain = "localhost";
  /// Empty: a self-signed pair in the data folder.
  std::string certificate;
  std::string key;
  size_t threads = 1;
  std::chrono::microseconds spin{20};
  /// Where metrics are read.
  std::optional<listen_address> metrics;
  /// Also elsewhere than on loopback; only the file can say so.
  bool metrics_anywhere = false;
  /// IMs of which it is known what became of them; 0: of none.
  size_t traced_ims = defaults::trace_ims;
  /// Changes of an endpoint's presence a second that its watchers are told of;
  /// 0: all.
  double presence_rate = defaults::presence_changes_per_second;
  /// MiB that clients can make it hold, about.
  uint64_t memory_mib = defaults::memory_budget_mib;
  /// Drop privileges to this user once all is open.
  std::string user;
  /// `debug`, `info`, `warn`, `error`.
  std::string log = "info";

  /// `bad_request` with what is wrong. `help` is set when help was asked for.
  static result<serve_options> parse(int argc, char** argv, std::string& help);
};

} // namespace parley
