#include "tests/simulation/plan.hpp"

#include <random>

namespace parley::test {

namespace {

struct row {
  deed what;
  /// Of how many, of the sum of all.
  unsigned weight;
  /// `D` is the device, `U` the user, `#` the amount.
  std::string_view words;
};

constexpr row rows[] = {
  {deed::come, 70, "D connects, and resumes if it can"},
  {deed::come_anew, 14, "D signs in anew"},
  {deed::come_by_old_token, 4, "D tries an old token"},
  {deed::leave, 10, "D drops its connection"},
  {deed::sign_out, 8, "D signs out"},
  {deed::send, 190, "D sends an IM to U (#)"},
  {deed::send_again, 14, "D sends an old IM again (#)"},
  {deed::send_altered, 4, "D sends another content under an old id (#)"},
  {deed::broadcast, 16, "D sends an IM to several (#)"},
  {deed::show, 40, "D changes its presence (#)"},
  {deed::type, 6, "D types to U"},
  {deed::acknowledge, 24, "D acknowledges what it has"},
  {deed::turn_prompt, 24, "D acknowledges at once from now on"},
  {deed::turn_silent, 14, "D acknowledges nothing from now on"},
  {deed::stop_reading, 8, "D stops reading"},
  {deed::read_on, 14, "D reads on"},
  {deed::change_window, 8, "D changes its window (#)"},
  {deed::ask_contacts, 110, "D changes its contacts, about U (#)"},
  {deed::watch, 20, "D watches U (#)"},
  {deed::change_privacy, 16, "D changes its privacy (#)"},
  {deed::cut, 20, "the connection of D breaks"},
  {deed::cut_after_bytes, 30, "the connection of D breaks some bytes on (#)"},
  {deed::stall, 24, "the network of D stalls (#)"},
  {deed::change_setting, 36, "the operator changes a setting (#)"},
  {deed::hold_writes, 6, "the disk stalls"},
  {deed::let_writes_go, 24, "the disk goes on"},
  {deed::disk_fails, 4, "the disk refuses (#)"},
  {deed::disk_mends, 30, "the disk takes everything again"},
  {deed::kill, 7, "the server is killed"},
  {deed::power_fails, 9, "the power fails some writes on (#)"},
  {deed::stop, 3, "the server stops and starts"},
  {deed::kick, 3, "the operator ends the sessions of U"},
  {deed::remove_account, 4, "the operator removes the account of U"},
  {deed::add_accounts, 16, "the operator adds what accounts are gone"},
  {deed::expire, 2, "IMs that wait expire"},
  {deed::wait, 90, "time passes (#)"},
  {deed::wait_long, 10, "much time passes (#)"},
  {deed::converse, 12, "U talks with the owner of D (#)"},
};

constexpr unsigned total_weight() {
  unsigned n = 0;
  for (const auto& r : rows)
    n += r.weight;
  return n;
}

const row& row_of(deed what) {
  for (const auto& r : rows)
    if (r.what == what)
      return r;
  return rows[0];
}

constexpr std::string_view endpoints[] = {"desk", "phone", "tablet"};

} // namespace

size_t owner_of(size_t device) {
  size_t user = 0;
  while (device >= devices_of[user])
    device -= devices_of[user++];
  return user;
}

std::string_view device_name(size_t device) {
  for (size_t user = 0; device >= devices_of[user]; ++user)
    device -= devices_of[user];
  return endpoints[device];
}

std::string in_words(const happening& x) {
  std::string s;
  for (char c : row_of(x.what).words)
    if (c == 'D')
      s += std::string{device_name(x.who)} + " of u"
        + std::to_string(owner_of(x.who));
    else if (c == 'U')
      s += 'u' + std::to_string(x.whom);
    else if (c == '#')
      s += std::to_string(x.amount);
    else
      s += c;
  if (x.turns > 0)
    s += "; " + std::to_string(x.turns) + " turns";
  return s;
}

std::string in_words(const plan& xs) {
  std::string s;
  for (const auto& x : xs)
    s += "  " + in_words(x) + '\n';
  return s;
}

plan plan_of(uint64_t seed) {
  std::mt19937_64 random{seed};
  auto below = [&random](uint64_t n) { return random() % n; };
  auto some_turns = [&]() -> uint16_t {
    switch (below(4)) {
    case 0:
      return 0;
    case 1:
      return static_cast<uint16_t>(below(8));
    default:
      return static_cast<uint16_t>(below(90));
    }
  };
  auto one = [&](deed what) {
    return happening{what, static_cast<uint8_t>(below(devices_there)),
      static_cast<uint8_t>(below(users_there)), static_cast<uint16_t>(random()),
      some_turns(), random()};
  };
  plan xs;
  // Most of the time most of them are there.
  for (size_t i = 0; i < devices_there; ++i)
    if (below(4) != 0) {
      xs.push_back(one(deed::come));
      xs.back().who = static_cast<uint8_t>(i);
    }
  for (auto n = below(3); n > 0; --n)
    xs.push_back(one(deed::change_setting));
  for (auto n = 40 + below(80); n > 0; --n) {
    auto at = below(total_weight());
    const auto* r = rows;
    for (; at >= r->weight; ++r)
      at -= r->weight;
    xs.push_back(one(r->what));
  }
  return xs;
}

} // namespace parley::test
