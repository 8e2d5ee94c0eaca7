#include "actors/launcher/troubleshoot.hpp"

#include <algorithm>
#include <cstdio>

#include "actors/launcher/counted.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace {

using std::chrono::milliseconds;
using state = finding::state;

constexpr uint64_t kibibyte = 1024;
constexpr uint64_t mebibyte = kibibyte * kibibyte;
constexpr uint64_t hundred = 100;

std::string number(uint64_t n) {
  return std::to_string(n);
}

std::string share(uint64_t n, uint64_t of) {
  return number(n) + " of " + number(of);
}

bool is_beyond(uint64_t n, uint64_t of, uint64_t hundredths) {
  return n * hundred >= of * hundredths && of > 0;
}

std::string seconds(milliseconds x) {
  return number(static_cast<uint64_t>(
           std::chrono::duration_cast<std::chrono::seconds>(x).count()))
    + " s";
}

finding certificate(const engine_facts& x) {
  finding f{"certificate"};
  if (!x.certificate) {
    f.what = "clients connect without TLS";
    return f;
  }
  const auto& in_use = x.certificate->certificate;
  if (!in_use) {
    f.how = state::failed;
    f.what = in_use.error().text;
    f.remedy = "put a certificate there that can be read, then send SIGHUP";
    return f;
  }
  auto days = [&x](wall_time t) {
    auto n = std::chrono::duration_cast<std::chrono::hours>(t - x.now)
      / std::chrono::hours{24};
    return counted(static_cast<uint64_t>(n), "day");
  };
  auto is_valid = [&x](const certificate_state& c) {
    return c.begins <= x.now && x.now < c.ends;
  };
  auto ending = [&](const certificate_state& c) {
    return c.ends <= x.now ? std::string{" has ended"}
      : c.begins > x.now   ? " is not valid yet: it begins in " + days(c.begins)
                           : " ends in " + days(c.ends);
  };
  const auto& c = *in_use;
  const auto& there = x.certificate_there;
  f.what = x.certificate_file + ending(c)
    + (c.self_signed ? "; self-signed: clients have to be given it" : "");
  if (!is_valid(c))
    f.how = state::failed;
  else if (c.ends - x.now <= defaults::certificate_warning)
    f.how = state::warning;
  if (f.how != state::passed)
    f.remedy = "put a new certificate and key in its place, then send SIGHUP";
  if (x.certificate->not_reloaded.code != errc::none) {
    f.how = state::failed;
    f.what += "; that one stays in use, since the last SIGHUP failed: "
      + x.certificate->not_reloaded.text;
    f.remedy = "put a certificate and its own key there, then send SIGHUP";
  } else if (!there) {
    f.how = state::failed;
    f.what +=
      "; that one is in use until the server stops: " + there.error().text;
    f.remedy = "put a certificate there that can be read, then send SIGHUP";
  } else if (there->digest != c.digest) {
    // A SIGHUP, or the next start, would put it in use as it is.
    f.how = is_valid(*there) ? std::max(f.how, state::warning) : state::failed;
    f.what += "; the file holds another one now, which" + ending(*there)
      + " and is not in use yet";
    f.remedy = is_valid(*there)
      ? "send SIGHUP: new connections get the new certificate then"
      : "put one there that is valid now, then send SIGHUP, and not before";
  }
  return f;
}

finding disk(const engine_facts& x) {
  finding f{"disk"};
  f.what = number(x.disk_free / mebibyte) + " MiB of "
    + number(x.disk_size / mebibyte) + " are free at " + x.folder;
  if (x.disk_size == 0) {
    f.how = state::warning;
    f.what = "the system does not say how much is free at " + x.folder;
    f.remedy = "see whether the folder's disk is there";
  } else if (x.disk_free < defaults::disk_free_failure) {
    f.how = state::failed;
  } else if (x.disk_free < defaults::disk_free_warning
    || x.disk_free / defaults::disk_free_hundredths < x.disk_size / hundred) {
    f.how = state::warning;
  }
  if (f.how != state::passed && f.remedy.empty())
    f.remedy = "free some, or give the data folder a larger disk: without "
               "room IMs for absent users are rejected as store_failed";
  return f;
}

/// By the system's words for what the disk said.
std::string mend_disk(const engine_facts& x) {
  auto says = [&x](const char* what) {
    return x.store.text.find(what) != std::string::npos;
  };
  if (says("is damaged"))
    return "stop the server and put " + x.folder
      + " back from a backup, or copy it and let `ldb repair` (of "
        "rocksdb-tools) "
        "keep what can still be read; until then what can be read is, and "
        "nothing new is stored";
  std::string by_itself = "; the server writes on by itself once it can";
  if (says("No space left") || says("quota exceeded"))
    return "make room at " + x.folder + by_itself;
  if (says("Read-only file system"))
    return "the disk of " + x.folder
      + " is read-only, mostly after an error: see the system's log (dmesg), "
        "mend it, and mount it for writing"
      + by_itself;
  if (says("Input/output error"))
    return "the disk of " + x.folder
      + " fails: see the system's log (dmesg), and have a backup and another "
        "disk at hand"
      + by_itself;
  return "see the system's log for the disk of " + x.folder + by_itself;
}

