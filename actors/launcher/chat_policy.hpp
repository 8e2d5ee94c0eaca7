#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

/// The server's policy in words, for a person.
namespace parley::chat {

/// What the server told of its policy last.
class policy_board {
public:
  using values = std::vector<std::pair<std::string, std::string>>;

  /// What has changed, a sentence each; nothing the first time.
  std::vector<std::string> take(const values& now);

private:
  std::map<std::string, std::string> x_now;
};

} // namespace parley::chat
