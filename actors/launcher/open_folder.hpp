#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "protocol/errors.hpp"

namespace parley {

/// Which links are followed on the way to a folder: all; or root's, and none
/// in the place of the folder itself. Who plants one would choose what root
/// changes.
enum class links { all, roots };

/// What is done by this is done to the folder that was found, whatever has
/// taken its place since.
class open_folder {
public:
  /// Made if there is none (mode 0700), and so are its parents (0755).
  static result<open_folder> make(
    const std::filesystem::path& x, links followed);

  ~open_folder();
  open_folder(open_folder&& x) noexcept;
  open_folder& operator=(open_folder&& x) noexcept;

  int fd() const noexcept { return x_fd; }
  /// As given.
  const std::filesystem::path& path() const noexcept { return x_path; }
  struct stat status() const noexcept;
  /// The names in it.
  result<std::vector<std::string>> names() const;

private:
  open_folder(int fd, std::filesystem::path path) noexcept;
  int x_fd = -1;
  std::filesystem::path x_path;
};

/// `store_unavailable`, of the data folder.
tl::unexpected<failure> refuse_folder(
  const std::filesystem::path& x, const std::string& why);

} // namespace parley
