#include "actors/launcher/data_folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

namespace parley {

namespace fs = std::filesystem;

namespace {

enum class found { nothing, empty, data, foreign };

tl::unexpected<failure> refuse(const fs::path& x, std::string why) {
  return fail(errc::store_unavailable,
    "the data folder " + x.string() + " " + std::move(why));
}

/// RocksDB writes it last when it makes a store.
bool holds_store(const fs::path& x) {
  std::error_code ec;
  return fs::exists(x / store_name / "CURRENT", ec);
}

result<found> look_at(const fs::path& x) {
  std::error_code ec;
  auto status = fs::status(x, ec);
  if (status.type() == fs::file_type::not_found)
    return found::nothing;
  if (ec)
    return refuse(x, "cannot be looked at: " + ec.message());
  if (!fs::is_directory(status))
    return refuse(x, "is no folder");
  if (holds_store(x))
    return found::data;
  // A first start that broke off leaves some of these; certificates may be
  // put there before it; a file system of its own begins with lost+found.
  constexpr std::array<std::string_view, 3> ours{
    store_name, tls_name, admin_socket_name};
  auto what = found::empty;
  fs::directory_iterator entries{x, ec};
  if (ec)
    return refuse(x, "cannot be read: " + ec.message());
  for (const auto& entry : entries) {
    auto name = entry.path().filename().string();
    if (name == "lost+found")
      continue;
    if (std::find(ours.begin(), ours.end(), name) == ours.end())
      return found::foreign;
    what = found::data;
  }
  return what;
}

result<void> restrict_to_owner(const fs::path& x) {
  if (::chmod(x.c_str(), S_IRWXU) == 0)
    return {};
  auto why = std::string{std::strerror(errno)};
  struct stat status {};
  if (::stat(x.c_str(), &status) == 0
    && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0)
    return {};
  return refuse(x, "cannot be kept from others: " + why);
}

result<void> give_to(const fs::path& x, const system_user& who) {
  if (::chown(x.c_str(), who.uid, who.gid) != 0)
    return refuse(
      x, "cannot be given to " + who.name + ": " + std::strerror(errno));
  return {};
}

/// A server that cannot read what is in it says so in words that help nobody.
result<void> check_owner(const fs::path& x, const system_user& who) {
  for (const auto& one : {x, x / store_name, x / tls_name}) {
    struct stat status {};
    if (::stat(one.c_str(), &status) == 0 && status.st_uid != who.uid)
      return refuse(x,
        "belongs to another user than " + who.name
          + "; to change that: chown -R " + who.name + " " + x.string());
  }
  return {};
}

} // namespace

result<void> make_private_folder(const fs::path& x) {
  if (::mkdir(x.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    return fail(errc::store_unavailable,
      "cannot make the folder " + x.string() + ": " + std::strerror(errno));
  return restrict_to_owner(x);
}

result<void> prepare_data_folder(
  const fs::path& given, const std::optional<system_user>& owner) {
  // `data/` has an empty last part.
  auto x = given.has_filename() ? given : given.parent_path();
  auto what = look_at(x);
  if (!what)
    return tl::unexpected{what.error()};
  if (*what == found::foreign)
    return refuse(
      x, "holds other things and no store; name an empty folder or a new one");
  if (*what == found::data && owner)
    if (auto ok = check_owner(x, *owner); !ok)
      return ok;
  if (*what == found::nothing) {
    std::error_code ec;
    // Others pass through its parents.
    const auto mask = ::umask(S_IWGRP | S_IWOTH);
    if (x.has_parent_path())
      fs::create_directories(x.parent_path(), ec);
    ::umask(mask);
    if (ec)
      return refuse(x, "cannot be made: " + ec.message());
    if (auto ok = make_private_folder(x); !ok)
      return ok;
  }
  if (*what != found::data && owner)
    if (auto ok = give_to(x, *owner); !ok)
      return ok;
  return restrict_to_owner(x);
}

} // namespace parley
