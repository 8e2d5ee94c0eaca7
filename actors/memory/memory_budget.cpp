#include "actors/memory/memory_budget.hpp"

#include <algorithm>
#include <numeric>

namespace parley {

std::string_view to_string(held_for x) noexcept {
  switch (x) {
  case held_for::outputs:
    return "outputs";
  case held_for::connections:
    return "connections";
  case held_for::sessions:
    return "sessions";
  case held_for::presence:
    return "presence";
  case held_for::routing:
    return "routing";
  case held_for::retries:
    return "retries";
  case held_for::rosters:
    return "rosters";
  case held_for::mailboxes:
    return "mailboxes";
  case held_for::store:
    return "store";
  case held_for::ims:
    return "ims";
  }
  return "unknown";
}

// -- memory_budget ------------------------------------------------------------

memory_budget::memory_budget(uint64_t max_bytes, size_t workers)
  : x_max(max_bytes) {
  for (size_t i = 0; i < workers; ++i)
    x_books.push_back(std::make_shared<worker_book>());
}

uint64_t memory_budget::total() const noexcept {
  uint64_t sum = 0;
  for (const auto& b : x_books)
    sum += b->total();
  return sum;
}

held_by_kind memory_budget::by_kind() const noexcept {
  held_by_kind all{};
  for (const auto& b : x_books)
    for (size_t i = 0; i < held_kinds; ++i)
      all[i] += b->of(static_cast<held_for>(i));
  return all;
}

void memory_budget::saw(uint64_t total) noexcept {
  auto highest = x_highest.load();
  while (total > highest && !x_highest.compare_exchange_weak(highest, total)) {
  }
}

// -- budget_view --------------------------------------------------------------

budget_view::budget_view(std::shared_ptr<memory_budget> of, size_t worker)
  : x_of(std::move(of)), x_own(x_of ? x_of->of(worker) : nullptr) {}

void budget_view::look() noexcept {
  if (!x_of)
    return;
  x_seen = x_own->total();
  auto all = x_of->total();
  x_others = all - std::min(all, x_seen);
  x_of->saw(all);
}

uint64_t budget_view::total() noexcept {
  if (!x_of)
    return 0;
  auto own = x_own->total();
  // Others may grow as fast.
  if (own > x_seen + defaults::budget_look_bytes) {
    look();
    own = x_seen;
  }
  return own + x_others;
}

bool budget_view::allows(uint64_t held) noexcept {
  if (!x_of)
    return true;
  auto all = total();
  if (held <= defaults::budget_holder_floor)
    return all < x_of->max();
  auto open = x_of->max() - reserve();
  return all < open && held <= (open - all) / defaults::budget_holder_share;
}

bool budget_view::is_tight() noexcept {
  return x_of
    && total() >= x_of->max() - x_of->max() / defaults::budget_tight_share;
}

bool budget_view::is_short() noexcept {
  return x_of && total() >= x_of->max() - reserve();
}

bool budget_view::is_exceeded() noexcept {
  return x_of && total() >= x_of->max();
}

} // namespace parley
