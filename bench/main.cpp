#include <cstdio>
#include <exception>

#include "bench/event_loop.hpp"
#include "bench/scenarios.hpp"

namespace {

int run(const parley::bench::options& what) {
  using namespace parley::bench;
  if (what.scenario == "relay")
    return run_relay(what);
  if (what.scenario == "users")
    return run_users(what);
  watch_signals();
  if (what.scenario == "idle")
    return run_idle(what);
  if (what.scenario == "offline")
    return run_offline(what);
  if (what.scenario == "broadcast")
    return run_broadcast(what);
  if (what.scenario == "presence")
    return run_presence(what);
  if (what.scenario == "signin")
    return run_signin(what);
  if (what.scenario == "signin-cost")
    return run_signin_cost(what);
  return run_im(what);
}

} // namespace

int main(int argc, char** argv) {
  const auto parsed = parley::bench::parse_options(argc, argv);
  if (!parsed.text.empty()) {
    std::fputs(parsed.text.c_str(), parsed.code == 0 ? stdout : stderr);
    return parsed.code;
  }
  try {
    return run(parsed.what);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "parley-bench: %s\n", e.what());
    return 2;
  }
}
