#include "bench/measure.hpp"

namespace parley::bench {

figures figures_of(const im_counts& counts, double seconds,
  std::optional<int64_t> cpu, int64_t own_cpu) {
  constexpr double ns_per_us = 1e3;
  const auto ims = static_cast<double>(counts.delivered + counts.stored);
  const auto copies = static_cast<double>(counts.copies);
  figures out{{"im_per_s", ims / seconds}, {"copies_per_s", copies / seconds}};
  add_latency(out, "receive", counts.receive);
  // XMPP has none.
  if (counts.outcome.count() > 0)
    add_latency(out, "outcome", counts.outcome);
  if (cpu) {
    const auto used = static_cast<double>(*cpu);
    if (ims > 0)
      out.push_back({"cpu_us_per_im", used / ns_per_us / ims});
    if (copies > 0)
      out.push_back({"cpu_us_per_copy", used / ns_per_us / copies});
    out.push_back({"cpu_percent", used / 1e7 / seconds});
  }
  const auto own = static_cast<double>(own_cpu);
  if (ims > 0)
    out.push_back({"bench_cpu_us_per_im", own / ns_per_us / ims});
  out.push_back({"bench_cpu_percent", own / 1e7 / seconds});
  out.push_back({"stored", static_cast<double>(counts.stored)});
  return out;
}

} // namespace parley::bench
