#pragma once

#include "protocol/codec.hpp"
#include "protocol/codec_fields.hpp"

#include <cstdint>
#include <string>

/// The frames of contacts, privacy and presence; the rest of the codec leads
/// them here.
namespace parley::native {

/// One of the requests from `add_contacts` to `set_privacy`, as decode_client
/// has it. `from` is of one of their kinds.
client_frame decode_contacts_request(
  request_number number, wire::ClientFrame& from);

/// One of the events from `contacts` to `privacy`, `presence`,
/// `presence_reset` or `watch_ended`, as decode_server has it. `from` is of one
/// of their kinds.
server_frame decode_contacts_event(wire::ServerFrame& from);

/// Where a list is cut: between the entries, as frames fill, or not at all,
/// since the frame is one given part.
struct cutting {
  bool is_part = false;
  uint32_t part = 0;
  bool more = false;
};

// Append one frame, or as many as the list needs. `frame` is empty but for its
// numbers.

result<void> put_request(
  std::string& out, wire::ClientFrame& frame, const add_contacts& x, cutting);
result<void> put_request(std::string& out, wire::ClientFrame& frame,
  const remove_contacts& x, cutting);
result<void> put_request(
  std::string& out, wire::ClientFrame& frame, const list_contacts& x, cutting);
result<void> put_request(
  std::string& out, wire::ClientFrame& frame, const subscribe& x, cutting);
result<void> put_request(
  std::string& out, wire::ClientFrame& frame, const unsubscribe& x, cutting);
result<void> put_request(
  std::string& out, wire::ClientFrame& frame, const approve& x, cutting);
result<void> put_request(
  std::string& out, wire::ClientFrame& frame, const deny& x, cutting);
result<void> put_request(
  std::string& out, wire::ClientFrame& frame, const watch& x, cutting);
result<void> put_request(
  std::string& out, wire::ClientFrame& frame, const set_privacy& x, cutting);

void put_event(std::string& out, wire::ServerFrame& frame,
  const contacts_changed& x, cutting how);
void put_event(std::string& out, wire::ServerFrame& frame,
  const contact_list& x, cutting how);
void put_event(
  std::string& out, wire::ServerFrame& frame, const watching& x, cutting);
void put_event(
  std::string& out, wire::ServerFrame& frame, const privacy& x, cutting how);
void put_event(
  std::string& out, wire::ServerFrame& frame, const presence_reset& x, cutting);
void put_event(
  std::string& out, wire::ServerFrame& frame, const watch_ended& x, cutting);

/// The same for a presence without a number, by hand, and once for all of its
/// watchers on this thread.
void put_presence(std::string& out, const presence_event& x);

/// Writes a list into as many frames as it needs. `Body` is the message with
/// the list and a `part`, within `Frame`.
template <class Frame, class Body>
class part_writer {
public:
  part_writer(std::string& out, Frame& frame, Body& body, cutting how)
    : x_out(out), x_frame(frame), x_body(body), x_used(body.ByteSizeLong()) {
    if (how.is_part)
      write_part(how.part, how.more);
    x_cuts = !how.is_part;
  }

  /// Before an entry of the field with this number and so many bytes.
  void make_room(uint32_t field, size_t bytes) {
    auto size = wire_format::block_size(field, bytes);
    if (x_cuts && x_used > 0 && x_used + size > room) {
      write_part(x_part++, true);
      append_frame(x_out, x_frame);
      x_body.Clear();
      write_part(x_part, false);
      x_used = 0;
    }
    x_used += size;
  }

  void finish() { append_frame(x_out, x_frame); }

private:
  /// Bytes of a frame that its entries are counted without: numbers, part,
  /// tags and lengths.
  static constexpr size_t slack = 64;
  static constexpr size_t room = defaults::frame_max - slack;

  void write_part(uint32_t number, bool more) {
    x_body.mutable_part()->set_number(number);
    x_body.mutable_part()->set_more(more);
  }

  std::string& x_out;
  Frame& x_frame;
  Body& x_body;
  size_t x_used;
  uint32_t x_part = 0;
  bool x_cuts = true;
};

/// An address as somebody wrote it, cut off where it is too long to be one; one
/// byte too many is kept, so that it stays a bad address.
std::string_view bounded_address(std::string_view text) noexcept;

} // namespace parley::native
