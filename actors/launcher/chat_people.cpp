#include "actors/launcher/chat_people.hpp"

#include "actors/launcher/printable.hpp"

namespace parley::chat {

namespace {

std::string with_status(std::string words, const std::string& status) {
  if (!status.empty())
    words += ": " + printable_line(status);
  return words;
}

} // namespace

void presence_board::take(const presence_notice& x) {
  // A bare address speaks for all of its endpoints.
  if (x.from.is_full())
    x_now[x.from.user] = {x.composed, x.composed_status};
  else
    x_now[x.from.user] = {x.what.show, x.what.status};
}

std::vector<presence_board::change> presence_board::changes() {
  std::vector<change> out;
  for (auto i = x_now.begin(); i != x_now.end();) {
    auto& [who, now] = *i;
    auto& shown = x_shown[who];
    if (now != shown) {
      out.push_back({who, now});
      shown = now;
    }
    auto gone = now == line{};
    if (gone)
      x_shown.erase(who);
    i = gone ? x_now.erase(i) : std::next(i);
  }
  return out;
}

presence_board::line presence_board::of(const user_address& who) const {
  auto i = x_now.find(who);
  return i == x_now.end() ? line{} : i->second;
}

std::string without_domain(std::string_view who, std::string_view domain) {
  auto at = who.find('@');
  auto slash = who.find('/');
  if (at == std::string_view::npos
    || who.substr(at + 1, slash - at - 1) != domain)
    return std::string{who};
  std::string x{who.substr(0, at)};
  if (slash != std::string_view::npos)
    x += who.substr(slash);
  return x;
}

std::string words_of(const presence_board::line& x) {
  switch (x.show) {
  case show::available:
    return with_status("is here", x.status);
  case show::chat:
    return with_status("is here and likes to talk", x.status);
  case show::away:
    return with_status("is away", x.status);
  case show::xa:
    return with_status("is away for longer", x.status);
  case show::dnd:
    return with_status("does not want to be disturbed", x.status);
  case show::unavailable:
    return with_status("is gone", x.status);
  case show::unknown:
    break;
  }
  return "does not tell whether anybody is there";
}

std::string label_of(const presence_board::line& x) {
  switch (x.show) {
  case show::available:
    return with_status("here", x.status);
  case show::chat:
    return with_status("likes to talk", x.status);
  case show::away:
    return with_status("away", x.status);
  case show::xa:
    return with_status("away for longer", x.status);
  case show::dnd:
    return with_status("do not disturb", x.status);
  case show::unavailable:
    return with_status("not here", x.status);
  case show::unknown:
    break;
  }
  return "unknown";
}

std::string words_of(const contact& x, std::string_view name) {
  auto [to, from] = x.subscription;
  std::string who{name};
  if (from == half::pending)
    return "asks to see you: /approve " + who + " or /deny " + who;
  if (to == half::pending)
    return "asked, no answer yet";
  if (to == half::none && from == half::none)
    return "neither sees the other: /subscribe " + who;
  if (to == half::none)
    return "sees you: /subscribe " + who;
  return from == half::none ? "does not see you" : std::string{};
}

std::string words_of(subscription_event x) {
  switch (x) {
  case subscription_event::request:
    return "asks to see whether you are here";
  case subscription_event::approved:
    return "lets you see who is there";
  case subscription_event::denied:
    return "does not let you see who is there";
  case subscription_event::ended:
    break;
  }
  return "is shown to you no longer";
}

} // namespace parley::chat
