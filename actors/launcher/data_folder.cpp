#include "actors/launcher/data_folder.hpp"

#include "actors/launcher/open_folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace parley {

namespace fs = std::filesystem;

namespace {

enum class found { empty, data, foreign };

/// RocksDB writes it last when it makes a store.
bool holds_store(const open_folder& x) {
  const auto file = std::string{store_name} + "/CURRENT";
  return ::faccessat(x.fd(), file.c_str(), F_OK, 0) == 0;
}

result<found> look_at(const open_folder& x) {
  if (holds_store(x))
    return found::data;
  // A first start that broke off leaves some of these; certificates may be
  // put there before it; a file system of its own begins with lost+found.
  constexpr std::array<std::string_view, 3> ours{
    store_name, tls_name, admin_socket_name};
  auto names = x.names();
  if (!names)
    return tl::unexpected{names.error()};
  auto what = found::empty;
  for (const auto& name : *names) {
    if (name == "lost+found")
      continue;
    if (std::find(ours.begin(), ours.end(), name) == ours.end())
      return found::foreign;
    what = found::data;
  }
  return what;
}

result<void> restrict_to_owner(const open_folder& x) {
  if (::fchmod(x.fd(), S_IRWXU) == 0)
    return {};
  auto why = std::string{std::strerror(errno)};
  if ((x.status().st_mode & (S_IRWXG | S_IRWXO)) == 0)
    return {};
  return refuse_folder(x.path(), "cannot be kept from others: " + why);
}

result<void> give_to(const open_folder& x, const system_user& who) {
  if (::fchown(x.fd(), who.uid, who.gid) != 0)
    return refuse_folder(
      x.path(), "cannot be given to " + who.name + ": " + std::strerror(errno));
  return {};
}

/// A server that cannot read what is in it says so in words that help nobody.
result<void> check_owner(const open_folder& x, const system_user& who) {
  for (const auto* one : {".", store_name, tls_name}) {
    struct stat status {};
    if (::fstatat(x.fd(), one, &status, 0) == 0 && status.st_uid != who.uid)
      return refuse_folder(x.path(),
        "belongs to another user than " + who.name
          + "; to change that: chown -R " + who.name + " " + x.path().string());
  }
  return {};
}

} // namespace

result<void> make_private_folder(const fs::path& x) {
  auto folder = open_folder::make(x, links::all);
  return folder ? restrict_to_owner(*folder)
                : result<void>{tl::unexpected{folder.error()}};
}

result<void> prepare_data_folder(
  const fs::path& given, const std::optional<system_user>& owner) {
  // `data/` has an empty last part.
  auto x = given.has_filename() ? given : given.parent_path();
  const bool gives = owner && ::geteuid() == 0;
  auto folder = open_folder::make(x, gives ? links::roots : links::all);
  if (!folder)
    return tl::unexpected{folder.error()};
  auto what = look_at(*folder);
  if (!what)
    return tl::unexpected{what.error()};
  if (*what == found::foreign)
    return refuse_folder(
      x, "holds other things and no store; name an empty folder or a new one");
  if (owner)
    if (auto ok = *what == found::data ? check_owner(*folder, *owner)
                                       : give_to(*folder, *owner);
        !ok)
      return ok;
  return restrict_to_owner(*folder);
}

} // namespace parley
