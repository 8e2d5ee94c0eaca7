#include "protocol/codec.hpp"

namespace parley::native {

namespace {

uint64_t bytes_of(const im& x) noexcept {
  uint64_t n = sizeof(im) + x.id.value.size() + x.body.size();
  for (const auto& p : x.payloads)
    n += sizeof(p) + p.type.size() + p.data.size();
  return n;
}

/// The IM and its claim in one piece of memory.
struct claimed_im {
  im what;
  byte_claim claim;
};

/// Of one that lies elsewhere.
struct claimed_pointer {
  shared<im> what;
  byte_claim claim;
};

} // namespace

shared<im> counted(im&& x, byte_count* in) {
  if (!in)
    return shared<im>{std::move(x)};
  auto bytes = bytes_of(x);
  auto both = std::make_shared<const claimed_im>(
    claimed_im{std::move(x), byte_claim{in, bytes}});
  return shared<im>{std::shared_ptr<const im>{both, &both->what}};
}

shared<im> counted(const shared<im>& x, byte_count* in) {
  if (!in || !x)
    return x;
  auto both = std::make_shared<const claimed_pointer>(
    claimed_pointer{x, byte_claim{in, bytes_of(*x)}});
  return shared<im>{std::shared_ptr<const im>{both, both->what.get()}};
}

} // namespace parley::native
