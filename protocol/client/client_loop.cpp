#include "protocol/client/client_impl.hpp"

#include <boost/asio/post.hpp>

#include "protocol/defaults.hpp"

namespace parley {

client_loop::impl::impl(boost::asio::io_context& context)
  : io(context), buffer(defaults::client_read_bytes), x_timer(context) {}

void client_loop::impl::add(client::impl& x) {
  x.place = x_clients.size();
  x_clients.push_back(&x);
  if (x_clients.size() == 1)
    sweep();
}

void client_loop::impl::remove(client::impl& x) noexcept {
  x_clients.back()->place = x.place;
  x_clients[x.place] = x_clients.back();
  x_clients.pop_back();
  if (x_clients.empty())
    x_timer.cancel();
}

void client_loop::impl::sweep() {
  auto now = std::chrono::steady_clock::now();
  // By index: a callback may add and remove clients.
  for (size_t i = 0; i < x_clients.size(); ++i) {
    auto x = x_clients[i]->shared_from_this();
    x->tick(now);
  }
  if (x_clients.empty())
    return;
  x_timer.expires_after(defaults::client_sweep_interval);
  x_timer.async_wait([this](const boost::system::error_code& why) {
    if (!why)
      sweep();
  });
}

void client_loop::impl::flush_later(std::shared_ptr<client::impl> x) {
  x_dirty.push_back(std::move(x));
  if (x_dirty.size() == 1)
    boost::asio::post(io, [this] { flush(); });
}

void client_loop::impl::flush() {
  // What a write error leads to may make new output.
  auto dirty = std::exchange(x_dirty, {});
  for (auto& x : dirty)
    x->flush();
  dirty.clear();
  if (x_dirty.empty())
    x_dirty = std::move(dirty);
}

client_loop::client_loop(boost::asio::io_context& io)
  : x_impl(std::make_unique<impl>(io)) {}

client_loop::~client_loop() = default;

boost::asio::io_context& client_loop::io() noexcept {
  return x_impl->io;
}

} // namespace parley
