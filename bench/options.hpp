#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/im_load.hpp"
#include "bench/limits.hpp"
#include "bench/presence_load.hpp"
#include "bench/session_pool.hpp"

namespace parley::bench {

/// The command line of parley-bench.
struct options {
  std::string scenario;

  // -- what is measured
  /// Absent with `start_server` or `relay_only`.
  std::optional<loopback_address> server;
  /// Whose CPU and memory are looked at; 0: nobody's, if the server runs
  /// elsewhere already.
  int server_pid = 0;
  bool start_server = false;
  bool relay_only = false;
  bool compare_relay = false;
  bool tls = false;
  /// What clients speak; XMPP with stream management or without.
  client_protocol protocol = client_protocol::native;
  bool managed = false;
  /// The `parley` to start, its threads, further arguments for it, and where
  /// its data go.
  std::string parley;
  uint32_t threads = 1;
  std::vector<std::string> server_arguments;
  std::string root;
  /// Whether the load generator keeps to one CPU and what it starts to the
  /// others.
  enum class placing : uint8_t { together, apart_if_possible, apart };
  placing apart = placing::together;

  // -- how long
  double seconds = limits::seconds_default;
  double warmup = limits::warmup_default;
  uint32_t rounds = limits::rounds_default;

  // -- the load
  im_parameters im;
  /// Absent: natural texts.
  std::optional<size_t> body;
  uint64_t seed = 1;
  user_names names;
  std::string password;
  /// `idle`; absent: as many as the limit of open files allows, 20 000 at most.
  std::optional<uint32_t> sessions;
  /// `presence`: those who see one user; or `users` who see each other, each
  /// `contacts` of the others. `signin`: users with so many contacts each.
  uint32_t watchers = 0;
  uint32_t users = 0;
  uint32_t contacts = 0;
  presence_parameters presence;
  /// `presence`: IMs go on beside it, `im_rate` a second.
  bool ims = false;
  double im_rate = 0;
  /// `offline`: users that send; `offline` and `broadcast`: those who get.
  uint32_t senders = 0;
  uint32_t recipients = 0;
  /// `offline`: IMs to each recipient and round.
  uint32_t each = 0;

  bool json = false;

  // -- of `relay` and `users`
  uint32_t group = 2;
  uint32_t count = 0;
};

/// A command line that was read, or what to print instead of running it.
struct parsed_options {
  options what;
  /// Not empty: print it and end with `code`.
  std::string text;
  int code = 0;
};

/// Never throws on what a user writes.
parsed_options parse_options(int argc, const char* const* argv);

} // namespace parley::bench
