#include "tests/client/loopback_server.hpp"

#include <array>
#include <chrono>
#include <optional>

namespace parley::test {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

class loopback_server::peer
  : public std::enable_shared_from_this<loopback_server::peer> {
public:
  peer(loopback_server& owner, tcp::socket socket)
    : x_owner(owner),
      x_socket(std::move(socket)),
      x_link(std::in_place, owner.x_server, std::chrono::steady_clock::now()) {
    x_socket.non_blocking(true);
  }

  void read() {
    x_socket.async_read_some(asio::buffer(x_buffer),
      [self = shared_from_this()](const error_code& why, size_t n) {
        if (!self->x_socket.is_open())
          return;
        if (why)
          return self->close();
        self->x_link->receive(
          {self->x_buffer.data(), n}, std::chrono::steady_clock::now());
        self->x_owner.write_all();
        if (self->x_socket.is_open())
          self->read();
      });
  }

  void tick() { x_link->tick(std::chrono::steady_clock::now()); }

  /// False if it is over.
  bool write() {
    while (!x_link->output().empty()) {
      error_code why;
      auto out = x_link->output();
      auto n = x_socket.write_some(asio::buffer(out.data(), out.size()), why);
      x_link->written(n);
      if (why == asio::error::would_block)
        return true;
      if (why)
        return false;
    }
    return !x_link->is_over();
  }

  void close() {
    error_code ignored;
    x_socket.close(ignored);
    x_link->disconnected();
    x_link.reset();
    x_owner.x_peers.erase(shared_from_this());
  }

private:
  loopback_server& x_owner;
  tcp::socket x_socket;
  /// None once closed: pending handlers may outlive the server.
  std::optional<model_server::link> x_link;
  std::array<char, 16384> x_buffer;
};

loopback_server::loopback_server(
  asio::io_context& io, model_server& server, const char* address)
  : x_io(io),
    x_server(server),
    x_acceptor(io, tcp::endpoint(asio::ip::make_address(address), 0)),
    x_timer(io) {
  accept();
  sweep();
}

loopback_server::~loopback_server() {
  cut_all();
}

uint16_t loopback_server::port() const {
  return x_acceptor.local_endpoint().port();
}

void loopback_server::stop_listening() {
  x_acceptor.close();
}

void loopback_server::cut_all() {
  while (!x_peers.empty())
    (*x_peers.begin())->close();
}

void loopback_server::accept() {
  x_acceptor.async_accept([this](const error_code& why, tcp::socket socket) {
    if (why)
      return;
    auto x = std::make_shared<peer>(*this, std::move(socket));
    x_peers.insert(x);
    write_all();
    x->read();
    accept();
  });
}

void loopback_server::sweep() {
  x_timer.expires_after(std::chrono::milliseconds{20});
  x_timer.async_wait([this](const error_code& why) {
    if (why)
      return;
    for (auto& x : x_peers)
      x->tick();
    write_all();
    sweep();
  });
}

void loopback_server::write_all() {
  auto peers = x_peers;
  for (auto& x : peers)
    if (!x->write())
      x->close();
}

} // namespace parley::test
