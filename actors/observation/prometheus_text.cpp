#include <algorithm>
#include <array>
#include <numeric>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "actors/observation/engine_reading.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// Families in the making.
class page {
public:
  /// Begins one.
  page& counters(const char* name, const char* help) {
    return begin(name, help, MetricType::Counter);
  }
  page& gauges(const char* name, const char* help) {
    return begin(name, help, MetricType::Gauge);
  }

  /// A line of the latest; without a label if there is no value for it.
  page& line(double value, const char* label = "", std::string_view of = {}) {
    auto& f = x_families.back();
    auto& m = f.metric.emplace_back();
    if (!of.empty())
      m.label.push_back({label, std::string{of}});
    (f.type == MetricType::Counter ? m.counter.value : m.gauge.value) = value;
    return *this;
  }
  page& line(uint64_t value, const char* label = "", std::string_view of = {}) {
    return line(static_cast<double>(value), label, of);
  }

  template <size_t N>
  void histogram(
    const char* name, const char* help, const histogram_meter<N>& what) {
    begin(name, help, MetricType::Histogram);
    auto& h = x_families.back().metric.emplace_back().histogram;
    auto counts = what.counts();
    for (size_t i = 0; i < N; ++i) {
      h.sample_count += counts[i];
      h.bucket.push_back({h.sample_count, what.bounds()[i]});
    }
    h.sample_count += counts[N];
    h.sample_sum = what.sum();
  }

  std::string str() const {
    std::ostringstream out;
    prometheus::TextSerializer{}.Serialize(out, x_families);
    return out.str();
  }

private:
  page& begin(const char* name, const char* help, MetricType type) {
    auto& f = x_families.emplace_back();
    f.name = name;
    f.help = help;
    f.type = type;
    return *this;
  }

  std::vector<MetricFamily> x_families;
};

void add_process(page& p, const engine_reading& x) {
  p.gauges("parley_build_info", "The version that runs; always 1.")
    .line(1.0, "version", x.version);
  p.gauges("parley_process_start_time_seconds",
     "When the server started, in seconds since 1970.")
    .line(std::chrono::duration<double>(x.started.time_since_epoch()).count());
  p.gauges("parley_workers", "Worker threads.").line(x.workers);
  p.gauges("parley_workers_silent",
     "Workers that did not answer in time; their figures are older.")
    .line(x.silent_workers);
}

void add_ims(page& p, const routing_counters& x) {
  p.counters("parley_ims_total", "Outcomes of IMs, told to their senders.")
    .line(x.delivered, "outcome", "delivered")
    .line(x.stored, "outcome", "stored")
    .line(x.rejected, "outcome", "rejected");
  p.counters("parley_ims_rejected_total", "IMs rejected, by reason.");
  for (size_t i = 0; i < x.rejected_by.size(); ++i)
    if (x.rejected_by[i] > 0)
      p.line(x.rejected_by[i], "reason", to_string(static_cast<errc>(i)));
  p.counters("parley_ims_accepted_total", "IMs taken for their recipients.")
    .line(x.accepted);
  p.counters("parley_ims_forked_total",
     "IMs that went to several endpoints when they were accepted.")
    .line(x.forked);
  p.counters("parley_im_copies_total", "Copies of IMs handed to endpoints.")
    .line(x.copies);
  p.counters("parley_im_retries_total", "IMs sent again under a known id.")
    .line(x.retries);
  p.counters("parley_im_graces_passed_total",
     "Times that nobody acknowledged an IM within im.grace.")
    .line(x.graces_passed);
  p.counters("parley_im_ids_forgotten_total",
     "Ids of IMs forgotten before their time for want of room.")
    .line(x.ids_forgotten);
  p.counters("parley_choices_total", "Endpoints chosen for conversations.")
    .line(x.choices_made, "change", "made")
    .line(x.choices_moved, "change", "moved")
    .line(x.choices_released, "change", "released");
  p.counters("parley_offline_ims_total",
     "IMs that no endpoint took in time, by what became of them: written to "
     "disk, acknowledged by an endpoint later, expired, or removed with the "
     "account.")
    .line(x.offline_stored, "event", "stored")
    .line(x.offline_delivered, "event", "delivered")
    .line(x.expired, "event", "expired")
    .line(x.removed_with_account, "event", "removed_with_account");
}

