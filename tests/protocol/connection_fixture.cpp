#include "tests/protocol/connection_fixture.hpp"

#include <algorithm>
#include <stdexcept>

#include "protocol/decoys.hpp"
#include "protocol/defaults.hpp"
#include "tests/protocol/tls_peer.hpp"

namespace parley::test {

const scram_keys& alices_keys() {
  static const auto keys =
    derive_keys(alices_password, defaults::scram_iterations).value();
  return keys;
}

// -- the owner ----------------------------------------------------------------

void fake_owner::note(std::string_view call) {
  if (end)
    throw std::logic_error{"called after closed"};
  calls.emplace_back(call);
  if (hook)
    hook(call);
}

size_t fake_owner::count(std::string_view call) const {
  return static_cast<size_t>(std::ranges::count(calls, call));
}

void fake_owner::find_keys(const user_address& user) {
  asked_for.push_back(user.str());
  note("find_keys");
  if (answers_keys)
    link->keys_found(user.str() == alice ? &alices_keys() : nullptr);
}

void fake_owner::register_wanted(const user_address& user, std::string text) {
  registrations.emplace_back(user.str(), std::move(text));
}

void fake_owner::check_password(const user_address& user, std::string text) {
  asked_for.push_back(user.str());
  note("check_password");
  if (answers_keys)
    link->password_checked(user.str() == alice && text == alices_password);
}

std::chrono::milliseconds fake_owner::authenticated(
  const user_address& user, bool success) {
  proofs.emplace_back(user.str(), success);
  note("authenticated");
  return wait_after_failure;
}

void fake_owner::sign_in_wanted(sign_in what) {
  grant.self = {what.user,
    what.endpoint.empty() ? endpoint_name::from_prepared("made")
                          : what.endpoint};
  wish = std::move(what);
  note("sign_in_wanted");
  if (!answers_session)
    return;
  if (refusal)
    link->refuse(*refusal);
  else
    link->accept(grant);
}

void fake_owner::resume_wanted(resume what) {
  resumption = std::move(what);
  note("resume_wanted");
  if (!answers_session)
    return;
  if (refusal)
    link->refuse(*refusal);
  else
    link->accept(grant);
}

void fake_owner::acknowledged(sequence upto) {
  acks.push_back(upto);
  note("acknowledged");
}

void fake_owner::window_changed(window what) {
  windows.push_back(what);
  note("window_changed");
}

void fake_owner::requests_received(std::vector<numbered_request> what) {
  requests.push_back(std::move(what));
  note("requests_received");
}

void fake_owner::output_ready() {
  note("output_ready");
}

void fake_owner::closed(const failure& why) {
  note("closed");
  end = why;
}

// -- the client ---------------------------------------------------------------

test_client::test_client(std::shared_ptr<tls_client_context> context) {
  if (!context)
    return;
  tls.emplace(*context, "example.org");
  static_cast<void>(tls->receive({}, x_plain_in, x_cipher_out));
}

void test_client::raw(std::string_view bytes) {
  x_plain_out += bytes;
}

void test_client::say(const native::client_frame& what) {
  if (!native::encode_client(x_plain_out, what))
    throw std::logic_error{"cannot be encoded"};
}

void test_client::hello() {
  native::hello x;
  x.software = "test 1.0";
  say(x);
}

void test_client::authenticate(const std::string& mechanism,
  std::string_view user, std::string_view password, std::string endpoint) {
  sasl_channel channel;
  if (tls)
    channel = {true, tls->tls_exporter(), tls->tls_unique()};
  const std::vector<std::string> offered{mechanism};
  sasl = sasl_client::make(offered, channel, user, password).value();
  native::authenticate x;
  x.mechanism = mechanism;
  x.initial = sasl->initial();
  x.endpoint = std::move(endpoint);
  say(x);
}

void test_client::respond() {
  say(native::sasl_response{
    sasl->respond(last<native::sasl_challenge>()->data).value()});
}

std::string test_client::take() {
  if (!tls)
    return std::exchange(x_plain_out, {});
  if (tls->handshake_done() && !x_plain_out.empty()) {
    static_cast<void>(tls->send(x_plain_out, x_cipher_out));
    x_plain_out.clear();
  }
  return std::exchange(x_cipher_out, {});
}

void test_client::receive(std::string_view bytes) {
  received += bytes.size();
  std::string plain;
  if (!tls)
    plain = bytes;
  else if (!tls->receive(bytes, plain, x_cipher_out))
    broken = true;
  std::string_view rest = plain;
  if (!magic_seen) {
    const auto missing = native::magic.size() - x_head.size();
    x_head += rest.substr(0, missing);
    rest.remove_prefix(std::min(missing, rest.size()));
    if (x_head.size() < native::magic.size())
      return;
    magic_seen = x_head == native::magic;
  }
  x_reader.feed(rest);
  while (true) {
    auto frame = x_reader.next();
    if (!frame || !*frame)
      return;
    auto what = native::decode_server(**frame);
    if (!what)
      throw std::logic_error{"the server sent nonsense"};
    frames.push_back(std::move(*what));
  }
}

const native::refusal& test_client::refused() const {
  const auto* x = last<native::refusal>();
  if (!x)
    throw std::logic_error{"nothing was refused"};
  return *x;
}

// -- both ---------------------------------------------------------------------

namespace {

std::shared_ptr<const connection_config> config_of(dialogue::kind k) {
  auto x = std::make_shared<connection_config>();
  x->domain = "example.org";
  x->body_max = 32'768;
  x->broadcast_max = 1'000;
  x->decoys = std::make_shared<decoys>("secret");
  if (k == dialogue::kind::tls)
    x->tls = server_context();
  return x;
}

std::shared_ptr<tls_client_context> trust(dialogue::kind k) {
  if (k == dialogue::kind::plain)
    return nullptr;
  static const auto context = trusting_context();
  return context;
}

} // namespace

dialogue::dialogue(kind k) : client(trust(k)), config(config_of(k)) {
  owner.grant.token = "token";
  owner.grant.requests = {64, 1 << 20};
  owner.grant.ims = {32, 1 << 19};
  owner.grant.heartbeat = std::chrono::seconds{60};
  owner.grant.resume_window = std::chrono::seconds{60};
  server = std::make_unique<connection>(config, owner, "127.0.0.1:5000", now);
  owner.link = server.get();
}

void dialogue::to_server(std::string_view bytes) {
  server->receive({bytes.data(), bytes.size()}, now, wall);
}

void dialogue::to_client() {
  for (auto bytes = server->output(); !bytes.empty();
       bytes = server->output()) {
    client.receive(bytes);
    server->written(bytes.size());
  }
}

void dialogue::pump(size_t piece) {
  to_client();
  for (auto bytes = client.take(); !bytes.empty(); bytes = client.take()) {
    for (std::string_view rest = bytes; !rest.empty();) {
      to_server(rest.substr(0, piece));
      rest.remove_prefix(std::min(piece, rest.size()));
    }
    to_client();
  }
}

void dialogue::wait(std::chrono::milliseconds time) {
  const auto until = now + time;
  while (now < until) {
    now +=
      std::min<steady_time::duration>(defaults::sweep_interval, until - now);
    server->tick(now);
  }
}

std::string send_bytes(
  uint64_t number, const std::string& id, const std::string& body) {
  im x;
  x.id.value = id;
  x.body = body;
  std::string bytes;
  if (!native::encode_send(bytes, {number}, x, "bob@example.org"))
    throw std::logic_error{"cannot be encoded"};
  return bytes;
}

event incoming(const std::string& id, const std::string& body) {
  im x;
  x.id.value = id;
  x.from = address::parse("bob@example.org/phone").value();
  x.body = body;
  return incoming_im{
    shared<im>{std::move(x)}, address::parse("alice@example.org").value()};
}

void finish_exchange(dialogue& d, size_t piece) {
  d.pump(piece);
  size_t answered = 0;
  while (true) {
    const auto challenges = static_cast<size_t>(
      std::ranges::count_if(d.client.frames, [](const auto& x) {
        return std::holds_alternative<native::sasl_challenge>(x);
      }));
    if (challenges <= answered
      || !std::holds_alternative<native::sasl_challenge>(
        d.client.frames.back()))
      return;
    answered = challenges;
    d.client.respond();
    d.pump(piece);
  }
}

void dialogue::sign_in(const std::string& mechanism) {
  client.magic();
  client.hello();
  pump();
  client.authenticate(mechanism, alice, alices_password);
  finish_exchange(*this);
  if (!server->in_session())
    throw std::logic_error{"not signed in"};
}

} // namespace parley::test
