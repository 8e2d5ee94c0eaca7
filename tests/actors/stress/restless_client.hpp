#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "protocol/client/client.hpp"

namespace parley::test {

/// What all of them did and saw.
struct doings {
  using count = std::atomic<uint64_t>;

  count sent = 0;
  count outcomes = 0;
  /// Of an IM that had one already, or that nobody sent.
  count outcomes_too_many = 0;
  count messages = 0;
  count sign_ins = 0;
  count resumes = 0;
  count losses = 0;
};

/// A client that does now this, now that: sends, hides, watches, loses its
/// connection, signs out and comes again.
class restless_client final : public client_events {
public:
  restless_client(client_loop& loop,
    std::shared_ptr<const client_target> target, client_account account,
    std::vector<std::string> others, uint64_t seed, doings& all);

  /// Something drawn at random.
  void act();

  void on_ready(const address& self, bool resumed) override;
  void on_message(const received_im& message) override;
  void on_outcome(request_tag tag, std::string_view id, std::string_view to,
    const outcome& what) override;
  void on_disconnected(
    const failure& why, std::chrono::milliseconds retry) override;
  void on_gone(const failure& why) override;

private:
  void come();
  const std::string& somebody();
  void send();
  void broadcast();
  void ask_of_contacts();

  client_loop& x_loop;
  std::shared_ptr<const client_target> x_target;
  client_account x_account;
  std::vector<std::string> x_others;
  std::mt19937_64 x_random;
  doings& x_all;
  std::unique_ptr<client> x_client;
  bool x_is_gone = false;
  /// How many outcomes each IM had.
  std::map<std::string, int, std::less<>> x_sent;
};

} // namespace parley::test
