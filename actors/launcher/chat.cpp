#include "actors/launcher/chat.hpp"

#include <clocale>
#include <csignal>
#include <cstdio>

#include "actors/launcher/chat_front.hpp"
#include "actors/launcher/chat_options.hpp"

namespace parley {

namespace {

constexpr int wrong_usage = 2;

int complain(const failure& why) {
  std::fprintf(stderr, "parley chat: %s\n", why.text.c_str());
  return wrong_usage;
}

} // namespace

int chat_main(int argc, char** argv) {
  // Who stops reading our output is noticed at the write.
  std::signal(SIGPIPE, SIG_IGN);
  std::setlocale(LC_CTYPE, "");
  auto options = chat::parse_options(argc, argv);
  if (!options) {
    complain(options.error());
    std::fputs("Try --help.\n", stderr);
    return wrong_usage;
  }
  if (options->help) {
    std::fputs(chat::usage().c_str(), stdout);
    return 0;
  }
  auto target = client_target::make(options->server);
  if (!target)
    return complain(target.error());
  if (auto password = chat::read_password(*options); !password)
    return complain(password.error());
  auto front = options->jsonl ? chat::make_script(*options, std::move(*target))
                              : chat::make_talk(*options, std::move(*target));
  return front->run();
}

} // namespace parley