void add_limits(page& p, const engine_reading& x) {
  p.counters("parley_limits_hit_total",
    "Requests and connections refused by a limit, and which.");
  const auto& by = x.routers.counters.rejected_by;
  for (size_t i = 0; i < by.size(); ++i)
    if (auto limit = limit_of(static_cast<errc>(i)); !limit.empty())
      p.line(by[i], "limit", limit);
  const auto& presence = x.routers.presence;
  p.line(presence.contacts_full, "limit", "contacts.max");
  p.line(presence.watchers_full, "limit", "watchers.max");
  p.line(presence.watches_full, "limit", "presence.adhoc_max");
  p.line(presence.waiting_full, "limit", "contacts.waiting");
  p.line(x.sign_ins.over_rate, "limit", "signin.rate");
  p.line(x.turned_away, "limit", "connections");
  p.line(x.frames_too_large, "limit", "frame");
  p.line(x.requests_too_large, "limit", "request");
  p.line(x.registrations_refused, "limit", "registrations");
  const auto& l = x.routers.limits;
  p.line(l.windows, "limit", "session.buffer");
  p.line(l.endpoints, "limit", "session.endpoints_max");
  p.line(x.routers.counters.too_many_recipients, "limit", "im.broadcast_max");
  p.line(x.routers.documents.full, "limit", "documents");
  p.line(l.typing, "limit", "typing");
  p.line(l.receipts, "limit", "receipts");
  p.line(l.lists, "limit", "answers");
  p.line(l.documents, "limit", "documents_rate");
  p.line(x.connections.slow_consumers, "limit", "output");
  p.line(x.connections.sign_in_timeouts, "limit", "sign_in_time");
  p.line(x.connections.passwords_full, "limit", "passwords");
  p.line(x.sign_ins.overloaded, "limit", "sign_in_turns");
  p.line(x.memory_refused_connections + x.memory_refused_sign_ins
      + x.memory_ended_sessions,
    "limit", "memory");
}

void add_memory(page& p, const engine_reading& x) {
  p.gauges("parley_held_bytes",
    "Bytes that clients make the server hold, about, by what for.");
  for (size_t i = 0; i < held_kinds; ++i)
    p.line(x.held[i], "for", to_string(static_cast<held_for>(i)));
  p.gauges("parley_held_bytes_max", "The bound for all of them together.")
    .line(x.held_max);
  p.gauges("parley_held_bytes_highest", "The most that there ever were.")
    .line(x.held_highest);
  p.counters("parley_memory_relief_total",
     "What was done for want of memory: connections and sign-ins refused, "
     "sessions ended.")
    .line(x.memory_refused_connections, "what", "connections_refused")
    .line(x.memory_refused_sign_ins, "what", "sign_ins_refused")
    .line(x.memory_ended_sessions, "what", "sessions_ended");
  p.counters("parley_reads_held_back_total",
     "Times that a connection was not read from since too much was held or "
     "under way.")
    .line(x.reads_held_back);
}

void add_presence(page& p, const presence_counters& x) {
  p.gauges("parley_rosters", "Contact lists in memory.").line(x.rosters);
  p.gauges("parley_subscriptions",
     "Live relations of who watches and who is seen: adhoc, as long as one of "
     "the watcher's endpoints has it for a limited time; else contact.")
    .line(
      x.subscriptions - std::min(x.adhoc, x.subscriptions), "kind", "contact")
    .line(x.adhoc, "kind", "adhoc");
  p.counters("parley_presence_notifications_total",
     "Presence notices handed to sessions.")
    .line(x.notifications);
  p.counters("parley_presence_coalesced_total",
     "Those among them that a slow client was never sent, since a later one "
     "took their place.")
    .line(x.coalesced);
  p.counters("parley_presence_changes_held_total",
     "Changes of an endpoint's presence that watchers were not told of at "
     "once, since it changes too fast.")
    .line(x.held_changes);
}

