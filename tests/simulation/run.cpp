#include "tests/simulation/run.hpp"

#include <algorithm>
#include <exception>

#include "tests/simulation/world.hpp"

namespace parley::test {

namespace {

/// Runs that shrinking may take.
constexpr int shrinking_runs = 1'500;

class shrinking {
public:
  shrinking(plan xs, uint64_t last, const std::string& check)
    : x_plan(std::move(xs)), x_last(last), x_check(check) {}

  plan finish() {
    bool smaller = true;
    while (smaller && x_left > 0) {
      smaller = false;
      for (auto n = std::max<size_t>(1, x_plan.size() / 2);; n /= 2) {
        smaller |= drop(n);
        if (n <= 1)
          break;
      }
      smaller |= calm();
    }
    return x_plan;
  }

private:
  bool keep_if_it_fails(plan xs) {
    if (x_left == 0)
      return false;
    --x_left;
    if (run(xs, x_last).check != x_check)
      return false;
    x_plan = std::move(xs);
    return true;
  }

  /// In pieces of `n`, from the end, which what comes before does not need.
  bool drop(size_t n) {
    bool any = false;
    for (auto end = x_plan.size(); end > 0;) {
      auto begin = end - std::min(n, end);
      auto less = x_plan;
      less.erase(less.begin() + static_cast<long>(begin),
        less.begin() + static_cast<long>(end));
      any |= keep_if_it_fails(std::move(less));
      end = begin;
    }
    return any;
  }

  /// Turns that are not needed.
  bool calm() {
    bool any = false;
    for (size_t i = 0; i < x_plan.size(); ++i) {
      if (x_plan[i].turns == 0)
        continue;
      auto less = x_plan;
      less[i].turns = 0;
      any |= keep_if_it_fails(std::move(less));
    }
    return any;
  }

  plan x_plan;
  uint64_t x_last;
  const std::string& x_check;
  int x_left = shrinking_runs;
};

} // namespace

run_result run(const plan& xs, uint64_t last, bool in_words) {
  run_result result;
  world w{last, in_words};
  try {
    for (const auto& x : xs)
      w.happen(x);
    w.end(last);
  } catch (const broken& x) {
    result.check = x.check;
    result.why = x.what();
  } catch (const std::runtime_error& x) {
    result.check = "no error";
    result.why = x.what();
  }
  result.hash = w.tale().hash();
  result.tale = w.tale().text();
  return result;
}

uint64_t last_of(uint64_t seed) {
  // Any other number that follows from it.
  return seed * 0x9e3779b97f4a7c15 ^ seed >> 29;
}

plan shrunk(plan xs, uint64_t last, const std::string& check) {
  return shrinking{std::move(xs), last, check}.finish();
}

} // namespace parley::test
