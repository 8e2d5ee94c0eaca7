#include <csignal>
#include <cstdio>

#include <sys/resource.h>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "actors/launcher/server.hpp"

namespace parley {

namespace {

void log_to_stderr(const std::string& level) {
  auto log = spdlog::stderr_logger_mt("parley");
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  log->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(log));
}

/// As many sockets as the system lets this process have.
void raise_descriptor_limit() {
  rlimit x{};
  if (::getrlimit(RLIMIT_NOFILE, &x) == 0 && x.rlim_cur < x.rlim_max) {
    x.rlim_cur = x.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &x);
  }
}

} // namespace

int serve_main(int argc, char** argv) {
  std::string help;
  auto options = serve_options::parse(argc, argv, help);
  if (!options) {
    std::fprintf(stderr, "parley serve: %s\n", options.error().text.c_str());
    return 2;
  }
  if (!help.empty()) {
    std::fputs(help.c_str(), stdout);
    return 0;
  }
  log_to_stderr(options->log);
  raise_descriptor_limit();
  // All threads inherit it: signals come to sigwait below, and nowhere else.
  sigset_t signals;
  sigemptyset(&signals);
  for (auto s : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  auto running = server::start(*options);
  if (!running) {
    auto& why = running.error();
    std::fprintf(stderr, "parley serve: %s%s%s\n",
      std::string{to_string(why.code)}.c_str(), why.text.empty() ? "" : ": ",
      why.text.c_str());
    return 1;
  }
  for (const auto& at : (*running)->metrics())
    std::printf("metrics %s\n", at.c_str());
  for (const auto& at : (*running)->listening())
    std::printf("ready %s\n", at.c_str());
  std::fflush(stdout);
  for (int signal = 0; sigwait(&signals, &signal) == 0;) {
    if (signal != SIGHUP)
      break;
    if (auto ok = (*running)->reload())
      SPDLOG_INFO("certificates read anew");
    else
      SPDLOG_ERROR("certificates stay as they were: {}", ok.error().text);
  }
  (*running)->stop();
  return 0;
}

} // namespace parley
