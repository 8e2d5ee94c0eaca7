#pragma once

#include <memory>

#include "bench/session.hpp"
#include "bench/xml_text.hpp"

namespace parley::bench {

/// A session of XMPP over plain TCP (RFC 6120, 6121): SCRAM-SHA-1 where the
/// server has it, else PLAIN; resource binding; the roster; available with
/// priority 0. It is open once the server has told it its own presence.
///
/// IMs are chat messages to a bare address with a body and nothing else. There
/// is no outcome in XMPP: that its recipient has read an IM is all that is
/// known of it.
class xmpp_session final : public session {
public:
  using session::session;

  uint64_t send(const outgoing_im& im, int64_t sent_at_ms) override;
  /// Not in XMPP: fails.
  uint64_t broadcast(std::string_view id, std::span<const std::string> to,
    std::string_view body) override;
  uint64_t set_presence(uint32_t show, std::string_view status) override;
  void sign_out() override;

private:
  /// What is awaited.
  enum class step : uint8_t {
    mechanisms,
    challenge,
    success,
    binding,
    bound,
    managed,
    present,
    open,
  };

  void begin() override;
  size_t consume(std::string_view bytes) override;
  void acknowledge() override;

  void put_header();
  void put_present();
  void handle(std::string_view text);
  void take_features(const element_view& x);
  void take_challenge(const element_view& x);
  void take_success(const element_view& x);
  void take_iq(const element_view& x);
  void take_message(const element_view& x);
  void take_presence(const element_view& x);

  step x_step = step::mechanisms;
  std::unique_ptr<scram_exchange> x_scram;
  uint64_t x_last_request = 0;
  /// Presences of its own that the server has told it of.
  uint64_t x_presences_told = 0;
  /// XEP-0198: stanzas that came, and that the server asked for their number.
  bool x_counts = false;
  bool x_is_asked = false;
  uint32_t x_handled = 0;
  std::string x_own_address;
  std::string x_body;
  std::string x_status;
};

} // namespace parley::bench
