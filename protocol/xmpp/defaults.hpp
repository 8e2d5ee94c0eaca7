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

/// Bytes of a namespace's name: XML repeats it with each element and attribute.
inline constexpr size_t xmpp_namespace_max = 256;

/// Bytes of one tag, and how many are given to the parser at once: it holds,
/// and looks again at, what is no whole tag yet.
inline constexpr size_t xmpp_tag_max = 8 * 1024;
inline constexpr size_t xmpp_slice_bytes = 4 * 1024;

/// Bytes of the prefixes that a stream declares in its header.
inline constexpr size_t xmpp_root_max = 1024;

/// A parser that has read a stanza of more bytes is not used again: it would
/// keep the memory.
inline constexpr size_t xmpp_parser_kept_bytes = 64 * 1024;

} // namespace parley::defaults
