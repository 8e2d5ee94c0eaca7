#include "actors/session/withholding.hpp"

namespace parley {

namespace {

bool is_of_disk(const failure& x) noexcept {
  return x.code == errc::store_failed || x.code == errc::store_unavailable
    || x.code == errc::store_corrupt;
}

void mask(failure& why, errc damage) {
  if (is_of_disk(why))
    why = failure{why.code == errc::store_corrupt ? damage : why.code,
      "the server's disk is in trouble"};
}

} // namespace

void withhold(answer& x) {
  if (auto* o = std::get_if<outcome>(&x.what)) {
    mask(o->why, errc::store_failed);
  } else if (auto* b = std::get_if<broadcast_outcomes>(&x.what)) {
    for (auto& one : b->outcomes)
      mask(one.what.why, errc::store_failed);
  } else if (auto* f = std::get_if<failure>(&x.what)) {
    mask(*f, errc::store_unavailable);
  } else if (auto* c = std::get_if<contacts_changed>(&x.what)) {
    for (auto& one : c->refused)
      mask(one.why, errc::store_unavailable);
  }
}

} // namespace parley
