#include "tests/actors/routing/two_shards.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace parley::test {

namespace {

const std::string domain = "@example.org";

address address_of(const std::string& text) {
  auto at = text.find('@');
  auto parsed = address::parse(at == std::string::npos ? text + domain : text);
  return parsed ? *parsed : address{};
}

shared<im> make_im(const two_shards::sending& x, const address& from) {
  im y;
  y.id.value = x.id;
  y.from = from;
  y.body = x.body.empty() ? x.id : x.body;
  y.receipts = x.receipts;
  return shared<im>{std::move(y)};
}

std::string text_of(const outcome& x) {
  return std::string{x.what == outcome::kind::rejected ? to_string(x.why.code)
                                                       : to_string(x.what)};
}

} // namespace

struct two_shards::shard final : routing::effects {
  shard(two_shards& w, size_t i, size_t n)
    : world(w),
      index(i),
      rules(*this, [i, n](uint32_t slot) { return slot % n == i; }) {}

  template <class T>
  void pass_on(uint32_t slot, T what, const char* name) {
    auto to = slot % world.x_shards.size();
    BOOST_REQUIRE(to != index);
    world.said.emplace_back(name);
    constexpr bool is_outcome = std::is_same_v<T, routed_outcome>;
    world.x_outcomes += is_outcome;
    world.x_between[{index, to}].push_back(
      [this, to, what = std::move(what)]() mutable {
        auto& there = world.x_shards[to]->rules;
        world.x_outcomes -= is_outcome;
        if constexpr (std::is_same_v<T, routed_receipt>)
          there.receive(what);
        else
          there.receive(std::move(what), world.now());
      });
  }

  void note_copy(session_id to, const incoming_im& what) {
    if (what.copied != incoming_im::copy::none)
      world.copies.push_back(std::to_string(to.value)
        + (what.copied == incoming_im::copy::sent ? " sent " : " received ")
        + what.message->body);
  }
  void hand_out(session_id to, delivery what) override {
    note_copy(to, what.what);
    world.x_sessions.at(to).got.push_back(std::move(what));
  }
  void tell(session_id to, event what) override {
    auto& s = world.x_sessions.at(to);
    if (auto* a = std::get_if<answer>(&what))
      s.answers.push_back(std::move(*a));
    else if (auto* r = std::get_if<receipt>(&what))
      world.receipts.push_back(std::string{to_string(r->what)} + ' '
        + r->id.value + ' ' + r->endpoint.str());
    else if (auto* t = std::get_if<typing_notice>(&what))
      world.typings.push_back(t->from.str());
    else if (auto* i = std::get_if<incoming_im>(&what))
      note_copy(to, *i);
    else if (auto* p = std::get_if<passed_on>(&what))
      world.passed.push_back(std::to_string(to.value) + ' ' + p->message->body
        + (p->returned ? " returned" : ""));
  }
  void probe(session_id) override {}
  void forward(uint32_t slot, routed_im what) override {
    pass_on(slot, std::move(what), "im");
  }
  void forward(uint32_t slot, routed_outcome what) override {
    pass_on(slot, std::move(what), "outcome");
  }
  void forward(uint32_t slot, routed_choice what) override {
    pass_on(slot, std::move(what), "choice");
  }
  void forward(uint32_t slot, routed_receipt what) override {
    pass_on(slot, std::move(what), "receipt");
  }
  void forward(uint32_t slot, routed_typing what) override {
    pass_on(slot, std::move(what), "typing");
  }
  void forward(uint32_t slot, routed_pass what) override {
    pass_on(slot, std::move(what), "pass");
  }
  void write(store_operation what) override {
    world.write(index, std::move(what));
  }
  void find_head(const user_address& of) override {
    ++world.heads_asked;
    world.x_reads.push_back([this, of] {
      auto& d = world.x_disk[of];
      user_head head{d.exists, true, d.ims.size(), d.last};
      head.removed_at = d.removed_at;
      rules.head_found(of,
        world.reads_fail ? result<user_head>{fail(errc::store_unavailable)}
                         : head,
        world.now());
    });
  }
  void read_page(const user_address& of, session_id for_whom, im_order from,
    size_t max) override {
    world.x_reads.push_back([this, of, for_whom, from, max] {
      std::vector<stored_im> page;
      auto& d = world.x_disk[of].ims;
      for (auto i = d.lower_bound(from); i != d.end() && page.size() < max; ++i)
        page.push_back(i->second.what);
      bool complete = page.size() < max;
      if (world.reads_fail)
        rules.page_found(of, for_whom, from, fail(errc::store_unavailable),
          false, world.now());
      else
        rules.page_found(
          of, for_whom, from, std::move(page), complete, world.now());
    });
  }
  void find_id(const retry_key& key, uint64_t ticket) override {
    ++world.ids_asked;
    world.x_reads.push_back([this, key, ticket] {
      std::optional<stored_id> found;
      if (auto i = world.x_ids.find(key); i != world.x_ids.end())
        found = i->second;
      rules.id_found(ticket,
        world.reads_fail
          ? result<std::optional<stored_id>>{fail(errc::store_corrupt)}
          : found,
        world.now());
      size_t room = world.lines_room.value_or(SIZE_MAX);
      rules.pass_lines(room, world.now());
    });
  }

