#include "actors/launcher/privileges.hpp"

#include <cerrno>
#include <cstring>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace parley {

bool runs_as(const system_user& who) {
  uid_t real_user, user, saved_user;
  gid_t real_group, group, saved_group;
  return ::getresuid(&real_user, &user, &saved_user) == 0
    && ::getresgid(&real_group, &group, &saved_group) == 0
    && real_user == who.uid && user == who.uid && saved_user == who.uid
    && real_group == who.gid && group == who.gid && saved_group == who.gid;
}

result<system_user> system_user::find(const std::string& name) {
  errno = 0;
  const auto* entry = ::getpwnam(name.c_str());
  if (!entry)
    return fail(errc::bad_request,
      "this machine has no user '" + name + "'"
        + (errno != 0 ? std::string{": "} + std::strerror(errno) : ""));
  system_user x{name, entry->pw_uid, entry->pw_gid};
  if (::geteuid() != 0 && !runs_as(x))
    return fail(
      errc::not_authorised, "only root can start a server as " + name);
  return x;
}

result<void> become(const system_user& who) {
  if (::geteuid() != 0 && runs_as(who))
    return {};
  if (::initgroups(who.name.c_str(), who.gid) != 0 || ::setgid(who.gid) != 0
    || ::setuid(who.uid) != 0)
    return fail(errc::not_authorised,
      "cannot become the user " + who.name + ": " + std::strerror(errno));
  // Nobody who is not root may become it again.
  if (!runs_as(who) || (who.uid != 0 && ::setuid(0) == 0))
    return fail(errc::not_authorised,
      "the privileges are still there after becoming " + who.name);
  return {};
}

} // namespace parley
