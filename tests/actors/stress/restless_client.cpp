#include "tests/actors/stress/restless_client.hpp"

namespace parley::test {

restless_client::restless_client(client_loop& loop,
  std::shared_ptr<const client_target> target, client_account account,
  std::vector<std::string> others, uint64_t seed, doings& all)
  : x_loop(loop),
    x_target(std::move(target)),
    x_account(std::move(account)),
    x_others(std::move(others)),
    x_random(seed),
    x_all(all) {
  come();
}

void restless_client::come() {
  // Whoever comes anew has lost sight of what it sent before.
  x_sent.clear();
  x_is_gone = false;
  x_client =
    std::make_unique<client>(x_loop, x_target, x_account, *this, x_random());
  x_client->start();
}

const std::string& restless_client::somebody() {
  return x_others[x_random() % x_others.size()];
}

void restless_client::send() {
  auto id = (*x_client)->new_id();
  const std::string body(x_random() % 2'000 + 1, 'x');
  outgoing_im x;
  x.id = id.value;
  x.to = somebody();
  x.body = body;
  x.receipts = x_random() % 4 == 0;
  ++x_all.sent;
  x_sent.emplace(id.value, 0);
  (*x_client)->send(x);
}

void restless_client::broadcast() {
  auto id = (*x_client)->new_id();
  outgoing_im x;
  x.id = id.value;
  x.body = "to all";
  auto to = x_others;
  for (int n = 0; n < 300; ++n)
    to.push_back("absent" + std::to_string(n) + "@example.org");
  (*x_client)->broadcast(x, to);
}

void restless_client::ask_of_contacts() {
  auto whom = somebody();
  auto user = user_address::parse(whom);
  auto& core = x_client->core();
  switch (x_random() % 6) {
  case 0: {
    add_contacts x;
    x.contacts.emplace_back().address = whom;
    core.ask(std::move(x));
    break;
  }
  case 1:
    core.list_contacts();
    break;
  case 2:
    core.ask(subscribe{*user});
    break;
  case 3:
    core.ask(unsubscribe{*user});
    break;
  case 4:
    core.ask(watch{*user, 2});
    break;
  default:
    core.ask(set_privacy{});
  }
}

void restless_client::act() {
  if (x_is_gone) {
    x_client.reset();
    come();
    return;
  }
  auto& core = x_client->core();
  if (core.unanswered() > 40)
    return;
  switch (x_random() % 40) {
  case 0:
    core.drop_connection();
    break;
  case 1:
    core.sign_out();
    break;
  case 2:
    core.set_availability(
      {x_random() % 2 ? show::away : show::available, "busy", 0});
    break;
  case 3:
    broadcast();
    break;
  case 4:
    core.set_window({static_cast<uint32_t>(x_random() % 20), 100'000});
    break;
  case 5:
    // Without a word.
    x_client.reset();
    come();
    break;
  case 6:
  case 7:
  case 8:
    ask_of_contacts();
    break;
  case 9:
    core.typing(somebody());
    break;
  default:
    send();
  }
}

void restless_client::on_ready(const address&, bool resumed) {
  ++(resumed ? x_all.resumes : x_all.sign_ins);
}

void restless_client::on_message(const received_im&) {
  ++x_all.messages;
}

void restless_client::on_outcome(
  request_tag, std::string_view id, std::string_view, const outcome&) {
  ++x_all.outcomes;
  auto i = x_sent.find(id);
  if (i == x_sent.end() || ++i->second > 1)
    ++x_all.outcomes_too_many;
}

void restless_client::on_disconnected(
  const failure&, std::chrono::milliseconds) {
  ++x_all.losses;
}

void restless_client::on_gone(const failure&) {
  x_is_gone = true;
}

} // namespace parley::test