finding store_health(const engine_facts& x) {
  finding f{"store"};
  auto refused = x.engine.commits ? x.engine.commits->refused() : 0;
  if (x.store.code != errc::none) {
    f.how = state::failed;
    f.what = "writes are refused: " + std::string{to_string(x.store.code)}
      + (x.store.text.empty() ? "" : ": " + x.store.text);
    f.remedy = mend_disk(x);
  } else if (x.engine.unreadable > 0) {
    f.how = state::warning;
    f.what = counted(x.engine.unreadable, "record") + " cannot be read and "
      + (x.engine.unreadable == 1 ? "is" : "are") + " passed over";
    f.remedy = "the server's log tells which; look after the disk";
  } else if (refused > 0) {
    f.how = state::warning;
    f.what = "takes writes; refused " + number(refused) + " since the start";
    f.remedy = "see the server's log for when, and the disk for why";
  } else {
    f.what = "takes writes, refused none, all records met can be read";
  }
  return f;
}

/// Where something could not be found out.
std::string where_to_look(const engine_facts& x) {
  if (x.store.code != errc::none)
    return "see the check 'store'";
  if (x.engine.silent_workers > 0)
    return "see the check 'workers'";
  return "ask again; if it stays so, see the server's log";
}

finding clock(const engine_facts& x) {
  finding f{"clock"};
  auto passed =
    std::chrono::duration_cast<milliseconds>(x.now - x.engine.started);
  auto drift = passed - x.up;
  auto tolerance = defaults::clock_tolerance;
  if (drift < -tolerance)
    f.what = "was set back by " + seconds(-drift) + " since the start";
  else if (drift > tolerance)
    f.what = "was set forward by " + seconds(drift) + " since the start";
  else if (x.last_audited && *x.last_audited - x.now > tolerance)
    f.what = "stands " + seconds(*x.last_audited - x.now)
      + " before the latest line of the audit log";
  const bool is_right = f.what.empty();
  if (is_right)
    f.what = "goes with the steady one";
  if (!x.last_audited && x.no_audit.code != errc::none) {
    f.what +=
      "; how it stands to the audit log is not known: " + x.no_audit.text;
    f.remedy = where_to_look(x);
  } else if (is_right) {
    f.what += ", and behind all that is written";
    return f;
  }
  f.how = state::warning;
  if (is_right)
    return f;
  f.remedy = "keep it by NTP; times of IMs and expiry follow it";
  return f;
}

finding files(const engine_facts& x) {
  finding f{"open_files"};
  const auto& c = x.engine.connections;
  auto open = c.signing_in + c.signed_in + c.closing;
  f.what = share(open, x.engine.places) + " connections; "
    + counted(x.files_max, "file") + " may be open";
  if (x.engine.turned_away > 0)
    f.what += "; " + number(x.engine.turned_away) + " turned away";
  if (open >= x.engine.places)
    f.how = state::failed;
  else if (is_beyond(open, x.engine.places, defaults::bound_hundredths)
    || x.engine.turned_away > 0 || x.engine.places < defaults::connections_few)
    f.how = state::warning;
  if (f.how != state::passed)
    f.remedy = "start the server with more (ulimit -n, LimitNOFILE=); the "
               "system's limit is "
      + number(x.files_hard_max);
  return f;
}

finding queues(const engine_facts& x) {
  finding f{"queues"};
  const auto& e = x.engine;
  f.what = "waiting: " + counted(e.routers.unwritten, "operation")
    + " for the store, " + share(e.passwords, defaults::password_queue_max)
    + " passwords to be looked at, "
    + share(e.fullest_worker_bytes / mebibyte,
      defaults::worker_budget_bytes / mebibyte)
    + " MiB of IMs on the fullest worker";
  std::vector<std::string> why;
  if (e.routers.unwritten > defaults::commit_queue_warning)
    why.emplace_back("the disk is too slow for what is written");
  if (is_beyond(
        e.passwords, defaults::password_queue_max, defaults::bound_hundredths))
    why.emplace_back("many sign in with PLAIN at once: let clients use SCRAM, "
                     "or set signin.rate");
  if (is_beyond(e.fullest_worker_bytes, defaults::worker_budget_bytes,
        defaults::bound_hundredths))
    why.emplace_back("more is sent than recipients or disk take: set im.rate, "
                     "or start more threads");
  if (why.empty())
    return f;
  f.how = state::warning;
  for (const auto& w : why)
    f.remedy += (f.remedy.empty() ? "" : "; ") + w;
  return f;
}

