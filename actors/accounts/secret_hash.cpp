#include "actors/accounts/secret_hash.hpp"

#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

namespace parley {

void secret_hash::freed::operator()(EVP_MAC_CTX* x) const noexcept {
  EVP_MAC_CTX_free(x);
}

secret_hash::secret_hash() {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> siphash{
    EVP_MAC_fetch(nullptr, "SIPHASH", nullptr), EVP_MAC_free};
  x_context.reset(siphash ? EVP_MAC_CTX_new(siphash.get()) : nullptr);
  auto octets = sizeof(uint64_t);
  const std::array size{
    OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &octets),
    OSSL_PARAM_construct_end()};
  if (!x_context
    || RAND_bytes(x_key.data(), static_cast<int>(x_key.size())) != 1
    || EVP_MAC_init(x_context.get(), x_key.data(), x_key.size(), size.data())
      != 1)
    throw std::runtime_error("OpenSSL has no randomness or no SipHash");
}

uint64_t secret_hash::operator()(std::string_view text) const noexcept {
  std::array<unsigned char, sizeof(uint64_t)> mac{};
  size_t n = 0;
  EVP_MAC_init(x_context.get(), x_key.data(), x_key.size(), nullptr);
  EVP_MAC_update(x_context.get(),
    reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EVP_MAC_final(x_context.get(), mac.data(), &n, mac.size());
  uint64_t x = 0;
  for (auto octet : mac)
    x = x << 8 | octet;
  return x;
}

} // namespace parley
