#include "actors/launcher/limit_words.hpp"

#include "actors/launcher/counted.hpp"
#include "actors/launcher/printable.hpp"

namespace parley {

std::string limit_words(const failure& why, std::string_view whose) {
  auto who = printable_line(whose);
  auto at_most = [&why](std::string_view what) {
    return why.limit ? ": at most " + counted(*why.limit, what) : std::string{};
  };
  switch (why.code) {
  case errc::contact_list_full:
    return (who.empty() ? "your contact list is full"
                        : "the contact list of " + who + " is full")
      + at_most("contact");
  case errc::watcher_limit:
    return "too many see " + (who.empty() ? "you" : who) + " already"
      + at_most("watcher");
  case errc::watch_limit:
    return "you watch too many users already" + at_most("user");
  case errc::watch_disabled:
    return "watching is switched off";
  default:
    return {};
  }
}

} // namespace parley
