#include "actors/accounts/password.hpp"

#include "protocol/scram_keys.hpp"

namespace parley {

namespace {

keys_derived derive(const std::string& text, uint32_t iterations) {
  keys_derived x;
  if (auto keys = derive_keys(text, iterations))
    x.keys = std::move(*keys);
  else
    x.why = keys.error();
  return x;
}

} // namespace

password_actor::behavior_type password(
  password_actor::stateful_pointer<password_state> self, uint32_t iterations,
  std::shared_ptr<password_line> line) {
  return {
    [self, line](const std::string& text, const scram_keys& keys,
      uint64_t ticket,
      const caf::typed_actor<caf::reacts_to<password_checked>>& gateway) {
      if (line->claim(ticket))
        self->send(
          gateway, password_checked{ticket, password_matches(text, keys)});
    },
    [iterations, line](const std::string& text, uint64_t ticket) {
      if (line->claim(ticket))
        return derive(text, iterations);
      return keys_derived{
        {}, failure{errc::timed_out, "nobody waits for the account"}};
    },
    [iterations](const std::string& text) { return derive(text, iterations); },
  };
}

} // namespace parley
