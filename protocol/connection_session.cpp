#include <algorithm>
#include <utility>
#include <variant>

#include "protocol/connection_impl.hpp"
#include "protocol/defaults.hpp"
#include "protocol/overloaded.hpp"

/// A connection while its session lasts.
namespace parley {

connection::impl::verdict connection::impl::in_session(
  native::client_frame what, inbox& in) {
  const auto signed_in_already = [](auto&) -> verdict {
    return fail(errc::bad_request, "this client is signed in already");
  };
  return std::visit(
    overloaded{[this, &in](numbered_request& x) -> verdict {
                 // Without a number there is no answer in the stream.
                 auto* invalid = std::get_if<invalid_request>(&x.what);
                 if (invalid && x.number.value == 0)
                   put_refusal({}, invalid->why);
                 else if (x_parts)
                   x_parts->add(std::move(x), in.requests);
                 else
                   in.requests.push_back(std::move(x));
                 return {};
               },
      [this, &in](native::request_part& x) -> verdict {
        if (!x_parts)
          x_parts = std::make_unique<native::request_assembler>();
        x_parts->add(std::move(x), in.requests);
        return {};
      },
      [this, &in](native::ack& x) -> verdict {
        if (x.event > x_highest_sent)
          return fail(errc::bad_request,
            "event " + std::to_string(x.event.value)
              + " was acknowledged and never sent");
        in.acknowledged = std::max(in.acknowledged, x.event);
        return {};
      },
      [&in](window& x) -> verdict {
        in.client_window = x;
        return {};
      },
      [this](native::ping& x) -> verdict {
        put(native::pong{x.nonce});
        return {};
      },
      [](native::pong&) -> verdict { return {}; },
      [](native::ignored&) -> verdict { return {}; },
      [](native::hello&) -> verdict {
        return fail(errc::not_signed_in, "hello came twice");
      },
      signed_in_already},
    what);
}

void connection::impl::deliver(inbox& in) {
  // Acknowledgements first: they can only be of events that were sent before
  // this read, and they make room for its requests.
  if (in.acknowledged.value > 0 && !is_closed())
    x_owner.acknowledged(in.acknowledged);
  if (in.client_window && !is_closed())
    x_owner.window_changed(*in.client_window);
  if (!in.requests.empty() && !is_closed())
    x_owner.requests_received(std::move(in.requests));
}

void connection::impl::put_refusal(request_number number, const failure& why) {
  if (number.value == 0)
    return put(native::refusal{error_scope::request, why});
  native::encode_event(sink(), sequence{}, answer{number, why});
  appended();
}

void connection::impl::send(sequence number, const event& what) {
  if (!in_session())
    return;
  x_highest_sent = std::max(x_highest_sent, number);
  auto& out = sink();
  const auto before = out.size();
  native::encode_event(out, number, what);
  // Some events this protocol does not tell.
  if (out.size() > before)
    appended();
}

void connection::impl::send_window(const window& requests) {
  if (in_session())
    put(requests);
}

void connection::impl::send_going_away(
  std::chrono::milliseconds come_back_after) {
  if (in_session())
    put(native::going_away{come_back_after});
}

} // namespace parley
