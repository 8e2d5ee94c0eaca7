#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/scram.hpp"
#include "bench/xml_text.hpp"

namespace parley::bench {

/// As much of a server of XMPP as a load needs, on a thread of its own: it
/// takes any password, and every message goes to whoever it is for unless
/// `route` says otherwise.
class scripted_xmpp_server {
public:
  /// What becomes of message `number` (0, 1, 2, … in all): the stanzas that its
  /// recipient gets instead, or those for its sender.
  struct fate_of_message {
    std::vector<std::string> to_recipient;
    std::vector<std::string> to_sender;
  };
  using script =
    std::function<fate_of_message(uint64_t number, std::string stanza)>;

  explicit scripted_xmpp_server(script route = {}) : x_route(std::move(route)) {
    x_listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(x_listener, reinterpret_cast<sockaddr*>(&at), sizeof at);
    ::listen(x_listener, 16);
    socklen_t size = sizeof at;
    ::getsockname(x_listener, reinterpret_cast<sockaddr*>(&at), &size);
    x_port = ntohs(at.sin_port);
    if (::pipe(x_stop.data()) != 0)
      std::abort();
    x_thread = std::thread{[this] { serve(); }};
  }
  ~scripted_xmpp_server() {
    ::close(x_stop[1]);
    x_thread.join();
    ::close(x_stop[0]);
    ::close(x_listener);
  }
  scripted_xmpp_server(const scripted_xmpp_server&) = delete;
  scripted_xmpp_server& operator=(const scripted_xmpp_server&) = delete;

  uint16_t port() const noexcept { return x_port; }

private:
  struct client {
    int descriptor = -1;
    bool is_known = false;
    std::string in;
    std::string address;
  };

  void serve() {
    while (true) {
      std::vector<pollfd> look{{x_stop[0], POLLIN, 0}, {x_listener, POLLIN, 0}};
      for (const auto& [descriptor, c] : x_clients)
        look.push_back({descriptor, POLLIN, 0});
      ::poll(look.data(), look.size(), -1);
      if (look[0].revents != 0)
        break;
      if (look[1].revents != 0) {
        const int descriptor = ::accept(x_listener, nullptr, nullptr);
        x_clients[descriptor].descriptor = descriptor;
      }
      for (size_t i = 2; i < look.size(); ++i)
        if (look[i].revents != 0)
          read(look[i].fd);
    }
    for (const auto& [descriptor, c] : x_clients)
      ::close(descriptor);
  }

  void read(int descriptor) {
    std::array<char, 4096> buffer;
    const ssize_t n = ::recv(descriptor, buffer.data(), buffer.size(), 0);
    auto& c = x_clients[descriptor];
    bool goes_on = n > 0;
    if (goes_on)
      c.in.append(buffer.data(), static_cast<size_t>(n));
    while (goes_on) {
      const auto piece = next_piece(c.in);
      if (piece.what == stream_piece::kind::more)
        return;
      if (piece.what == stream_piece::kind::header)
        put_header(c);
      else if (piece.what == stream_piece::kind::element)
        answer(c, std::string{piece.text});
      else
        goes_on = false;
      c.in.erase(0, piece.used);
    }
    ::close(descriptor);
    x_clients.erase(descriptor);
  }

  static void say(const client& c, std::string_view text) {
    ::send(c.descriptor, text.data(), text.size(), MSG_NOSIGNAL);
  }

  static void put_header(const client& c) {
    say(c,
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1' "
      "xmlns:stream='http://etherx.jabber.org/streams'>");
    say(c,
      c.is_known
        ? "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
          "</stream:features>"
        : "<stream:features><mechanisms><mechanism>PLAIN</mechanism>"
          "</mechanisms></stream:features>");
  }

  void answer(client& c, const std::string& text) {
    const element_view x{text};
    if (x.name() == "auth")
      return take_in(c, x);
    if (x.name() == "presence") {
      if (x.attribute("type").empty())
        say(c, "<presence from='" + c.address + "'/>");
      return;
    }
    if (x.name() == "message")
      return route(c, x);
    std::string content;
    if (const auto bind = x.child("bind")) {
      c.address += "/" + std::string{bind->child_text("resource")};
      content = "<bind><jid>" + c.address + "</jid></bind>";
    }
    say(c,
      "<iq type='result' id='" + std::string{x.attribute("id")} + "'>" + content
        + "</iq>");
  }

  static void take_in(client& c, const element_view& auth) {
    const auto plain = from_base64(auth.content()).value_or("");
    const auto name = plain.substr(1, plain.find('\0', 1) - 1);
    c.address = name + "@example.org";
    c.is_known = true;
    say(c, "<success/>");
  }

  void route(const client& from, const element_view& x) {
    std::string stanza = "<message type='chat' from='" + from.address;
    for (const auto* name : {"to", "id"})
      stanza +=
        "' " + std::string{name} + "='" + std::string{x.attribute(name)};
    stanza += "'>" + std::string{x.content()} + "</message>";
    auto what =
      x_route ? x_route(x_messages, stanza) : fate_of_message{{stanza}, {}};
    ++x_messages;
    const auto to = std::string{x.attribute("to")} + "/";
    for (const auto& [descriptor, c] : x_clients)
      if (c.address.starts_with(to))
        for (const auto& one : what.to_recipient)
          say(c, one);
    for (const auto& one : what.to_sender)
      say(from, one);
  }

  script x_route;
  uint64_t x_messages = 0;
  int x_listener = -1;
  uint16_t x_port = 0;
  std::array<int, 2> x_stop{};
  std::map<int, client> x_clients;
  std::thread x_thread;
};

} // namespace parley::bench
