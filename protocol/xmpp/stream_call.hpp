#pragma once

#include "protocol/xmpp/stream.hpp"

/// Internal to the stream.
namespace parley::xmpp {

class stream::call {
public:
  explicit call(stream& x) noexcept : x_stream(x) { ++x_stream.x_calls; }
  ~call() {
    if (--x_stream.x_calls == 0 && x_stream.x_sign_in
      && x_stream.x_sign_in->exchange.wants())
      x_stream.x_sign_in->exchange.ask();
  }
  call(const call&) = delete;
  call& operator=(const call&) = delete;

private:
  stream& x_stream;
};

} // namespace parley::xmpp
