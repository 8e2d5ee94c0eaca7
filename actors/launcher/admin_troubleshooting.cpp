#include <algorithm>
#include <iterator>

#include <sys/resource.h>
#include <sys/statvfs.h>

#include "actors/launcher/admin_requests.hpp"
#include "actors/launcher/troubleshoot.hpp"

// Gathers what the troubleshooter judges by.
namespace parley {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// Some of `more` are in `all` already.
void add(std::vector<user_address>& all, std::vector<user_address> more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
}

} // namespace

limits_found admin_requests::users_at_limits(const policy& rules) {
  limits_wanted wanted{
    rules.im_offline_max, rules.contacts_max, rules.watchers_max};
  auto all = ask<limits_found>(x_reach.sweeper, wanted);
  // What waits in memory is on no disk, and no ad-hoc watch is.
  for (const auto& r : x_reach.routers) {
    auto some = ask<limits_found>(r, wanted);
    add(all.offline, std::move(some.offline));
    add(all.watchers, std::move(some.watchers));
  }
  return all;
}

json admin_requests::troubleshoot() {
  engine_facts x;
  x.now = x_reach.world->wall_clock();
  x.up =
    std::chrono::duration_cast<milliseconds>(steady_clock::now() - x_began);
  x.engine = x_metrics.read();
  x.folder = x_reach.folder;
  x.certificate_file = x_reach.certificate;
  if (x_reach.tls) {
    x.certificate = x_reach.tls->in_use();
    x.certificate_there = read_certificate(x_reach.certificate);
  }
  struct statvfs disk {};
  if (::statvfs(x_reach.folder.c_str(), &disk) == 0) {
    x.disk_free = disk.f_bavail * disk.f_frsize;
    x.disk_size = disk.f_blocks * disk.f_frsize;
  }
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    x.files_max = files.rlim_cur;
    x.files_hard_max = files.rlim_max;
  }
  if (auto ok = x_metrics.ready();
      !ok && ok.error().code != errc::server_stopping)
    x.store = std::move(ok.error());
  auto lines = ask<audit_found>(x_reach.reader, audit_atom::value, uint64_t{1});
  if (!lines.what.empty())
    x.last_audited = lines.what.front().when;
  x.rules = *ask<shared<policy>>(x_reach.settings, get_atom::value);
  x.at_limits = users_at_limits(x.rules);
  auto checks = json::array();
  for (auto& f : parley::troubleshoot(x)) {
    checks.push_back({{"check", f.check}, {"state", to_string(f.how)},
      {"what", f.what}, {"remedy", f.remedy}});
    if (!f.users.empty())
      checks.back()["users"] = std::move(f.users);
  }
  return {{"checks", std::move(checks)}};
}

} // namespace parley
