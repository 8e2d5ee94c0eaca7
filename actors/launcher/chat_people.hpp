#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/client/contact_book.hpp"
#include "protocol/vocabulary.hpp"

/// Contacts and presence in words, for a person.
namespace parley::chat {

/// One line of presence a user, and which of them a person has not seen yet.
class presence_board {
public:
  struct line {
    parley::show show = show::unavailable;
    std::string status;
    bool operator==(const line&) const = default;
  };
  struct change {
    user_address who;
    presence_board::line what;
  };

  void take(const presence_notice& x);

  /// Who is shown otherwise than at the last call, in the order of addresses.
  std::vector<change> changes();

  /// Unavailable if nothing is known.
  line of(const user_address& who) const;

private:
  std::map<user_address, line> x_now;
  std::map<user_address, line> x_shown;
};

/// An address without its domain if that is `domain`.
std::string without_domain(std::string_view who, std::string_view domain);

/// `is away: at lunch`.
std::string words_of(const presence_board::line& x);

/// `here`, `away: at lunch`, for a table.
std::string label_of(const presence_board::line& x);

/// What stands between the user and somebody: `sees you not`, `asked, …`; empty
/// if both see each other. `name`: how a command writes that user.
std::string words_of(const contact& x, std::string_view name);

/// `bob lets you see whether he is here`, without the name.
std::string words_of(subscription_event x);

} // namespace parley::chat