/// Each part beside the bound that they share.
finding memory(const engine_facts& x) {
  finding f{"memory"};
  const auto& e = x.engine;
  auto all = held_in_all(e);
  auto in_kib = [](uint64_t bytes) { return number(bytes / kibibyte); };
  f.what = "clients make the server hold "
    + share(all / mebibyte, e.held_max / mebibyte) + " MiB (at most "
    + number(e.held_highest / mebibyte) + " so far);";
  for (size_t i = 0; i < held_kinds; ++i)
    f.what += (i == 0 ? " " : ", ")
      + std::string{to_string(static_cast<held_for>(i))} + " "
      + in_kib(e.held[i]);
  f.what +=
    " KiB; held back: " + counted(e.connections.held_back, "connection");
  auto relieved = e.memory_refused_connections + e.memory_refused_sign_ins
    + e.memory_ended_sessions;
  if (relieved > 0)
    f.what += "; for want of memory refused: "
      + counted(e.memory_refused_connections, "connection") + " and "
      + counted(e.memory_refused_sign_ins, "sign-in")
      + "; ended: " + counted(e.memory_ended_sessions, "session");
  if (is_beyond(all, e.held_max, hundred))
    f.how = state::failed;
  else if (is_beyond(all, e.held_max, defaults::bound_hundredths)
    || relieved > 0)
    f.how = state::warning;
  if (f.how != state::passed)
    f.remedy = "see by `sessions` who is there and by the metrics what grows; "
               "raise memory_mib in the file if the machine has more";
  return f;
}

finding workers(const engine_facts& x) {
  finding f{"workers"};
  f.what = share(x.engine.workers, x.engine.workers) + " answer";
  if (x.engine.silent_workers == 0)
    return f;
  f.how = state::failed;
  f.what = share(x.engine.silent_workers, x.engine.workers)
    + " workers do not answer within "
    + number(static_cast<uint64_t>(defaults::metrics_patience.count())) + " ms";
  f.remedy = "the machine is overloaded: fewer clients, or more threads";
  return f;
}

finding sessions(const engine_facts& x) {
  finding f{"sessions"};
  const auto& r = x.engine.routers;
  auto all = r.connected + r.suspended;
  f.what = share(r.suspended, all) + " sessions are suspended";
  if (r.suspended >= defaults::suspended_min
    && is_beyond(r.suspended, all, defaults::suspended_hundredths)) {
    f.how = state::warning;
    f.remedy = "many clients have lost their connection: look after the "
               "network; those that stay away end after "
               "session.resume_window";
  }
  return f;
}

finding limit(const char* setting, const char* what, const char* otherwise,
  const std::vector<user_address>& users, const failure& why,
  const engine_facts& x) {
  finding f{setting};
  const auto* s = find_setting(setting);
  auto value = s ? s->value(x.rules) : std::string{};
  f.what = users.size() == 1 ? std::string{"1 user has "}
                             : number(users.size()) + " users have ";
  f.what += std::string{what} + " (" + value + ")";
  if (why.code != errc::none) {
    f.how = state::failed;
    f.what = "not all users could be looked at: " + why.text
      + (users.empty() ? "" : "; so far " + f.what);
    f.remedy = where_to_look(x);
  } else if (!users.empty()) {
    f.how = state::warning;
    f.remedy = otherwise;
  }
  for (const auto& u : users)
    f.users.push_back(u.str());
  return f;
}

finding settings(const engine_facts& x) {
  finding f{"settings"};
  if (x.no_rules.code != errc::none) {
    f.how = state::failed;
    f.what = "could not be asked for: " + x.no_rules.text;
    f.remedy = where_to_look(x);
    return f;
  }
  policy defaults;
  for (const auto& s : settings_table())
    if (s.value(x.rules) != s.value(defaults))
      f.what += (f.what.empty() ? "" : ", ") + std::string{s.name} + " is "
        + s.value(x.rules) + ", not " + s.value(defaults);
  if (f.what.empty())
    f.what = "all have their defaults";
  if (!x.rules.im_enabled) {
    f.how = state::warning;
    f.remedy = "im.enabled is off: nobody can send IMs";
  }
  return f;
}

} // namespace

std::string_view to_string(finding::state x) noexcept {
  switch (x) {
  case state::passed:
    return "passed";
  case state::warning:
    return "warning";
  case state::failed:
    return "failed";
  }
  return "unknown";
}

std::vector<finding> troubleshoot(const engine_facts& x) {
  return {workers(x), store_health(x), disk(x), clock(x), certificate(x),
    files(x), queues(x), memory(x), sessions(x),
    limit("im.offline_max", "as many IMs waiting as they may",
      "senders to them get quota_exceeded: have them sign in, or raise "
      "im.offline_max",
      x.at_limits.offline, x.at_limits.why, x),
    limit("contacts.max", "a full contact list",
      "they can add nobody, and nobody them: raise contacts.max, or have them "
      "remove some",
      x.at_limits.contacts, x.at_limits.why, x),
    limit("watchers.max", "as many watchers as they may",
      "nobody more can watch them: raise watchers.max", x.at_limits.watchers,
      x.at_limits.why, x),
    limit("session.endpoints_max", "as many endpoints as they may",
      "no other device of theirs gets in while none of these is suspended: "
      "raise session.endpoints_max, or `kick` what is not used",
      x.at_limits.endpoints, x.no_endpoints, x),
    settings(x)};
}

} // namespace parley
