#include "actors/accounts/password.hpp"

#include "protocol/scram_keys.hpp"

namespace parley {

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
    [iterations](const std::string& text) {
      keys_derived x;
      if (auto keys = derive_keys(text, iterations))
        x.keys = std::move(*keys);
      else
        x.why = keys.error();
      return x;
    },
  };
}

} // namespace parley
