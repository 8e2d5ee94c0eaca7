#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "protocol/xmpp/element.hpp"

/// What the server says that it can do: service discovery (XEP-0030) and its
/// capabilities (XEP-0115).
namespace parley::xmpp {

namespace ns {
inline constexpr std::string_view disco_info =
  "http://jabber.org/protocol/disco#info";
inline constexpr std::string_view disco_items =
  "http://jabber.org/protocol/disco#items";
} // namespace ns

/// Policies of the server that clients are asked to heed, by their settings'
/// names.
using client_policies = std::map<std::string, std::string, std::less<>>;
inline constexpr std::string_view keeps_history = "im.client_history";
inline constexpr std::array<std::string_view, 2> client_policy_names{
  keeps_history, "im.cut_and_paste"};

/// Appends the answer to a question about the server or, `of_user`, about the
/// account that asks; the policies as a form (XEP-0128). False: no such node is
/// known.
bool append_disco(std::string& out, const element& query, bool of_user,
  const client_policies& policies);

/// Appends the server's capabilities, for the features of a stream.
void append_capabilities(std::string& out);

} // namespace parley::xmpp
