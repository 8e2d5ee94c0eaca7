#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <sys/resource.h>
#include <sys/stat.h>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "actors/launcher/printable.hpp"
#include "actors/launcher/server.hpp"
#include "actors/launcher/stop_defaults.hpp"

namespace parley {

namespace {

/// Some of what is logged are words of strangers.
class printable_payload final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& what, const std::tm&,
    spdlog::memory_buf_t& out) override {
    const auto text =
      printable_line({what.payload.data(), what.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<printable_payload>();
  }
};

void log_to_stderr(const std::string& level) {
  auto log = spdlog::stderr_logger_mt("parley");
  auto lines = std::make_unique<spdlog::pattern_formatter>();
  lines->add_flag<printable_payload>('*').set_pattern(
    "%Y-%m-%dT%H:%M:%S.%e %l %*");
  log->set_formatter(std::move(lines));
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

/// Ends the process if it is not gone in time.
class stop_watch {
public:
  stop_watch() = default;
  ~stop_watch() {
    x_stopped.set_value();
    x_thread.join();
  }
  stop_watch(const stop_watch&) = delete;
  stop_watch& operator=(const stop_watch&) = delete;

private:
  std::promise<void> x_stopped;
  std::thread x_thread{[stopped = x_stopped.get_future()] {
    if (stopped.wait_for(defaults::stop_deadline) == std::future_status::ready)
      return;
    spdlog::error("did not stop within {} s, for a disk that does not answer: "
                  "ends as if it were killed",
      std::chrono::duration_cast<std::chrono::seconds>(defaults::stop_deadline)
        .count());
    std::_Exit(1);
  }};
};

/// Why a start failed.
std::string words_of(const failure& why) {
  auto reason = std::string{to_string(why.code)};
  if (why.text.empty())
    return reason;
  // A port that is taken is no bad address; the text says which it is.
  return why.code == errc::bad_address ? why.text : reason + ": " + why.text;
}

/// What to do about a start that failed; empty where its text says all.
std::string remedy_of(errc why, const std::string& folder) {
  switch (why) {
  case errc::store_corrupt:
    return "Nothing was changed. Put the data folder back from a backup. "
           "Without one: copy the folder, then let `ldb repair --db="
      + folder
      + "/store` (of Debian's rocksdb-tools) keep what can still be read; "
        "what lay in the damaged part is lost.";
  case errc::store_locked:
    return "Stop the other one first, or name another folder.";
  case errc::schema_too_new:
    return "Nothing was changed. Start the newer Parley, or put the data "
           "folder back from a backup of before.";
  default:
    return {};
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
  ::umask(S_IRWXG | S_IRWXO); // whatever is made in the data folder
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
    std::fprintf(stderr, "parley serve: %s\n", words_of(why).c_str());
    if (auto remedy = remedy_of(why.code, options->data); !remedy.empty())
      std::fprintf(stderr, "%s\n", remedy.c_str());
    return 1;
  }
  for (const auto& at : (*running)->metrics())
    std::printf("metrics %s\n", at.c_str());
  for (const auto& at : (*running)->listening_xmpp())
    std::printf("xmpp %s\n", at.c_str());
  for (const auto& at : (*running)->listening_xmpp_ws())
    std::printf("xmpp-ws %s\n", at.c_str());
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
  stop_watch watch;
  (*running)->stop();
  return 0;
}

} // namespace parley
