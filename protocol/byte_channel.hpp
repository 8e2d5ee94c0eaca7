#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/errors.hpp"
#include "protocol/sasl.hpp"
#include "protocol/tls.hpp"

namespace parley {

/// The bytes of one connection, below any protocol: TLS, if there is any, and
/// what waits to be written. No memory is kept while nothing waits.
class byte_channel {
public:
  /// From now on what comes is a TLS handshake, then encrypted. What is in the
  /// sink goes out before, as it is.
  void start_tls(const tls_context& context);
  bool has_tls() const noexcept { return x_tls != nullptr; }
  /// TLS, and its handshake is done.
  bool is_encrypted() const noexcept {
    return x_tls && x_tls->handshake_done();
  }
  bool closed_by_peer() const noexcept {
    return x_tls && x_tls->closed_by_peer();
  }

  /// With TLS: appends what was in the peer's bytes to `plain`.
  result<void> decrypt(std::string_view bytes, std::string& plain);

  /// Where to append what is to be said. With TLS it is encrypted once it is
  /// taken; before the end of the handshake nothing may be said.
  std::string& sink();
  /// To be written as it is, whatever the stage.
  std::string& raw() noexcept { return x_output; }
  /// Bytes that wait, encrypted or not.
  size_t waiting() const noexcept;

  /// What is to be written; ends with the next call of anything.
  std::string_view output();
  /// True if nothing is left to be written that was in `output`.
  bool written(size_t n);
  /// Bytes of what was in the sink that wait for `output`.
  bool has_unencrypted() const noexcept { return !x_unencrypted.empty(); }
  /// Bytes that were ever in `output`, and that were ever written.
  uint64_t output_total() const noexcept {
    return x_written_total + x_output.size() - x_written;
  }
  uint64_t written_total() const noexcept { return x_written_total; }

  /// The last words, and TLS's own.
  void close();

  /// What SASL may do over it, and its name for operators: "TLSv1.3", "plain".
  sasl_channel channel() const;
  /// The same for clients that say tls-unique whatever the version of TLS.
  sasl_channel lenient_channel() const;
  std::string transport() const;
  size_t memory() const noexcept;

private:
  void encrypt();

  std::unique_ptr<tls_stage> x_tls;
  /// For the socket, from x_written on.
  std::string x_output;
  /// With TLS: not yet encrypted.
  std::string x_unencrypted;
  size_t x_written = 0;
  uint64_t x_written_total = 0;
};

/// A buffer of this thread for what is decrypted, taken out while it is in use,
/// since an owner may hand bytes to another connection in between.
class decrypted_bytes {
public:
  decrypted_bytes();
  ~decrypted_bytes();
  decrypted_bytes(const decrypted_bytes&) = delete;
  decrypted_bytes& operator=(const decrypted_bytes&) = delete;
  std::string& operator*() noexcept { return x_bytes; }
  std::string* operator->() noexcept { return &x_bytes; }

private:
  std::string x_bytes;
};

} // namespace parley
