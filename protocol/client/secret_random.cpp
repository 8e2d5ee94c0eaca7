#include "protocol/client/secret_random.hpp"

#include <stdexcept>

#include <openssl/rand.h>

namespace parley {

void random_octets(std::span<unsigned char> to) {
  if (RAND_bytes(to.data(), static_cast<int>(to.size())) != 1)
    throw std::runtime_error("OpenSSL has no randomness");
}

} // namespace parley