  two_shards& world;
  size_t index;
  routing rules;
};

two_shards::two_shards(size_t n) {
  for (size_t i = 0; i < n; ++i)
    x_shards.push_back(std::make_unique<shard>(*this, i, n));
}

two_shards::~two_shards() = default;

std::string two_shards::name_on(size_t shard, size_t n) {
  for (size_t i = 0;; ++i) {
    auto name = "u" + std::to_string(i);
    if (slot_of(user(name)) % 2 == shard && n-- == 0)
      return name;
  }
}

user_address two_shards::user(const std::string& name) {
  return user_address::from_prepared(name + domain);
}

routing& two_shards::at(size_t i) {
  return x_shards.at(i)->rules;
}

routing& two_shards::shard_of(const std::string& name) {
  return at(slot_of(user(name)) % x_shards.size());
}

void two_shards::make_account(const std::string& name) {
  x_disk[user(name)].exists = true;
  shard_of(name).account_added(user(name));
}

void two_shards::remove_account(const std::string& name) {
  for (auto s : shard_of(name).remove_account(user(name), {}, now()))
    leave(s);
}

session_id two_shards::sign_in(const std::string& name,
  const std::string& endpoint, availability what, window granted) {
  session_id id{x_next_session++};
  auto& s = x_sessions[id];
  s.shard = slot_of(user(name)) % x_shards.size();
  s.self = {user(name), endpoint_name::from_prepared(endpoint)};
  auto& shard = shard_of(name);
  shard.with_user(user(name), [=, &shard, this](result<bool> exists) {
    if (exists && *exists)
      shard.join(user(name), id, endpoint_name::from_prepared(endpoint), what,
        granted, now());
  });
  settle();
  return id;
}

void two_shards::leave(session_id s) {
  at(x_sessions[s].shard).leave(s, now());
}

void two_shards::suspend(session_id s) {
  at(x_sessions[s].shard).suspend(s, now());
}

void two_shards::resume(session_id s) {
  at(x_sessions[s].shard).resume(s, {100, 1'000'000}, now());
}

uint64_t two_shards::send(session_id from, sending what) {
  auto& s = x_sessions.at(from);
  auto n = ++s.last_request;
  send_im x{
    make_im(what, s.self), address_of(what.to), what.strict, what.copies};
  s.sent[n] = x;
  at(s.shard).submit(from, request_number{n}, x, now());
  return n;
}

uint64_t two_shards::broadcast_to(session_id from, std::string id,
  std::vector<std::string> to, std::string body) {
  auto& s = x_sessions.at(from);
  auto n = ++s.last_request;
  for (auto& t : to)
    if (t.find('@') == std::string::npos)
      t += domain;
  size_t room = SIZE_MAX;
  at(s.shard).submit(from, request_number{n},
    broadcast{make_im({id, {}, body}, s.self), std::move(to)}, room, now());
  return n;
}

void two_shards::pass_on_to(session_id from, const std::string& to,
  std::string body, reach how, bool returns, directed what) {
  auto& s = x_sessions.at(from);
  at(s.shard).pass(from,
    pass_on{make_im({body, {}, body}, s.self), address_of(to), how, returns,
      false, what},
    now());
}

void two_shards::acknowledge(session_id id, size_t how_many) {
  auto& s = x_sessions.at(id);
  auto upto =
    s.acknowledged + std::min(how_many, s.got.size() - s.acknowledged);
  std::vector<acknowledged_im> xs;
  for (; s.acknowledged < upto; ++s.acknowledged)
    xs.push_back(
      {s.got[s.acknowledged].order, s.got[s.acknowledged].what.message});
  at(s.shard).acknowledge(id, s.self.user, xs, now());
}

