#pragma once

#include <cstddef>

/// What handshakes of strangers may make a server hold.
namespace parley::defaults {

/// Bytes of a client until its handshake is done; with more it has failed.
/// OpenSSL would take first messages of 128 KiB.
inline constexpr size_t tls_handshake_max = 16 * 1024;

/// What TLS holds once a handshake has begun, until it is done, in bytes,
/// about; for the budget.
inline constexpr size_t tls_handshake_bytes = 44 * 1024;

/// What TLS holds besides while a record has come in part, in bytes, about:
/// room for the longest, whatever its length; for the budget.
inline constexpr size_t tls_record_bytes = 17 * 1024;

} // namespace parley::defaults
