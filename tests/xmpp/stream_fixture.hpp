#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/sasl.hpp"
#include "protocol/tls.hpp"
#include "protocol/xmpp/stream.hpp"
#include "tests/protocol/connection_fixture.hpp"

namespace parley::test {

/// One stream and who talks to it, in text.
class talk {
public:
  enum class kind { plain, tls };
  explicit talk(kind k = kind::plain, xmpp::carrier by = xmpp::carrier::tcp);

  /// From now on what is said is a message of a WebSocket each, and what is
  /// heard the text of such messages, the server's header `opening`.
  void open_web();

  /// The client's side of TLS; from now on all is encrypted.
  void begin_tls();

  /// What the server answers; the text goes to it in pieces of so many bytes.
  std::string say(std::string_view text, size_t piece = SIZE_MAX);
  /// What the server has said since the last call.
  std::string heard();
  /// An event of the session; whether it is safe at once.
  bool tell(uint64_t number, event what);
  void wait(std::chrono::milliseconds time);

  /// SASL, as alice, in a stream that was opened; what the server says last,
  /// which is checked if it is a success.
  std::string authenticate_by(const std::string& mechanism,
    std::string_view password = alices_password, size_t piece = SIZE_MAX);
  /// The same by `<authenticate/>` (XEP-0388) with these wishes in it.
  std::string authenticate_whole(std::string_view wishes,
    std::string_view password = alices_password, size_t piece = SIZE_MAX);
  /// Up to the features that offer a binding, as alice.
  void authenticate(size_t piece = SIZE_MAX);
  /// To the session, as alice/desk.
  void sign_in(size_t piece = SIZE_MAX);
  /// Goes on with this server's stream that is over: a new one resumes.
  std::string resume(talk& before, uint32_t h);
  /// The requests of the last read.
  std::vector<numbered_request> asked();

  fake_owner owner;
  steady_time now{std::chrono::hours{1000}};
  wall_time wall{std::chrono::milliseconds{1'795'334'400'000}};
  std::shared_ptr<connection_config> config;
  std::unique_ptr<xmpp::stream> server;
  /// What a client opens a stream with.
  std::string_view opening;
  /// The code of the server's close frame, 0 before.
  unsigned web_closed = 0;

  void to_server(std::string_view bytes);
  /// What the server has said, as it is, but for TLS.
  std::string heard_bytes();

private:
  struct profile;
  std::string authenticate_as(const profile& how, const std::string& mechanism,
    std::string_view password, size_t piece);

  std::optional<tls_stage> x_tls;
  bool x_is_web = false;
};

inline bool has(const std::string& all, std::string_view part) {
  return all.find(part) != all.npos;
}

/// The outcome of an IM, as the answer to its request.
event delivered(uint64_t request);
event rejected(uint64_t request, errc why);

inline constexpr std::string_view to_bob =
  "<message to='bob@example.org' type='chat' id='1'><body>hi</body></message>";

inline constexpr std::string_view header =
  "<?xml version='1.0'?><stream:stream to='example.org' version='1.0' "
  "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

inline constexpr std::string_view web_header =
  "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' "
  "version='1.0'/>";

} // namespace parley::test
