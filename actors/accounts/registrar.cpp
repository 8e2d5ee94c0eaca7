#include "actors/accounts/registrar.hpp"

#include <utility>

#include "protocol/decoys.hpp"

namespace parley {

namespace {

/// For the audit log.
constexpr const char* who_registers = "registration";

failure taken() {
  return failure{errc::exists, "this name is taken"};
}

/// The error of somebody who was asked.
auto failed(const registrar_state::then& end) {
  return [end](const caf::error&) {
    end(failure{errc::server_stopping, "the server stops"});
  };
}

} // namespace

registrar_state::then registrar_state::unhashed(
  uint64_t ticket, then end) const {
  return [line = with.line, ticket, end = std::move(end)](const failure& why) {
    line->claim(ticket);
    end(why);
  };
}

void registrar_state::make(account_wanted what, then end) {
  std::vector<user_address> name{what.user};
  const auto refuse = unhashed(what.ticket, end);
  self->request(with.reader, caf::infinite, list_atom::value, std::move(name))
    .then(
      [this, what = std::move(what), end, refuse](const accounts_found& x) {
        if (x.why.code != errc::none)
          refuse(x.why);
        else if (!x.what.empty())
          refuse(taken());
        else
          derive(what, end);
      },
      failed(refuse));
}

void registrar_state::derive(account_wanted what, then end) {
  auto password = std::exchange(what.password, {});
  self->request(with.passwords, caf::infinite, std::move(password), what.ticket)
    .then(
      [this, what = std::move(what), end](const keys_derived& x) {
        if (x.why.code != errc::none)
          end(x.why);
        else
          write(what, x.keys, end);
      },
      failed(end));
}

void registrar_state::write(
  const account_wanted& what, scram_keys keys, then end) {
  // Decoys are to look like the new account before there is one.
  with.unknown_users->add(keys);
  operations ops;
  ops.emplace_back(
    put_account{.user = what.user, .keys = keys, .has_to_be_new = true});
  ops.emplace_back(audit_entry{with.world->wall_clock(), who_registers,
    "user add " + what.user.str(), {}, what.source});
  self->request(with.writer, caf::infinite, std::move(ops))
    .then(
      [this, what, end, keys = std::move(keys)](const write_result& x) {
        if (x.why.code == errc::none)
          return announce(what, end);
        with.unknown_users->remove(keys);
        // The operator was faster.
        end(x.why.code == errc::exists ? taken() : x.why);
      },
      failed(end));
}

void registrar_state::announce(const account_wanted& what, then end) {
  const auto& router = with.routers[slot_of(what.user) % with.routers.size()];
  self->request(router, caf::infinite, add_atom::value, std::vector{what.user})
    .then([end](done_atom) { end({}); }, failed(end));
}

registrar_actor::behavior_type registrar(
  pinned_pointer<registrar_actor, registrar_state> self,
  registrar_config with) {
  self->state.with = std::move(with);
  return {
    [self](account_wanted& x, const account_asker& from) {
      auto& st = self->state;
      const auto ticket = x.ticket;
      if (auto why = st.tries.begin(x.user, x.source, self->clock().now())) {
        st.with.line->claim(ticket);
        self->send(from, account_made{ticket, std::move(*why)});
        return;
      }
      const auto user = x.user;
      st.make(std::move(x), [self, from, ticket, user](const failure& why) {
        self->state.tries.end(user);
        self->send(from, account_made{ticket, why});
      });
    },
  };
}

} // namespace parley
