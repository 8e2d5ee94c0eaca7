#include "actors/gateway/client_socket.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

// From the worker that accepted it to that of its session.
namespace parley {

namespace asio = boost::asio;
using boost::system::error_code;

std::shared_ptr<connections> client_socket::elsewhere(size_t index) const {
  const auto& all = x_home->with().all;
  auto there = index < all.size() ? all[index].lock() : nullptr;
  return there == x_home ? nullptr : there;
}

void client_socket::leave_for(const std::shared_ptr<connections>& to) {
  // Not from within the connection: it is still at work here.
  asio::post(x_home->with().home->io(),
    [self = shared_from_this(), to] { self->move_out(to); });
}

void client_socket::move_out(const std::shared_ptr<connections>& to) {
  if (x_closed || !x_socket || refuse_for_stop())
    return;
  auto self = shared_from_this();
  unlink();
  error_code ec;
  auto fd = x_socket->release(ec);
  x_socket.reset();
  *x_here = false;
  x_writing = false;
  x_home->forget(x_id);
  x_booked_output = {};
  x_booked_rest = {};
  if (ec) {
    x_closed = true;
    x_place = {};
    return;
  }
  asio::post(to->with().home->io(),
    [to, self, fd, v6 = x_is_v6] { to->adopt(self, fd, v6); });
}

void client_socket::move_in(
  std::shared_ptr<connections> home, int native_socket, bool is_v6) {
  x_home = std::move(home);
  x_booked_output = {x_home->book(), held_for::outputs};
  x_booked_rest = {x_home->book(), held_for::connections};
  start(native_socket, is_v6);
  if (x_socket && !refuse_for_stop())
    ask_router();
}

void client_socket::ask_router() {
  auto pending = std::move(x_pending);
  if (!pending)
    return;
  auto self = shared_from_this();
  if (pending->what)
    caf::anon_send(
      x_home->with().router, local_sign_in{std::move(*pending->what), self});
  else if (pending->again)
    caf::anon_send(
      x_home->with().router, local_resume{std::move(*pending->again), self});
}

} // namespace parley
