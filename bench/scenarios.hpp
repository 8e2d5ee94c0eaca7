#pragma once

#include "bench/options.hpp"

/// What parley-bench does; each runs once, prints its report and returns the
/// exit code: 0, or 1 if a check failed. They throw std::exception where a run
/// cannot be made.
namespace parley::bench {

/// `im` and `lone`.
int run_im(const options& what);
int run_idle(const options& what);
int run_offline(const options& what);
int run_broadcast(const options& what);
int run_presence(const options& what);
int run_signin(const options& what);
/// `signin-cost`.
int run_signin_cost(const options& what);

/// Be the relay until SIGTERM; prints `ready HOST:PORT`.
int run_relay(const options& what);
/// Prints users for `parley admin user import`.
int run_users(const options& what);

} // namespace parley::bench
