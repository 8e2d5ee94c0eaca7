#include <utility>

#include "protocol/xmpp/sasl2.hpp"
#include "protocol/xmpp/stream.hpp"
#include "protocol/xmpp/stream_call.hpp"

/// A stream whose client asks for its whole sign-in at once.
namespace parley::xmpp {

void stream::go_in() {
  auto& whole = *x_sign_in->whole;
  if (whole.resume) {
    if (want_resumption(*whole.resume))
      return;
    dialogue::append_failed(whole.failed, "item-not-found");
  }
  go_in_anew();
}

void stream::go_in_anew() {
  auto& state = *x_sign_in;
  if (state.whole->binds)
    return want_session(endpoint_for(*state.whole, state.user));
  const auto whole = std::move(state.whole);
  auto& out = sink();
  append_success(out, *whole, state.user.str());
  out += "</success>";
  put_features();
}

void stream::put_bound(const whole_sign_in& whole, const address& self) {
  auto& out = sink();
  append_success(out, whole, self.str());
  out += "<bound";
  append_attribute(out, "xmlns", ns::bind2);
  out += '>';
  if (whole.enable)
    x_dialogue->take(*whole.enable, x_wall, out, x_requests);
  out += "</bound></success>";
  if (whole.is_inactive)
    x_dialogue->take({"inactive", std::string{ns::client_state}, {}, {}, {}},
      x_wall, out, x_requests);
  out += session_features();
  if (whole.wants_copies)
    x_dialogue->want_copies(out, x_requests);
}

std::string stream::session_features() {
  std::string text{"<stream:features>"};
  dialogue::append_features(text);
  text += "</stream:features>";
  return text;
}

} // namespace parley::xmpp
