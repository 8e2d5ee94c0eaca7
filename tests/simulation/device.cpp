#include "tests/simulation/device.hpp"

#include <algorithm>
#include <utility>

#include "protocol/defaults.hpp"
#include "tests/simulation/server.hpp"

namespace parley::test {

void device::tell(const std::string& what) {
  x_stage.tale.tell(self().str() + ' ' + what);
}

void device::broke(const char* check, const std::string& what) {
  throw broken(check, self().str() + ": " + what);
}

// -- connecting

void device::come(std::shared_ptr<wire> line, way how) {
  leave();
  x_line = std::move(line);
  x_line->client = this;
  x_way = how;
  x_state = state::greeting;
  x_reader = native::frame_reader{};
  x_magic.clear();
  x_parts.emplace();
  x_sasl.reset();
  x_said_safe.clear();
  x_safe_before.clear();
  x_heartbeat = {};
  x_last_said = x_last_heard = x_stage.now;
  x_line->up.bytes.append(native::magic);
  native::hello hello;
  hello.software = "simulation";
  say(hello);
}

void device::leave() {
  if (x_line)
    x_line->client = nullptr;
  x_line = nullptr;
  x_state = state::away;
}

void device::lost() {
  tell("lost its connection");
  leave();
}

void device::say(const native::client_frame& what) {
  if (!x_line || x_line->broken)
    return;
  x_last_said = x_stage.now;
  if (!native::encode_client(x_line->up.bytes, what))
    broke("frames", "cannot be encoded");
}

void device::tick() {
  if (x_state != state::in || x_heartbeat.count() == 0)
    return;
  if (x_stage.now - x_last_heard >= x_heartbeat * 5 / 2) {
    lost();
    return;
  }
  if (x_stage.now - x_last_said >= x_heartbeat)
    ping();
}

void device::ping() {
  if (is_in())
    say(native::ping{++x_ids});
}

// -- what it asks

void device::put(errand x) {
  x_waiting.push_back(std::move(x));
  pump();
}

void device::pump() {
  while (is_in() && !x_waiting.empty()) {
    bool leaves =
      std::holds_alternative<parley::sign_out>(x_waiting.front().what);
    if (!leaves && x_open.size() + x_answers.size() >= requests.messages)
      return;
    auto number = ++x_last_number;
    auto [i, is_new] = x_open.emplace(number, std::move(x_waiting.front()));
    x_waiting.pop_front();
    for (auto* letter : i->second.letters)
      x_stage.letters.attempted(*letter, x_index << 32 | x_session, number);
    emit(number, i->second);
  }
}

void device::emit(uint64_t number, const errand& x) {
  if (!x_line || x_line->broken)
    return;
  x_last_said = x_stage.now;
  x_safe_before[number] = x_said_safe.size();
  auto* s = std::get_if<send_im>(&x.what);
  auto done = s && !x.to.empty()
    ? native::encode_send(
      x_line->up.bytes, request_number{number}, *s->message, x.to)
    : native::encode_client(
      x_line->up.bytes, numbered_request{request_number{number}, x.what});
  if (!done)
    broke("frames", "a request cannot be encoded");
}

letter& device::send(const std::string& to, const user_address& whom,
  std::string body, bool bare, bool receipts) {
  im x;
  x.id.value = std::string{self().endpoint.str()} + '-'
    + std::to_string(++x_ids) + '@' + std::to_string(x_stage.turn);
  x.body = std::move(body);
  x.receipts = receipts;
  auto& written =
    x_stage.letters.write(x.id, self().user, whom, x.body, bare, receipts);
  put({send_im{shared<im>{std::move(x)}, {}}, to, {&written}});
  return written;
}

void device::send_again(letter& x, bool altered) {
  x.was_altered |= altered;
  im again;
  again.id = x.id;
  again.receipts = x.receipts;
  again.body = altered ? x.body + ", or not" : x.body;
  put({send_im{shared<im>{std::move(again)}, {}}, x.to.str(), {&x}, altered});
}

void device::broadcast_to(
  const std::vector<user_address>& whom, const std::string& body) {
  im x;
  x.id.value = std::string{self().endpoint.str()} + "-to-all-"
    + std::to_string(++x_ids) + '@' + std::to_string(x_stage.turn);
  x.body = body;
  errand e;
  broadcast b;
  for (const auto& w : whom) {
    b.to.push_back(w.str());
    if (!x_stage.letters.find(self().user, x.id, w))
      e.letters.push_back(
        &x_stage.letters.write(x.id, self().user, w, body, true, false));
  }
  b.message = shared<im>{std::move(x)};
  e.what = std::move(b);
  put(std::move(e));
}

void device::ask(request what) {
  put({std::move(what), {}, {}});
}

void device::show_itself(const availability& what) {
  x_presence = what;
  ask(parley::set_availability{what});
}

void device::type_to(const user_address& whom) {
  if (is_in())
    say(numbered_request{{}, typing{{whom, {}}}});
}

void device::set_window(const window& wanted) {
  if (!is_in())
    return;
  x_wanted = wanted;
  say(wanted);
  allow(wanted.messages);
}

void device::allow(uint32_t messages) {
  x_ims_max = std::max(x_ims_max, messages);
}

void device::sign_out() {
  ask(parley::sign_out{});
}

void device::list_contacts() {
  ask(parley::list_contacts{screen.version});
}

void device::acknowledge() {
  if (!is_in() || x_last_event <= x_acknowledged)
    return;
  x_acknowledged = x_last_event;
  while (!x_unsafe.empty() && x_unsafe.begin()->first <= x_acknowledged) {
    auto* letter = x_unsafe.begin()->second;
    x_stage.letters.acknowledged(x_index, *letter);
    x_said_safe.push_back(letter);
    x_unsafe.erase(x_unsafe.begin());
  }
  std::erase_if(x_answers, [this](auto n) { return n <= x_acknowledged; });
  say(native::ack{sequence{x_acknowledged}});
}

// -- bytes

void device::receive(std::string_view bytes) {
  x_last_heard = x_stage.now;
  if (x_magic.size() < native::magic.size()) {
    auto missing = native::magic.size() - x_magic.size();
    x_magic.append(bytes.substr(0, missing));
    bytes.remove_prefix(std::min(missing, bytes.size()));
    if (x_magic.size() < native::magic.size())
      return;
    if (x_magic != native::magic)
      broke("frames", "another magic came");
  }
  x_reader.feed(bytes);
  while (x_line) {
    auto frame = x_reader.next();
    if (!frame)
      broke("frames", frame.error().text);
    if (!*frame)
      break;
    auto what = native::decode_server(**frame);
    if (!what)
      broke("frames", what.error().text);
    take(*what);
  }
  if (prompt)
    acknowledge();
  pump();
}

} // namespace parley::test
