#include <cerrno>
#include <cstdio>
#include <unordered_map>

#include <unistd.h>

#include "actors/launcher/chat_defaults.hpp"
#include "actors/launcher/chat_front.hpp"
#include "actors/launcher/chat_input.hpp"
#include "actors/launcher/chat_json.hpp"
#include "protocol/client/recent_ids.hpp"

namespace parley::chat {

namespace {

class script : public front {
public:
  script(const options& x, std::shared_ptr<const client_target> target)
    : front(x, std::move(target)),
      x_input(io(), STDIN_FILENO, [this] { read(); }),
      x_buffer(defaults::client_read_bytes) {}

private:
  enum class asked : uint8_t {
    broadcast,
    presence,
    read,
    add,
    remove,
    subscribe,
    list,
    other
  };

  /// A request whose answer does not carry what its line is to say.
  struct open_request {
    asked what;
    std::string id;
    /// Contacts to be added or removed, as they were written, or who is
    /// to be watched or approved.
    std::vector<std::string> addresses = {};
  };

  // -- input ------------------------------------------------------------------

  void begin() override { x_input.next(); }

  void read() {
    if (is_quitting())
      return;
    auto n = ::read(STDIN_FILENO, x_buffer.data(), x_buffer.size());
    if (n < 0 && errno == EINTR)
      return x_input.next();
    if (n <= 0) {
      if (auto last = x_lines.rest(); !last.empty())
        take(last);
      return quit();
    }
    for (auto& line : x_lines.feed({x_buffer.data(), static_cast<size_t>(n)}))
      take(line);
    read_on();
  }

  void read_on() {
    x_paused = core().unanswered() >= defaults::chat_unanswered_max;
    if (!x_paused && !is_quitting())
      x_input.next();
  }

  void take(std::string_view line) {
    if (is_quitting() || line.find_first_not_of(" \t\r") == line.npos)
      return;
    auto x = parse_request(line);
    if (!x)
      return print(error_line(x.error()));
    std::visit([&](auto& what) { perform(x->id, what); }, x->what);
  }

  request_tag open(
    asked what, std::string id, std::vector<std::string> addresses = {}) {
    x_changing += changes_contacts(what);
    x_open.emplace(
      ++x_tags, open_request{what, std::move(id), std::move(addresses)});
    return {x_tags};
  }

  void perform(std::string& id, const send_line& x) {
    if (id.empty())
      id = core().new_id().value;
    if (x.receipts)
      x_wants_receipts.insert(x_wants_receipts.fingerprint({}, id));
    core().send({id, x.to, x.body, {}, x.receipts});
  }

  void perform(std::string& id, const broadcast_line& x) {
    if (id.empty())
      id = core().new_id().value;
    if (x.receipts)
      x_wants_receipts.insert(x_wants_receipts.fingerprint({}, id));
    core().broadcast(
      {id, {}, x.body, {}, x.receipts}, x.to, open(asked::broadcast, id));
  }

  void perform(const std::string& id, const presence_line& x) {
    core().set_availability(x.what, open(asked::presence, id));
  }

  void perform(const std::string&, const typing_line& x) {
    core().typing(x.to);
  }

  void perform(const std::string&, const read_line& x) {
    core().mark_read(
      x.from, x.message, core().new_id().value, open(asked::read, x.message));
  }

  void perform(const std::string& id, const contacts_line& x) {
    auto kind = asked::other;
    std::vector<std::string> addresses;
    if (auto add = std::get_if<add_contacts>(&x.what)) {
      kind = asked::add;
      for (auto& one : add->contacts)
        addresses.push_back(one.address);
    } else if (auto remove = std::get_if<remove_contacts>(&x.what)) {
      kind = asked::remove;
      addresses = remove->addresses;
    } else if (std::holds_alternative<subscribe>(x.what)) {
      kind = asked::subscribe;
    } else if (auto watching = std::get_if<watch>(&x.what)) {
      addresses.push_back(watching->whom.str());
    } else if (auto approved = std::get_if<approve>(&x.what)) {
      addresses.push_back(approved->from.str());
    }
    core().ask(x.what, open(kind, id, std::move(addresses)));
  }

  void perform(const std::string& id, const list_line&) {
    core().list_contacts(open(asked::list, id));
  }

  void perform(const std::string&, const quit_line&) { quit(); }

  // -- output -----------------------------------------------------------------

  /// Flushed at once. If nobody reads any more, nothing of this turn is
  /// acknowledged.
  void print(const std::string& line) {
    if (std::fwrite(line.data(), 1, line.size(), stdout) == line.size()
      && std::fflush(stdout) == 0)
      return;
    core().drop_connection();
    abandon(1);
  }

  std::optional<open_request> close(request_tag tag) {
    auto i = x_open.find(tag.value);
    if (i == x_open.end())
      return std::nullopt;
    auto x = std::move(i->second);
    x_open.erase(i);
    x_changing -= changes_contacts(x.what);
    return x;
  }

  /// Its answer, and what is told of the same change, come in any order.
  static bool changes_contacts(asked what) {
    return what == asked::add || what == asked::remove
      || what == asked::subscribe;
  }

  /// After each answer.
  void settled() {
    if (x_changing == 0)
      for (auto& line : std::exchange(x_changes, {}))
        print(line);
    answer_came();
    if (x_paused && core().unanswered() < defaults::chat_unanswered_max / 2)
      read_on();
  }

