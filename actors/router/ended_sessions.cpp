#include "actors/router/ended_sessions.hpp"

#include <openssl/crypto.h>

namespace parley {

void ended_sessions::add(
  session_id id, const std::string& proof, const user_address& user) {
  if (proof.empty() || x_max == 0
    || !x_sessions.emplace(id, ended{proof, user, {}}).second)
    return;
  x_order.push_back(id);
  if (x_order.size() <= x_max)
    return;
  x_sessions.erase(x_order.front());
  x_order.pop_front();
}

void ended_sessions::set_done(session_id id, uint64_t done) {
  if (auto i = x_sessions.find(id); i != x_sessions.end())
    i->second.done = done;
}

std::optional<uint64_t> ended_sessions::done(
  session_id id, std::string_view proof, const user_address& user) const {
  auto i = x_sessions.find(id);
  if (i == x_sessions.end() || i->second.user != user
    || i->second.proof.size() != proof.size()
    || CRYPTO_memcmp(i->second.proof.data(), proof.data(), proof.size()) != 0)
    return std::nullopt;
  return i->second.done;
}

} // namespace parley
