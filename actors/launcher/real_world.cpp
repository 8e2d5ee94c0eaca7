#include "actors/launcher/real_world.hpp"

#include <chrono>
#include <stdexcept>

#include <openssl/rand.h>

namespace parley {

wall_time real_world::wall_clock() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(
    std::chrono::system_clock::now());
}

uint64_t real_world::wall_clock_us() {
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch())
      .count());
}

std::string real_world::random_octets(size_t n) {
  std::string x(n, '\0');
  if (RAND_bytes(
        reinterpret_cast<unsigned char*>(x.data()), static_cast<int>(n))
    != 1)
    throw std::runtime_error("OpenSSL has no randomness");
  return x;
}

} // namespace parley
