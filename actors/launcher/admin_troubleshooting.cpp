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

/// How long all that others have to tell is waited for, in all.
constexpr milliseconds patience = std::chrono::seconds{10};

/// Some of `more` are in `all` already.
void add(std::vector<user_address>& all, std::vector<user_address> more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
}

limits_wanted limits_of(const policy& rules) {
  return {rules.im_offline_max, rules.contacts_max, rules.watchers_max,
    rules.session_endpoints_max};
}

} // namespace

void admin_requests::find_at_limits_in_memory(
  engine_facts& x, steady_clock::time_point end) {
  auto& all = x.at_limits;
  for (const auto& r : x_reach.routers) {
    auto some = ask_until<limits_found>(end, r, limits_of(x.rules));
    if (!some) {
      all.why = x.no_endpoints = std::move(some.error());
      continue;
    }
    add(all.offline, std::move(some->offline));
    add(all.watchers, std::move(some->watchers));
    add(all.endpoints, std::move(some->endpoints));
  }
}

void admin_requests::find_at_limits_on_disk(
  engine_facts& x, steady_clock::time_point end) {
  auto& all = x.at_limits;
  auto stored =
    ask_until<limits_found>(end, x_reach.sweeper, limits_of(x.rules));
  if (!stored) {
    all.why = std::move(stored.error());
    return;
  }
  add(all.offline, std::move(stored->offline));
  add(all.contacts, std::move(stored->contacts));
  add(all.watchers, std::move(stored->watchers));
  if (stored->why.code != errc::none)
    all.why = std::move(stored->why);
}

/// Most of them wait for the disk, or for each other: where it is known that
/// this may take for ever they are not asked.
void admin_requests::ask_actors(engine_facts& x, steady_clock::time_point end) {
  // Who else may be silent, then, is not waited for that long.
  const auto first = x.engine.silent_workers > 0
    ? steady_clock::now() + defaults::metrics_patience
    : end;
  if (auto rules = ask_until<shared<policy>>(
        std::min(first, end), x_reach.settings, get_atom::value))
    x.rules = **rules;
  else
    x.no_rules = std::move(rules.error());
  failure why = x.no_rules;
  if (x.engine.silent_workers > 0)
    why = failure{errc::overloaded, "not asked while workers are silent"};
  x.no_endpoints = why;
  if (why.code == errc::none)
    find_at_limits_in_memory(x, end);
  if (x.store.code != errc::none)
    why = failure{x.store.code, "not asked while the store fails"};
  if (why.code != errc::none) {
    x.no_audit = x.at_limits.why = std::move(why);
    return;
  }
  auto lines =
    ask_until<audit_found>(end, x_reach.reader, audit_atom::value, uint64_t{1});
  if (!lines)
    x.no_audit = std::move(lines.error());
  else if (lines->why.code != errc::none)
    x.no_audit = std::move(lines->why);
  else if (!lines->what.empty())
    x.last_audited = lines->what.front().when;
  find_at_limits_on_disk(x, end);
}

/// Why the store is in no state to be used, if it is not.
failure admin_requests::store_trouble() {
  auto ok = x_metrics.ready();
  return ok || ok.error().code == errc::server_stopping ? failure{}
                                                        : std::move(ok.error());
}

json admin_requests::troubleshoot() {
  // The store may be looked at once more then.
  const auto end = steady_clock::now() + patience - defaults::metrics_patience;
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
  x.store = store_trouble();
  ask_actors(x, end);
  // Who waited for it may have found out.
  if (x.store.code == errc::none && x.at_limits.why.code != errc::none)
    x.store = store_trouble();
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
