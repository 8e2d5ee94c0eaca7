#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/client_connection.hpp"
#include "protocol/sasl.hpp"

namespace parley {

/// A connection's way to its session, whatever the protocol: SASL, whose turn
/// it is, what the owner is asked, and how often the peer has failed.
///
/// The owner may answer before it returns, and what it answers may end the
/// sign-in, and this with it: what a function here returns is to be looked at
/// only if the sign-in still lasts.
class sign_in_exchange {
public:
  enum class turn : uint8_t {
    client,
    keys,
    password,
    account,
    session,
    resumption
  };

  /// What is to be said to the peer.
  struct nothing {};
  struct challenge {
    std::string data;
  };
  /// The turn is the session's.
  struct success {
    user_address user;
    std::string data;
  };
  /// A failure: the peer may try again.
  using word = std::variant<nothing, challenge, success, failure>;

  explicit sign_in_exchange(client_connection::owner& o) noexcept
    : x_owner(o) {}

  turn whose() const noexcept { return x_turn; }
  void give(turn to) noexcept { x_turn = to; }
  bool is_under_way() const noexcept { return x_sasl.has_value(); }

  /// Begins with the peer's first message.
  word begin(const connection_config& config, std::string_view mechanism,
    const sasl_channel& channel, const std::string& domain,
    std::string_view initial);
  /// The peer's next message.
  word respond(std::string_view message);
  word keys_found(const scram_keys* keys);
  word password_checked(bool fits);
  /// `why`, if an answer of the owner was awaited.
  word refused(const failure& why);

  /// Ends what is under way; the turn is the peer's.
  void stop();
  /// False: the peer may not try again.
  bool count_failure() noexcept;

  /// What is to be asked of the owner when nothing of the connection is in use
  /// any more.
  void want(std::variant<sign_in, resume> what);
  bool wants() const noexcept { return x_wanted.has_value(); }
  /// Asks for it. The last call to this.
  void ask();

private:
  word advance(sasl_server::step next);

  client_connection::owner& x_owner;
  std::optional<sasl_server> x_sasl;
  std::optional<std::variant<sign_in, resume>> x_wanted;
  int x_failures = 0;
  turn x_turn = turn::client;
};

} // namespace parley
