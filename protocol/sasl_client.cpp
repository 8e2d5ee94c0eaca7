#include "protocol/sasl.hpp"

#include <algorithm>
#include <utility>

#include "protocol/defaults.hpp"
#include "protocol/gsasl_session.hpp"

namespace parley {

class sasl_client::impl {
public:
  impl(const sasl_mechanism& mechanism, std::string_view password)
    : x_mechanism(mechanism) {
    x_salter.password = password;
    x_salter.hash = mechanism.hash;
  }

  bool start(const sasl_channel& channel, std::string_view user) {
    x_session = gsasl_session::client(x_mechanism);
    if (!x_session)
      return false;
    x_session.set(GSASL_AUTHID, std::string{user});
    if (x_mechanism.hash) {
      // libgsasl 2.2 fails where it could bind and is not asked to, in place of
      // saying so (RFC 5802, 6: flag `y`).
      if (x_mechanism.binds_channel)
        x_session.set_channel(channel);
      x_session.set_salter(x_salter);
    } else {
      x_session.set(GSASL_PASSWORD, x_salter.password);
      x_proves = true;
    }
    auto first = x_session.step({});
    x_initial = std::move(first.output);
    return first.code == (x_mechanism.hash ? GSASL_NEEDS_MORE : GSASL_OK);
  }

  result<std::string> respond(std::string_view challenge) {
    // PLAIN's one message is out already, and SCRAM has one challenge.
    if (x_proves || challenge.size() > defaults::sasl_message_max)
      return fail(errc::authentication_failed, "an unexpected SASL challenge");
    auto next = x_session.step(challenge);
    if (next.code != GSASL_NEEDS_MORE)
      return fail(errc::authentication_failed,
        "the server's SASL challenge cannot be answered");
    x_proves = true;
    return std::move(next.output);
  }

  result<void> finish(std::string_view last) {
    if (!x_mechanism.hash)
      return {};
    if (!x_proves || last.empty() || last.size() > defaults::sasl_message_max
      || x_session.step(last).code != GSASL_OK)
      return fail(errc::authentication_failed,
        "the server did not prove that it knows this account");
    return {};
  }

  std::string_view mechanism() const noexcept { return x_mechanism.name; }
  const std::string& initial() const noexcept { return x_initial; }

private:
  const sasl_mechanism& x_mechanism;
  password_salter x_salter;
  gsasl_session x_session;
  std::string x_initial;
  /// The proof, or PLAIN's password, is on its way.
  bool x_proves = false;
};

sasl_client::sasl_client(std::unique_ptr<impl> x) : x_impl(std::move(x)) {}
sasl_client::sasl_client(sasl_client&&) noexcept = default;
sasl_client& sasl_client::operator=(sasl_client&&) noexcept = default;
sasl_client::~sasl_client() = default;

result<sasl_client> sasl_client::make(std::span<const std::string> offered,
  const sasl_channel& channel, std::string_view user,
  std::string_view password) {
  const auto safe = [&](const sasl_mechanism& x) {
    return usable(x, channel)
      && (x.binds_channel || channel.confidential || !channel.can_bind());
  };
  const auto chosen =
    std::ranges::find_if(sasl_mechanism_table, [&](const auto& x) {
      return safe(x) && std::ranges::find(offered, x.name) != offered.end();
    });
  if (chosen == sasl_mechanism_table.end())
    return fail(errc::mechanism_unavailable,
      "the server offers no sign-in that is safe on this connection");
  auto x = std::make_unique<impl>(*chosen, password);
  if (user.find('\0') != user.npos || password.find('\0') != password.npos
    || !x->start(channel, user))
    return fail(errc::authentication_failed,
      "the user name or the password has characters that SASLprep forbids");
  return sasl_client{std::move(x)};
}

std::string_view sasl_client::mechanism() const noexcept {
  return x_impl->mechanism();
}

const std::string& sasl_client::initial() const noexcept {
  return x_impl->initial();
}

result<std::string> sasl_client::respond(std::string_view challenge) {
  return x_impl->respond(challenge);
}

result<void> sasl_client::finish(std::string_view last) {
  return x_impl->finish(last);
}

} // namespace parley
