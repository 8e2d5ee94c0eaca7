#include "protocol/client/core.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/evp.h>

#include "protocol/client/core_impl.hpp"
#include "protocol/client/secret_random.hpp"

namespace parley {

namespace {

/// Of a new id; a multiple of three.
constexpr size_t id_octets = 12;

im to_im(const outgoing_im& x) {
  im y;
  y.id.value = x.id;
  y.body = x.body;
  for (auto& p : x.payloads)
    y.payloads.push_back({std::string{p.type}, std::string{p.data}});
  y.receipts = x.receipts;
  return y;
}

} // namespace

client_core::impl::impl(std::shared_ptr<const client_core_config> config,
  client_account account, client_events& events, transport& below,
  uint64_t seed)
  : x_config(std::move(config)),
    x_account(std::move(account)),
    x_events(events),
    x_below(below),
    x_random(seed),
    x_seen(defaults::client_duplicates_max) {}

uint64_t client_core::impl::random() noexcept {
  // SplitMix64 (Steele, Lea, Flood, 2014).
  auto x = x_random += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

message_id client_core::impl::new_id() {
  std::array<unsigned char, id_octets> octets;
  random_octets(octets);
  // Padding and a zero at the end that none of it needs.
  std::array<unsigned char, id_octets / 3 * 4 + 1> text;
  auto n = EVP_EncodeBlock(text.data(), octets.data(), octets.size());
  message_id id{{text.begin(), text.begin() + n}};
  std::ranges::replace(id.value, '+', '-');
  std::ranges::replace(id.value, '/', '_');
  return id;
}

void client_core::impl::send(const outgoing_im& message, request_tag tag) {
  if (is_gone())
    return;
  auto x = make_send(message, tag);
  if (!x) {
    outcome what{outcome::kind::rejected, std::move(x.error())};
    x_events.on_outcome(tag, message.id, message.to, what);
    return;
  }
  x_requests.push(std::move(*x));
  pump();
}

void client_core::impl::broadcast(const outgoing_im& message,
  std::span<const std::string> to, request_tag tag) {
  if (is_gone())
    return;
  pending_request x;
  x.what = pending_request::kind::broadcast;
  x.tag = tag;
  x.list.reset(new pending_request::broadcast_content{
    to_im(message), {to.begin(), to.end()}});
  std::string tried;
  auto fits =
    native::encode_broadcast(tried, {UINT64_MAX}, x.list->message, x.list->to);
  if (!fits) {
    x_events.on_refused(tag, fits.error(), {});
    return;
  }
  auto bytes = message.body.size();
  for (auto& p : message.payloads)
    bytes += p.data.size();
  for (auto& whom : to)
    bytes += whom.size();
  x.bytes = static_cast<uint32_t>(bytes);
  x_requests.push(std::move(x));
  pump();
}

void client_core::impl::set_availability(
  const availability& what, request_tag tag) {
  if (is_gone())
    return;
  if (what.status.size() > defaults::status_max) {
    failure why{errc::bad_request, "the status is too long"};
    why.limit = defaults::status_max;
    why.value = what.status.size();
    x_events.on_refused(tag, why, {});
    return;
  }
  x_account.presence = what;
  pending_request x;
  x.what = pending_request::kind::availability;
  x.tag = tag;
  x.presence = what;
  x_requests.push(std::move(x));
  pump();
}

void client_core::impl::sign_out(leaving how) {
  if (is_gone())
    return;
  pending_request x;
  x.what = pending_request::kind::sign_out;
  if (how == leaving::at_once)
    x_requests.push_next(std::move(x));
  else
    x_requests.push(std::move(x));
  pump();
}

std::vector<open_im> client_core::impl::open_ims() const {
  using kind = pending_request::kind;
  std::vector<open_im> all;
  x_requests.each_unanswered([&all](const pending_request& x) {
    if (x.what == kind::send) {
      all.push_back({x.tag, x.id(), {x.to()}, false});
    } else if (x.what == kind::broadcast) {
      auto& of = *x.list;
      all.push_back(
        {x.tag, of.message.id.value, {of.to.begin(), of.to.end()}, true});
    }
  });
  return all;
}

bool client_core::impl::is_held_back() const noexcept {
  // In a batch the answers are acknowledged at its end.
  return is_ready() && !x_receiving
    && x_config->acknowledge == acknowledging::manual
    && x_position.safe() == x_acknowledged && x_requests.is_stuck();
}

void client_core::impl::typing(std::string_view to) {
  if (!is_ready() || to.size() > defaults::frame_max / 2)
    return;
  native::encode_typing(x_out, to);
  announce();
}

void client_core::impl::set_window(const window& wanted) {
  if (is_ready())
    put(wanted);
}

void client_core::impl::acknowledge(delivery_ticket ticket) {
  x_position.acknowledge(ticket);
  if (!x_receiving && is_ready())
    settle_batch();
}

void client_core::impl::pump() {
  if (!is_ready() || x_come_back_after || x_receiving)
    return;
  while (auto x = x_requests.next())
    emit(*x);
}

void client_core::impl::emit(const request_queue::numbered& x) {
  using kind = pending_request::kind;
  switch (x.what->what) {
  case kind::send:
    append_send(x_out, x.number, *x.what);
    break;
  case kind::broadcast:
    // It could be encoded when it was asked for, so it can now.
    static_cast<void>(native::encode_broadcast(
      x_out, x.number, x.what->list->message, x.what->list->to));
    break;
  case kind::availability:
    put(numbered_request{x.number, parley::set_availability{x.what->presence}});
    break;
  case kind::other:
  case kind::list:
  case kind::follow:
    emit_contacts(x);
    break;
  case kind::sign_out:
    acknowledge_safe();
    x_is_leaving = true;
    put(numbered_request{x.number, parley::sign_out{}});
    break;
  }
  announce();
}

size_t client_core::impl::memory() const noexcept {
  return sizeof(impl) + x_out.capacity() + x_reader.memory()
    + x_position.memory() + x_requests.memory() + x_seen.memory()
    + x_book.memory() + x_present.memory() + x_account.user.capacity()
    + x_account.password.capacity() + x_token.capacity();
}

// -- the facade ---------------------------------------------------------------

client_core::client_core(std::shared_ptr<const client_core_config> config,
  client_account account, client_events& events, transport& below,
  uint64_t seed)
  : x_impl(std::make_unique<impl>(
    std::move(config), std::move(account), events, below, seed)) {}

client_core::~client_core() = default;

void client_core::start(steady_time now) {
  x_impl->start(now);
}

void client_core::connected(sasl_channel channel, steady_time now) {
  x_impl->connected(std::move(channel), now);
}

void client_core::disconnected(failure why, steady_time now) {
  x_impl->disconnected(std::move(why), now);
}

void client_core::receive(std::span<const char> bytes, steady_time now) {
  x_impl->receive({bytes.data(), bytes.size()}, now);
}

void client_core::tick(steady_time now) {
  x_impl->tick(now);
}

std::string_view client_core::output() const noexcept {
  return x_impl->output();
}

void client_core::written(size_t n) {
  x_impl->written(n);
}

void client_core::send(const outgoing_im& message, request_tag tag) {
  x_impl->send(message, tag);
}

void client_core::broadcast(const outgoing_im& message,
  std::span<const std::string> to, request_tag tag) {
  x_impl->broadcast(message, to, tag);
}

void client_core::set_availability(const availability& what, request_tag tag) {
  x_impl->set_availability(what, tag);
}

void client_core::ask(contacts_request what, request_tag tag) {
  x_impl->ask(std::move(what), tag);
}

void client_core::list_contacts(request_tag tag) {
  x_impl->list_contacts(tag);
}

const contact_book& client_core::contacts() const noexcept {
  return x_impl->contacts();
}

void client_core::typing(std::string_view to) {
  x_impl->typing(to);
}

void client_core::mark_read(std::string_view to, std::string_view id,
  std::string_view own_id, request_tag tag) {
  payload_view mark{"read", id};
  outgoing_im message;
  message.id = own_id;
  message.to = to;
  message.payloads = {&mark, 1};
  x_impl->send(message, tag);
}

void client_core::acknowledge(delivery_ticket ticket) {
  x_impl->acknowledge(ticket);
}

void client_core::set_window(const window& wanted) {
  x_impl->set_window(wanted);
}

void client_core::sign_out(leaving how) {
  x_impl->sign_out(how);
}

void client_core::drop_connection() {
  x_impl->drop_connection();
}

bool client_core::is_ready() const noexcept {
  return x_impl->is_ready();
}

bool client_core::is_gone() const noexcept {
  return x_impl->is_gone();
}

bool client_core::is_connected() const noexcept {
  return x_impl->is_connected();
}

size_t client_core::unanswered() const noexcept {
  return x_impl->unanswered();
}

std::vector<open_im> client_core::open_ims() const {
  return x_impl->open_ims();
}

bool client_core::is_held_back() const noexcept {
  return x_impl->is_held_back();
}

const address& client_core::self() const noexcept {
  return x_impl->self();
}

message_id client_core::new_id() {
  return x_impl->new_id();
}

size_t client_core::memory() const noexcept {
  return x_impl->memory();
}

} // namespace parley
