#include <cerrno>
#include <cstdio>
#include <unordered_map>

#include <unistd.h>

#include "actors/launcher/chat_front.hpp"
#include "actors/launcher/chat_input.hpp"
#include "actors/launcher/chat_json.hpp"
#include "protocol/client/recent_ids.hpp"
#include "protocol/defaults.hpp"

namespace parley::chat {

namespace {

class script : public front {
public:
  script(const options& x, std::shared_ptr<const client_target> target)
    : front(x, std::move(target)),
      x_input(io(), STDIN_FILENO, [this] { read(); }),
      x_buffer(defaults::client_read_bytes) {}

private:
  enum class asked : uint8_t { broadcast, presence, read };

  /// A request whose answer does not carry what its line is to say.
  struct open_request {
    asked what;
    std::string id;
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

  request_tag open(asked what, std::string id) {
    x_open.emplace(++x_tags, open_request{what, std::move(id)});
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
    return x;
  }

  void settled() {
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

  void on_refused(request_tag tag, const failure& why) override {
    auto x = close(tag);
    print(error_line(x ? x->id : std::string{}, why));
    settled();
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
