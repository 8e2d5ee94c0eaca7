#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/address.hpp"
#include "protocol/xmpp/element.hpp"

/// What clients say that they can do (XEP-0115), as far as the server has to
/// know: of which nodes they want to hear.
namespace parley::xmpp {

namespace ns {
inline constexpr std::string_view capabilities =
  "http://jabber.org/protocol/caps";
} // namespace ns

/// Names of nodes, sorted.
using followed_nodes = std::shared_ptr<const std::vector<std::string>>;

/// Whether others may be taken for clients of the same kind by their
/// verification string.
bool is_unambiguous(const element& query);

/// The verification string of an answer to `disco#info`; nothing if it is
/// ill-formed (XEP-0115, 5.4).
std::optional<std::string> verification_of(const element& query);

/// The features that end in `+notify`, without that; bounded in number.
followed_nodes followed_by(const element& query);

/// What was learnt under a verification string; null: nothing. One memory a
/// thread, bounded.
followed_nodes known_capabilities(const std::string& verification);
void learn_capabilities(const std::string& verification, followed_nodes what);

/// Of which nodes the client of one session wants to hear, and of whom.
struct following {
  /// The verification string that it says now; empty: none.
  std::string verification;
  /// The iq by which it was asked what that means; empty: no answer is due.
  std::string asked;
  followed_nodes nodes;
  /// It has to be told the newest of all.
  bool is_due = false;
  /// And of these, whom it sees since it was told.
  std::vector<user_address> fresh;

  bool wants(std::string_view node) const noexcept;
};

} // namespace parley::xmpp
