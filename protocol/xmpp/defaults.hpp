#pragma once

#include <chrono>
#include <cstddef>

/// Limits of XMPP alone; see protocol/defaults.hpp for all others.
namespace parley::defaults {

using namespace std::chrono_literals;

/// Elements within each other below the stream, attributes of one element, and
/// elements of one stanza. A stanza's bytes are bounded like a frame's.
inline constexpr size_t xmpp_depth_max = 32;
inline constexpr size_t xmpp_attributes_max = 64;
inline constexpr size_t xmpp_elements_max = 8192;

/// Bytes of a namespace's name: it is repeated with each element and attribute.
/// And of all these names in one stanza, which a prefix of one letter stands
/// for in what the client sends.
inline constexpr size_t xmpp_namespace_max = 256;
inline constexpr size_t xmpp_namespaces_max = 1024 * 1024;

/// Bytes of one tag, and how many are given to the parser at once: it holds,
/// and looks again at, what is no whole tag yet.
inline constexpr size_t xmpp_tag_max = 8 * 1024;
inline constexpr size_t xmpp_slice_bytes = 4 * 1024;

/// Bytes of a stanza's id: it is kept until the answer.
inline constexpr size_t xmpp_id_max = 1023;

/// Whose presence has changed while nobody looks at the client, before it is
/// told all the same.
inline constexpr size_t xmpp_changed_max = 10'000;

/// Bytes of the prefixes that a stream declares in its header.
inline constexpr size_t xmpp_root_max = 1024;

/// Stanzas of a client that wait for room in its window before nothing more is
/// read from it.
inline constexpr size_t xmpp_waiting_max = 200;

/// Bytes of questions about the block list that wait for it, or for a change of
/// it, before further ones are refused; the first may have more.
inline constexpr size_t xmpp_block_waiting_bytes = 256 * 1024;

/// How long what waits for room is still asked after the client has gone.
inline constexpr std::chrono::milliseconds xmpp_drain_time = 10s;

/// So many times as much is read from a client that has to acknowledge answers
/// before there is room: its acknowledgement may be behind it.
inline constexpr size_t xmpp_waiting_more = 50;

/// Bytes of answers to iqs that a client has not acknowledged, and that are
/// said again when it resumes; further ones are said once.
inline constexpr size_t xmpp_replies_max = 64 * 1024;

/// Whom a client may have sent its presence to beside its watchers.
inline constexpr size_t xmpp_directed_max = 1'000;

/// Bytes of a stanza that takes such presence back; of a larger one only that
/// it does is passed on. It holds any status, even where all is escaped.
inline constexpr size_t xmpp_taken_back_max = 8 * 1024;

/// Items that a client may ask for by their names at once.
inline constexpr size_t xmpp_items_max = 256;

/// Kinds of clients of which a thread remembers what they want to hear of.
inline constexpr size_t xmpp_capabilities_max = 256;

/// Random octets in the names that a stream gives to stanzas and IMs.
inline constexpr size_t xmpp_name_octets = 8;

/// How long after a reset of presence a contact of whom nothing was heard since
/// counts as gone.
inline constexpr std::chrono::milliseconds xmpp_reset_patience = 2s;

/// A parser that has read a stanza of more bytes is not used again: it would
/// keep the memory. One that has read so much in all is reset.
inline constexpr size_t xmpp_parser_kept_bytes = 64 * 1024;

/// Bytes of the request of HTTP with which a WebSocket begins, and of the host
/// that it names.
inline constexpr size_t websocket_head_max = 8 * 1024;
inline constexpr size_t websocket_host_max = 255 + 6;

/// Bytes that are unmasked at once.
inline constexpr size_t websocket_slice_bytes = 4 * 1024;

/// Bytes of what a presence stanza has beside show, status and priority.
inline constexpr size_t presence_extension_max = 4096;

} // namespace parley::defaults