void two_shards::sweep() {
  for (auto& s : x_shards)
    s->rules.sweep(now());
}

void two_shards::write(size_t shard, store_operation what) {
  x_writes.push_back([this, shard, what = std::move(what)] {
    failure why;
    if (writes_fail)
      why.code = errc::store_failed;
    else
      carry_out(what);
    at(shard).written(what, why, now());
  });
}

void two_shards::carry_out(const store_operation& what) {
  if (auto* p = std::get_if<put_im>(&what)) {
    auto& d = x_disk[p->what.recipient];
    d.last = std::max(d.last, p->what.order);
    d.ims[p->what.order] = *p;
    const auto& m = *p->what.message;
    x_ids[{m.from.user, m.id, p->what.recipient}] = {p->content_hash, {}};
    ids_on_disk.insert(m.id.value);
  } else if (auto* r = std::get_if<remove_im>(&what)) {
    x_disk[r->recipient].ims.erase(r->order);
  } else if (auto* a = std::get_if<parley::remove_account>(&what)) {
    auto& d = x_disk[a->user];
    d = {false, d.exists ? a->at_us : d.removed_at, {}, {}};
    std::erase_if(
      x_ids, [a](const auto& kv) { return kv.first.sender == a->user; });
  }
}

bool two_shards::step(std::mt19937_64& random) {
  std::vector<std::deque<task>*> queues;
  for (auto& [pair, q] : x_between)
    if (!q.empty())
      queues.push_back(&q);
  for (auto* q : {&x_writes, &x_reads})
    if (!q->empty())
      queues.push_back(q);
  if (queues.empty())
    return false;
  auto& q = *queues[random() % queues.size()];
  if (&q == &x_reads) // a few readers: in any order
    std::swap(q.front(), q[random() % q.size()]);
  auto t = std::move(q.front());
  q.pop_front();
  t();
  return true;
}

bool two_shards::deliver_between() {
  bool any = false;
  for (auto& [pair, q] : x_between)
    for (auto n = q.size(); n > 0; --n) {
      auto t = std::move(q.front());
      q.pop_front();
      t();
      any = true;
    }
  return any;
}

bool two_shards::store_step() {
  for (auto* q : {&x_writes, &x_reads})
    if (!q->empty()) {
      auto t = std::move(q->front());
      q->pop_front();
      t();
      return true;
    }
  return false;
}

void two_shards::settle() {
  for (int i = 0; deliver_between() || store_step(); ++i)
    BOOST_REQUIRE_MESSAGE(i < 100'000, "it never comes to rest");
}

void two_shards::set_policy(std::function<void(policy&)> change) {
  change(rules);
  for (auto& s : x_shards)
    s->rules.set_policy(rules);
}

const answer* two_shards::answer_of(session_id s, uint64_t number) const {
  for (const auto& a : x_sessions.at(s).answers)
    if (a.to.value == number)
      return &a;
  return nullptr;
}

std::string two_shards::outcome_of(session_id s, uint64_t number) const {
  std::string text;
  for (const auto& a : x_sessions.at(s).answers) {
    if (a.to.value != number)
      continue;
    if (!text.empty())
      text += ',';
    if (auto* o = std::get_if<outcome>(&a.what))
      text += text_of(*o);
    else if (auto* f = std::get_if<failure>(&a.what))
      text += to_string(f->code);
    else
      text += "done";
  }
  return text;
}

std::string two_shards::broadcast_of(session_id s, uint64_t number) const {
  auto* a = answer_of(s, number);
  auto* b = a ? std::get_if<broadcast_outcomes>(&a->what) : nullptr;
  std::string text;
  if (b)
    for (const auto& x : b->outcomes)
      text += (text.empty() ? "" : ", ") + x.to.substr(0, x.to.find(domain))
        + ": " + text_of(x.what);
  return text;
}

texts two_shards::got(session_id s) const {
  texts xs;
  for (const auto& d : x_sessions.at(s).got)
    xs.push_back(d.what.message->body);
  return xs;
}

size_t two_shards::acknowledged(session_id s) const {
  return x_sessions.at(s).acknowledged;
}

uint64_t two_shards::on_disk(const std::string& name) const {
  auto i = x_disk.find(user(name));
  return i == x_disk.end() ? 0 : i->second.ims.size();
}

moment two_shards::now() const {
  return {std::chrono::steady_clock::time_point{steady},
    1'700'000'000'000'000
      + static_cast<uint64_t>(std::chrono::microseconds{steady}.count())};
}

} // namespace parley::test
