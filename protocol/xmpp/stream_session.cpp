#include <utility>

#include "protocol/defaults.hpp"
#include "protocol/xmpp/stream.hpp"
#include "protocol/xmpp/stream_call.hpp"

/// A stream while its session lasts.
namespace parley::xmpp {

namespace {

/// A stream that was managed leaves all that was said.
struct legacy_dialogue final : connection_legacy {
  explicit legacy_dialogue(std::unique_ptr<dialogue> x) : what(std::move(x)) {}
  size_t memory() const noexcept override { return what ? what->memory() : 0; }
  last_words end_session(std::span<const request_number> answered) override {
    return what ? what->end_session(answered) : last_words{};
  }
  std::unique_ptr<dialogue> what;
};

} // namespace

sequence stream::accept(
  const signed_in& what, std::unique_ptr<connection_legacy> legacy) {
  if (!x_sign_in)
    return {};
  const call scope{*this};
  auto state = std::move(x_sign_in);
  x_patience.begin_session(what.heartbeat);
  x_reader.widen(defaults::frame_max);
  if (x_web)
    x_web->frames.widen(defaults::frame_max);
  sequence safe;
  if (state->exchange.whose() == turn::resumption) {
    if (auto* before = dynamic_cast<legacy_dialogue*>(legacy.get()))
      x_dialogue = std::move(before->what);
    if (!x_dialogue) {
      fail_stream("undefined-condition", "this session is of another protocol");
      return {};
    }
    resumed_frame around;
    if (state->whole) {
      append_success(around.before, *state->whole, what.self.str());
      around.after = "</success>" + session_features();
    }
    auto upto = x_dialogue->resume(what.requests, state->handled,
      state->previous, std::move(around), sink(), x_requests);
    if (!upto) {
      fail_stream(x_dialogue->too_high(state->handled));
      return {};
    }
    safe = *upto;
  } else {
    x_dialogue = std::make_unique<dialogue>(what, x_domain, x_config->held_ims);
    if (state->whole)
      put_bound(*state->whole, what.self);
    else
      x_dialogue->put_bound(state->bind_id, sink());
  }
  appended();
  deliver();
  if (!state->held.empty())
    receive_plain(state->held);
  return safe;
}

bool stream::send(sequence number, const event& what) {
  if (!x_dialogue || x_closed)
    return false;
  const bool was_full = !x_dialogue->takes_stanzas();
  const auto safe = x_dialogue->tell(number, what, sink(), x_requests);
  appended();
  deliver();
  if (x_draining)
    drain();
  if (was_full && takes_input() && !x_closed)
    x_owner.output_ready(); // it may read on
  return safe;
}

void stream::send_window(const window& requests) {
  if (x_dialogue)
    x_dialogue->set_window(requests);
}

bool stream::is_resumable() const noexcept {
  return x_dialogue && x_dialogue->is_resumable();
}

std::unique_ptr<connection_legacy> stream::take_legacy() {
  if (!is_resumable())
    return nullptr;
  return std::make_unique<legacy_dialogue>(std::move(x_dialogue));
}

last_words stream::end_session(std::span<const request_number> answered) {
  return x_dialogue ? x_dialogue->end_session(answered) : last_words{};
}

void stream::deliver() {
  if (!x_dialogue || x_closed)
    return;
  // They can only be of what was sent before, and make room for requests.
  if (const auto upto = x_dialogue->take_acknowledged(); upto.value > 0)
    x_owner.acknowledged(upto);
  if (!x_requests.empty())
    x_owner.requests_received(std::exchange(x_requests, {}));
}

void stream::go_on_reading() {
  if (!x_sign_in || x_sign_in->held.empty()
    || x_sign_in->exchange.whose() != turn::client)
    return;
  const auto held = std::exchange(x_sign_in->held, {});
  receive_plain(held);
}

} // namespace parley::xmpp
