#include "protocol/byte_channel.hpp"

#include <algorithm>
#include <utility>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

/// Gives the memory back, which `clear` would keep.
void release(std::string& x) noexcept {
  std::string{}.swap(x);
}

std::string& spare_buffer() {
  thread_local std::string x;
  return x;
}
constexpr size_t spare_bytes_max = 192 * 1024;

/// Written bytes at the front of the output are given back beyond so many, once
/// they are half of it: moving the rest then costs no more than writing did.
constexpr size_t written_bytes_max = 4 * 1024;

} // namespace

decrypted_bytes::decrypted_bytes()
  : x_bytes(std::exchange(spare_buffer(), {})) {
  x_bytes.clear();
}

decrypted_bytes::~decrypted_bytes() {
  if (x_bytes.capacity() <= spare_bytes_max)
    spare_buffer() = std::move(x_bytes);
}

void byte_channel::start_tls(const tls_context& context) {
  x_tls = std::make_unique<tls_stage>(context);
}

result<void> byte_channel::decrypt(std::string_view bytes, std::string& plain) {
  return x_tls->receive(bytes, plain, x_output);
}

std::string& byte_channel::sink() {
  return x_tls ? x_unencrypted : x_output;
}

size_t byte_channel::waiting() const noexcept {
  return x_output.size() - x_written + x_unencrypted.size();
}

void byte_channel::encrypt() {
  if (x_unencrypted.empty() || !is_encrypted())
    return;
  // Fails only after a failure that has ended the connection.
  static_cast<void>(x_tls->send(x_unencrypted, x_output));
  release(x_unencrypted);
}

std::string_view byte_channel::output() {
  encrypt();
  return std::string_view{x_output}.substr(x_written);
}

bool byte_channel::written(size_t n) {
  n = std::min(n, x_output.size() - x_written);
  x_written += n;
  x_written_total += n;
  if (x_written == x_output.size()) {
    release(x_output);
    x_written = 0;
    return true;
  }
  if (x_written > written_bytes_max && x_written >= x_output.size() / 2) {
    x_output = std::string{std::string_view{x_output}.substr(x_written)};
    x_written = 0;
  }
  return false;
}

void byte_channel::close() {
  encrypt();
  if (x_tls)
    x_tls->close(x_output);
  x_tls.reset();
  release(x_unencrypted);
}

sasl_channel byte_channel::channel() const {
  if (!x_tls)
    return {};
  return {true, x_tls->tls_exporter(), x_tls->tls_unique()};
}

sasl_channel byte_channel::lenient_channel() const {
  auto x = channel();
  if (x_tls && x.tls_unique.empty())
    x.tls_unique = x_tls->first_finished();
  return x;
}

std::string byte_channel::transport() const {
  return x_tls ? x_tls->version() : "plain";
}

size_t byte_channel::memory() const noexcept {
  const auto held = [](const std::string& x) {
    return x.capacity() > std::string{}.capacity() ? x.capacity() : 0;
  };
  return held(x_output) + held(x_unencrypted) + (x_tls ? x_tls->memory() : 0);
}

} // namespace parley
