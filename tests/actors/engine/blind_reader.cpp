#include "tests/actors/engine/blind_reader.hpp"

#include "actors/types.hpp"

namespace parley::test {

store_reader_actor::behavior_type blind_reader(store_reader_actor::pointer self,
  store_reader_actor reader, std::shared_ptr<const bool> is_blind) {
  auto pass = [self, reader](auto&&... xs) { self->send(reader, xs...); };
  return {
    [pass, self, is_blind](const user_address& of, const roster_actor& who) {
      if (*is_blind)
        self->send(who, roster_found{{}, failure{errc::store_corrupt}});
      else
        pass(of, who);
    },
    [pass](const user_address& of, const router_actor& who) { pass(of, who); },
    [pass](const user_address& of, session_id session, im_order from,
      uint64_t max,
      const router_actor& who) { pass(of, session, from, max, who); },
    [pass](const retry_key& key, uint64_t ticket, const router_actor& who) {
      pass(key, ticket, who);
    },
    [pass](const user_address& of, uint64_t ticket, const gateway_ref& who) {
      pass(of, ticket, who);
    },
    [pass](
      const documents_wanted& x, const router_actor& who) { pass(x, who); },
    [pass](
      const documents_followed& x, const router_actor& who) { pass(x, who); },
    [self, reader](count_atom a, const user_address& of) {
      return self->delegate(reader, a, of);
    },
    [self, reader](list_atom a, const std::vector<user_address>& whom) {
      return self->delegate(reader, a, whom);
    },
    [self, reader](audit_atom a, uint64_t lines) {
      return self->delegate(reader, a, lines);
    },
  };
}

} // namespace parley::test
