#include <cstdio>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "actors/launcher/admin.hpp"
#include "actors/launcher/chat.hpp"
#include "actors/launcher/server.hpp"

namespace {

constexpr auto usage = R"(parley - instant messaging and presence

  parley serve --data DIR --listen HOST:PORT   starts the server
  parley chat --server HOST:PORT --user U …    signs in and chats
  parley admin --data DIR …                    operates a running server

Each takes --help. parley --version says which one this is.
)";

/// A file or socket that is opened later must not take the place of standard
/// input, output or errors. Output to the one that is put there fails.
void open_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (::fcntl(fd, F_GETFD) < 0)
      ::open("/dev/null", O_RDONLY);
}

} // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "serve")
    return parley::serve_main(argc - 1, argv + 1);
  if (command == "chat")
    return parley::chat_main(argc - 1, argv + 1);
  if (command == "admin")
    return parley::admin_main(argc - 1, argv + 1);
  if (command == "--version") {
    std::puts("parley " PARLEY_VERSION);
    return 0;
  }
  bool asked = command == "--help" || command == "help";
  std::fputs(usage, asked ? stdout : stderr);
  return asked ? 0 : 2;
}