  void show_ready(const address& self, bool resumed) override {
    print(ready_line(self.str(), resumed));
  }

  void show_disconnected(
    const failure& why, std::chrono::milliseconds retry_in) override {
    // The first line is `ready`, or the error that ends it all.
    if (has_begun())
      print(disconnected_line(why, retry_in));
  }

  void show_open(const open_im& x) override {
    if (x.is_broadcast)
      print(unknown_broadcast_line(x.id, x.to));
    // Else it is a read marker, of which nothing but an error is told.
    else if (!x_open.contains(x.tag.value))
      print(unknown_outcome_line(x.id, x.to.front()));
  }

  void show_failure(const failure& why) override {
    print(error_line(std::string_view{}, why));
  }

  void on_message(const received_im& x) override {
    if (!x.is_read_marker())
      print(message_line(x));
    else if (wants_receipts(x.payloads.front().data))
      print(receipt_line(x.payloads.front().data, x.from, receipt::kind::read));
  }

  bool wants_receipts(std::string_view id) const {
    return x_wants_receipts.contains(x_wants_receipts.fingerprint({}, id));
  }

  void on_outcome(request_tag tag, std::string_view id, std::string_view to,
    const outcome& what) override {
    auto mark = close(tag);
    if (!mark)
      print(outcome_line(id, to, what));
    else if (what.what == outcome::kind::rejected)
      print(error_line(mark->id, what.why));
    settled();
  }

  void on_broadcast(request_tag tag, std::string_view id,
    const std::vector<recipient_outcome>& outcomes) override {
    close(tag);
    print(broadcast_line_of(id, outcomes));
    settled();
  }

  void on_done(request_tag tag) override {
    // Only who gave an id waits for an answer.
    if (auto x = close(tag); x && !x->id.empty())
      print(done_line(x->id));
    settled();
  }

  void on_refused(
    request_tag tag, const failure& why, const user_address& whose) override {
    auto x = close(tag).value_or(open_request{asked::other, {}});
    auto about = x.addresses.size() == 1 ? x.addresses.front() : std::string{};
    print(whose.empty() ? error_line(x.id, why, about)
                        : refused_contact_line(x.id, {about, why, whose}));
    settled();
  }

  void on_contacts_changed(
    request_tag tag, const contacts_changed& what) override {
    auto x = close(tag).value_or(open_request{asked::subscribe, {}});
    if (x.what == asked::add)
      print(contacts_changed_line(x.id, "added", x.addresses, what));
    else if (x.what == asked::remove)
      print(contacts_changed_line(x.id, "removed", x.addresses, what));
    else if (!what.refused.empty())
      print(refused_contact_line(x.id, what.refused.front()));
    else if (!x.id.empty())
      print(done_line(x.id));
    settled();
  }

  void on_contacts(
    std::optional<request_tag> tag, const contact_list& what) override {
    // The first list is asked for by the library, not by the script.
    auto first = !std::exchange(x_has_contacts, true);
    if (tag) {
      auto x = close(*tag);
      print(contacts_list_line(x ? x->id : std::string{}, core().contacts()));
    } else if (!first
      && (what.since.value == 0 || !what.contacts.empty()
        || !what.removed.empty())) {
      // Scripts read the answer first.
      x_changes.push_back(contacts_push_line(what));
    }
    settled();
  }

  void on_subscription(
    const user_address& who, subscription_event what) override {
    print(subscription_line(who, what));
  }

  void on_watching(request_tag tag, uint64_t seconds) override {
    if (auto x = close(tag); x && !x->id.empty())
      print(watch_granted_line(x->id, seconds));
    settled();
  }

  void on_watch_ended(const user_address& whom) override {
    print(watch_ended_line(whom));
  }

  void on_privacy(
    std::optional<request_tag> tag, const privacy& what) override {
    auto x = tag ? close(*tag) : std::nullopt;
    print(privacy_line(x ? x->id : std::string{}, what));
    settled();
  }

  void on_presence(const presence_notice& what) override {
    print(presence_line_of(what));
  }

  void on_receipt(std::string_view id, std::string_view endpoint,
    receipt::kind what) override {
    print(receipt_line(id, endpoint, what));
  }

  void on_typing(std::string_view from) override {
    print(typing_line_of(from));
  }

  void on_policy(
    const std::vector<std::pair<std::string, std::string>>& x) override {
    print(policy_line(x));
  }

  void on_error(const failure& why) override {
    print(error_line(std::string_view{}, why));
  }

  readable_watch x_input;
  std::vector<char> x_buffer;
  line_splitter x_lines;
  bool x_paused = false;
  /// The contact list has come.
  bool x_has_contacts = false;
  /// Requests under way that change the contact list, and changes that wait to
  /// be printed behind their answers.
  size_t x_changing = 0;
  std::vector<std::string> x_changes;
  uint64_t x_tags = 0;
  std::unordered_map<uint64_t, open_request> x_open;
  /// The last IMs that asked for receipts.
  recent_ids x_wants_receipts{defaults::client_duplicates_max};
};

} // namespace

std::unique_ptr<front> make_script(
  const options& x, std::shared_ptr<const client_target> target) {
  return std::make_unique<script>(x, std::move(target));
}

} // namespace parley::chat
