#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace parley {

/// Over the retry ids on disk: says of most others, without asking the disk,
/// that they are not there. Bloom filters of doubling size, each with 16 bits
/// and 8 probes an id: about one false hit in a thousand. Nothing can be taken
/// out; it is made anew at each start and when `im.retry_memory` has let go of
/// many.
class id_filter {
public:
  void insert(uint64_t retry_hash);
  bool may_contain(uint64_t retry_hash) const noexcept;
  size_t size() const noexcept { return x_size; }
  auto fields() { return std::tie(x_stages, x_size); }

private:
  struct stage {
    std::vector<uint64_t> bits;
    uint64_t capacity = 0;
    uint64_t used = 0;
    auto fields() { return std::tie(bits, capacity, used); }
  };

  std::vector<stage> x_stages;
  uint64_t x_size = 0;
};

} // namespace parley