void add_documents(page& p, const document_counters& x) {
  p.counters("parley_document_requests_total",
     "Requests for what users keep at the server.")
    .line(x.readings, "what", "read")
    .line(x.changes, "what", "changed")
    .line(x.refused, "what", "refused");
  p.counters("parley_document_notices_total",
     "Notices of changed documents handed to sessions.")
    .line(x.notices);
}

void add_people(page& p, const engine_reading& x) {
  p.gauges("parley_sessions", "Signed-in endpoints.")
    .line(x.routers.connected, "state", "connected")
    .line(x.routers.suspended, "state", "suspended");
  p.gauges("parley_users", "Users that something is known of in memory.")
    .line(x.routers.users);
  p.gauges("parley_connections", "Connections of clients.")
    .line(x.connections.signing_in, "state", "signing_in")
    .line(x.connections.signed_in, "state", "signed_in")
    .line(x.connections.closing, "state", "closing");
  p.gauges("parley_connections_held_back",
     "Connections that are not read from, since too much is held or under way.")
    .line(x.connections.held_back);
  p.gauges("parley_connections_max", "Connections that there is room for.")
    .line(x.places);
  p.counters("parley_sign_ins_total", "Tries to sign in.")
    .line(x.sign_ins.right, "result", "right")
    .line(x.sign_ins.wrong, "result", "wrong")
    .line(x.sign_ins.undecided, "result", "undecided")
    .line(x.sign_ins.over_rate, "result", "over_rate")
    .line(x.sign_ins.overloaded, "result", "overloaded");
  p.gauges("parley_sign_ins_under_way", "Tries that have not ended.")
    .line(x.sign_ins.under_way);
}

void add_queues(page& p, const engine_reading& x) {
  p.gauges("parley_ims_pending", "IMs that have no outcome yet.")
    .line(x.routers.pending_ims);
  p.gauges("parley_ims_pending_bytes", "Bytes of them.")
    .line(x.routers.pending_bytes);
  p.gauges("parley_worker_pending_bytes",
     "Bytes of them on the worker that has most; beyond the bound it stops "
     "reading from clients.")
    .line(x.fullest_worker_bytes);
  p.gauges("parley_worker_pending_bytes_max", "That bound.")
    .line(defaults::worker_budget_bytes);
  p.gauges("parley_store_pending_operations",
     "Operations that the store has been asked for and has not done.")
    .line(x.routers.unwritten);
  p.gauges("parley_passwords_waiting", "Passwords that wait to be looked at.")
    .line(x.passwords);
}

void add_store(page& p, const engine_reading& x) {
  p.gauges("parley_store_unreadable_records",
     "Records on disk that are passed over since they cannot be read.")
    .line(x.unreadable);
  if (!x.commits)
    return;
  p.histogram("parley_commit_duration_seconds",
    "Time of a synced write to the store.", x.commits->seconds());
  p.histogram("parley_commit_operations",
    "Operations in a synced write to the store.", x.commits->operations());
  p.counters("parley_commits_refused_total", "Writes that the disk refused.")
    .line(x.commits->refused());
}

} // namespace

uint64_t held_in_all(const engine_reading& x) noexcept {
  return std::accumulate(x.held.begin(), x.held.end(), uint64_t{0});
}

std::string_view limit_of(errc why) noexcept {
  switch (why) {
  case errc::too_large:
    return "im.body_max";
  case errc::rate_limited:
    return "im.rate";
  case errc::quota_exceeded:
    return "im.offline_max";
  default:
    return {};
  }
}

/// A family a line of requirements.
std::string as_prometheus(const engine_reading& x) {
  page p;
  add_process(p, x);
  add_people(p, x);
  add_presence(p, x.routers.presence);
  add_documents(p, x.routers.documents);
  add_ims(p, x.routers.counters);
  add_limits(p, x);
  add_memory(p, x);
  add_queues(p, x);
  add_store(p, x);
  return p.str();
}

} // namespace parley
