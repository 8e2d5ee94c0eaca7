#include "tests/client/simulation.hpp"

#include <algorithm>

#include "protocol/defaults.hpp"

namespace parley::test {

test_user::test_user(model_server& server, steady_time& now, std::string user,
  uint64_t seed, acknowledging how, std::string password, bool follows,
  std::string endpoint)
  : core(
    [how, follows] {
      client_core_config x;
      x.software = "test";
      x.acknowledge = how;
      x.follow_contacts = follows;
      return std::make_shared<const client_core_config>(std::move(x));
    }(),
    client_account{
      user + "@example.org", std::move(password), std::move(endpoint), {}},
    *this, *this, seed),
    x_server(server),
    x_now(now),
    x_user(std::move(user)) {}

void test_user::send(std::string_view to, std::string_view body) {
  auto id = x_user + "-" + std::to_string(++sent);
  core.send({id, to, body, {}, false}, {sent});
}

size_t test_user::to_server(size_t n) {
  if (!x_link)
    return 0;
  std::string bytes{core.output().substr(0, n)};
  core.written(bytes.size());
  if (!bytes.empty())
    x_link->receive(bytes, x_now);
  return bytes.size();
}

size_t test_user::to_client(size_t n) {
  if (!x_link)
    return 0;
  auto link = x_link.get();
  std::string bytes{link->output().substr(0, n)};
  link->written(bytes.size());
  if (!bytes.empty())
    core.receive({bytes.data(), bytes.size()}, x_now);
  else if (link->is_over())
    cut();
  return bytes.size();
}

void test_user::cut() {
  if (!x_link)
    return;
  auto link = std::move(x_link);
  if (!link->is_over())
    link->disconnected();
  core.disconnected(failure{errc::none, "cut"}, x_now);
}

void test_user::tick() {
  if (x_connecting) {
    x_connecting = false;
    if (unreachable)
      return core.disconnected(failure{errc::none, "unreachable"}, x_now);
    x_link = std::make_unique<model_server::link>(x_server, x_now);
    core.connected({}, x_now);
  }
  if (x_link)
    x_link->tick(x_now);
  core.tick(x_now);
}

void test_user::connect_wanted() {
  x_connecting = true;
}

void test_user::close_wanted() {
  auto link = std::move(x_link);
  if (link && !link->is_over())
    link->disconnected();
}

void test_user::on_ready(const address& self, bool resumed) {
  readies.emplace_back(self.str(), resumed);
}

void test_user::on_message(const received_im& x) {
  messages.push_back({std::string{x.from}, std::string{x.id},
    std::string{x.body}, x.offline, x.ticket});
}

void test_user::on_outcome(request_tag tag, std::string_view id,
  std::string_view to, const outcome& what) {
  outcomes.push_back({tag.value, std::string{id}, std::string{to}, what});
}

void test_user::on_broadcast(
  request_tag, std::string_view, const std::vector<recipient_outcome>& x) {
  broadcasts.push_back(x);
}

void test_user::on_done(request_tag tag) {
  dones.push_back(tag.value);
}

void test_user::on_refused(
  request_tag, const failure& why, const user_address&) {
  refusals.push_back(why);
}

void test_user::on_receipt(
  std::string_view id, std::string_view, receipt::kind what) {
  receipts.emplace_back(id, what);
}

void test_user::on_typing(std::string_view from) {
  typings.emplace_back(from);
}

void test_user::on_policy(
  const std::vector<std::pair<std::string, std::string>>&) {
  ++policies;
}

void test_user::on_contacts_changed(request_tag, const contacts_changed& x) {
  changes.push_back(x);
}

void test_user::on_contacts(
  std::optional<request_tag> tag, const contact_list& x) {
  lists.emplace_back(tag, x);
}

void test_user::on_subscription(
  const user_address& who, subscription_event what) {
  subscriptions.push_back(who.str() + " " + std::string{to_string(what)});
}

void test_user::on_watching(request_tag, uint64_t seconds) {
  watching.push_back(seconds);
}

void test_user::on_watch_ended(const user_address& whom) {
  watches_ended.push_back(whom.str());
}

void test_user::on_privacy(
  std::optional<request_tag> tag, const privacy& what) {
  privacies.emplace_back(tag, what);
}

void test_user::on_presence(const presence_notice& x) {
  presences.push_back(
    x.from.str() + " " + std::string{parley::to_string(x.what.show)});
}

void test_user::on_presence_reset() {
  presences.push_back("reset");
}

void test_user::on_disconnected(
  const failure& why, std::chrono::milliseconds retry_in) {
  losses.emplace_back(why, retry_in);
}

void test_user::on_gone(const failure& why) {
  ends.push_back(why);
}

// -- simulation ---------------------------------------------------------------

test_user& simulation::add_following(
  const std::string& user, uint64_t seed, const std::string& endpoint) {
  server.add_account(user + "@example.org");
  users.push_back(std::make_unique<test_user>(server, now, user, seed,
    acknowledging::after_callback, "secret", true, endpoint));
  users.back()->start();
  return *users.back();
}

test_user& simulation::add(
  const std::string& user, uint64_t seed, acknowledging how) {
  server.add_account(user + "@example.org");
  users.push_back(std::make_unique<test_user>(server, now, user, seed, how));
  users.back()->start();
  return *users.back();
}

void simulation::settle() {
  for (size_t moved = 1; moved > 0;) {
    moved = 0;
    for (auto& x : users) {
      moved += x->to_server(SIZE_MAX);
      moved += x->to_client(SIZE_MAX);
    }
  }
}

void simulation::wait(std::chrono::milliseconds time) {
  for (auto end = now + time; now < end;) {
    now += defaults::client_sweep_interval;
    for (auto& x : users)
      x->tick();
    settle();
  }
}

} // namespace parley::test
