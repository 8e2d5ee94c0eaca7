#pragma once

#include <cstddef>
#include <cstdint>

/// Limits of what users keep; those of one user are settings.
namespace parley::defaults {

/// Bytes of a collection's name, and of a document's id.
inline constexpr size_t document_name_max = 1023;

/// Bytes of documents in one answer; what is older is left out.
inline constexpr uint64_t documents_answer_max = 256 * 1024;

/// Readings a second of one session, and at once: a client that signs in may
/// ask for what each contact keeps. A change is worth so many.
inline constexpr double documents_per_second = 100;
inline constexpr double documents_burst = 1'000;
inline constexpr double document_change_price = 5;

/// Users and collections that one follow_documents may name; further ones are
/// not told.
inline constexpr size_t followed_users_max = 1'000;
inline constexpr size_t followed_collections_max = 64;

/// So many of these users are worth one thing more that is passed on.
inline constexpr double followed_a_passing = 16;

/// Of these users so many have their turn before others ask a reader again.
inline constexpr ptrdiff_t followed_users_a_step = 16;

/// Notices, and bytes of them, that wait for a client which reads slowly;
/// further ones are dropped.
inline constexpr size_t held_notices_max = 1'000;
inline constexpr size_t held_notices_bytes_max = 256 * 1024;

} // namespace parley::defaults
