#include "bench/relay.hpp"

#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "bench/limits.hpp"

namespace parley::bench {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

struct member;

/// The connections that belong together; [0] is the first.
struct group {
  std::vector<std::shared_ptr<member>> members;
};

struct member : std::enable_shared_from_this<member> {
  member(tcp::socket s, std::shared_ptr<group> g, std::vector<char>& b)
    : socket(std::move(s)), peers(std::move(g)), buffer(b) {}

  void read();
  void forward(size_t size);
  /// Appends to what waits, or writes if nothing does. False: it is gone.
  bool put(const char* bytes, size_t size);
  void write_rest();
  bool full() const {
    return rest.size() + under_way.size() > limits::relay_output_max;
  }
  bool first() const { return peers->members.front().get() == this; }
  void close();

  tcp::socket socket;
  std::shared_ptr<group> peers;
  std::vector<char>& buffer;
  std::string rest;
  std::string under_way;
  /// Does not read until its peers' output is down.
  bool paused = false;
};

void member::read() {
  const auto self = shared_from_this();
  socket.async_wait(tcp::socket::wait_read, [self](const error_code& ec) {
    if (ec)
      return;
    error_code error;
    size_t const size =
      self->socket.read_some(asio::buffer(self->buffer), error);
    if (error && error != asio::error::would_block)
      return self->close();
    if (size > 0)
      self->forward(size);
    if (!self->paused)
      self->read();
  });
}

void member::forward(size_t size) {
  auto& all = peers->members;
  const size_t from = first() ? 1 : 0;
  const size_t to = first() ? all.size() : 1;
  for (size_t i = from; i < to; ++i) {
    if (!all[i]->put(buffer.data(), size))
      return close();
    paused |= all[i]->full();
  }
}

bool member::put(const char* bytes, size_t size) {
  if (!rest.empty() || !under_way.empty()) {
    rest.append(bytes, size);
    return true;
  }
  error_code error;
  const size_t written = socket.write_some(asio::buffer(bytes, size), error);
  if (error && error != asio::error::would_block)
    return false;
  if (written < size) {
    rest.assign(bytes + written, size - written);
    write_rest();
  }
  return true;
}

void member::write_rest() {
  under_way.swap(rest);
  rest.clear();
  const auto self = shared_from_this();
  asio::async_write(
    socket, asio::buffer(under_way), [self](const error_code& ec, size_t) {
      self->under_way.clear();
      if (ec)
        return;
      if (!self->rest.empty())
        return self->write_rest();
      for (auto const& peer : self->peers->members)
        if (peer->paused) {
          peer->paused = false;
          peer->read();
        }
    });
}

void member::close() {
  error_code ignored;
  // Members hold each other through the group.
  for (const auto& peer : std::exchange(peers->members, {}))
    peer->socket.close(ignored);
}

} // namespace

class relay::impl : public std::enable_shared_from_this<impl> {
public:
  impl(asio::io_context& io, uint32_t group_size, uint16_t port)
    : x_acceptor(io, tcp::endpoint{asio::ip::address_v4::loopback(), port}),
      x_group_size(group_size),
      x_buffer(limits::read_size) {}

  void accept() {
    const auto self = shared_from_this();
    x_acceptor.async_accept([self](const error_code& ec, tcp::socket s) {
      if (ec == asio::error::operation_aborted)
        return;
      if (!ec)
        self->join(std::move(s));
      self->accept();
    });
  }

  void stop() {
    error_code ignored;
    x_acceptor.close(ignored);
    for (const auto& group : x_groups)
      if (const auto g = group.lock(); g && !g->members.empty()) {
        const auto first = g->members.front();
        first->close();
      }
  }

  uint16_t port() const { return x_acceptor.local_endpoint().port(); }

private:
  void join(tcp::socket s) {
    error_code ignored;
    s.set_option(tcp::no_delay{true}, ignored);
    s.non_blocking(true, ignored);
    if (!x_filling) {
      x_filling = std::make_shared<group>();
      x_groups.push_back(x_filling);
    }
    x_filling->members.push_back(
      std::make_shared<member>(std::move(s), x_filling, x_buffer));
    if (x_filling->members.size() < x_group_size)
      return;
    // A group that a read ends is emptied meanwhile.
    const auto members = x_filling->members;
    x_filling.reset();
    for (const auto& m : members)
      m->read();
  }

  tcp::acceptor x_acceptor;
  uint32_t x_group_size;
  std::vector<char> x_buffer;
  std::shared_ptr<group> x_filling;
  std::vector<std::weak_ptr<group>> x_groups;
};

relay::relay(asio::io_context& io, uint32_t group, uint16_t port)
  : x_impl(std::make_shared<impl>(io, group, port)) {
  x_impl->accept();
}

relay::~relay() {
  x_impl->stop();
}

uint16_t relay::port() const {
  return x_impl->port();
}

} // namespace parley::bench
