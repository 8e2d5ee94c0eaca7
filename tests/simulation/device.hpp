#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "protocol/codec.hpp"
#include "protocol/parts.hpp"
#include "protocol/sasl.hpp"
#include "tests/actors/engine/client_screen.hpp"
#include "tests/simulation/ledger.hpp"
#include "tests/simulation/wire.hpp"

namespace parley::test {

/// What all devices share.
struct stage {
  story& tale;
  ledger& letters;
  /// Turns that the world has made.
  const uint64_t& turn;
  std::vector<address> names;
  wire::time_point now{};
};

/// What a device wants of the server, until it has its answer.
struct errand {
  request what;
  /// Of an IM: as it was written. Empty: `what` has it all.
  std::string to;
  /// One for each distinct recipient, in order.
  std::vector<letter*> letters;
  /// Another content than that of the letter, on purpose.
  bool altered = false;
};

/// A client that speaks the native protocol: keeps IMs until their outcome and
/// sends them again under their ids, keeps what it got, resumes. How well it
/// behaves beside that is up to its habits. It checks what every client can.
class device {
public:
  enum class way : uint8_t {
    /// Resumes if there is something to resume.
    back,
    anew,
    /// By the token of an earlier session.
    by_old_token,
  };

  device(size_t index, stage& all) : x_index(index), x_stage(all) {}

  // -- connecting

  /// Says the first words on a connection, which is no longer the old one.
  void come(std::shared_ptr<wire> line, way how);
  /// Lets go of its connection; what was under way may be lost.
  void leave();
  void lost();
  void receive(std::string_view bytes);
  /// Heartbeats.
  void tick();
  bool takes() const { return !stops_reading; }

  // -- habits

  bool prompt = true;
  bool stops_reading = false;
  bool follows = true;

  // -- what it asks

  letter& send(const std::string& to, const user_address& whom,
    std::string body, bool bare, bool receipts);
  /// The same again, or something else under the same id.
  void send_again(letter& x, bool altered);
  void broadcast_to(
    const std::vector<user_address>& whom, const std::string& body);
  void ask(request what);
  void show_itself(const availability& what);
  void type_to(const user_address& whom);
  void set_window(const window& wanted);
  void acknowledge();
  void sign_out();
  void ping();

  // -- state

  bool is_in() const { return x_state == state::in; }
  bool is_connected() const { return x_line != nullptr; }
  bool has_session() const { return !x_token.empty(); }
  bool has_old_token() const { return !x_old_token.empty(); }
  bool is_idle() const { return x_waiting.empty() && x_open.empty(); }
  size_t under_way() const { return x_waiting.size() + x_open.size(); }
  size_t index() const { return x_index; }
  const address& self() const { return x_stage.names[x_index]; }
  const availability& presence() const { return x_presence; }
  /// The presence that the server has said it has, of this session.
  const availability& shown() const { return x_shown; }
  window requests;
  client_screen screen;
  /// Versions that answers to its own changes named.
  roster_version answered_version;
  /// IMs in the order in which they came.
  std::vector<const letter*> got;
  std::string last_refusal;
  wire* line() const { return x_line.get(); }
  wire* line() { return x_line.get(); }

private:
  enum class state : uint8_t { away, greeting, resuming, proving, in };

  // -- device_frames.cpp
  void take(native::server_frame& what);
  void take(const native::welcome& x);
  void take(const native::sasl_challenge& x);
  void take(const native::session_started& x);
  void take(const native::refusal& x);
  void take(const native::numbered_event& x);
  void take_im(uint64_t number, const incoming_im& x);
  void take_answer(uint64_t number, const answer& x);
  void take_unnumbered(const event& x);
  void settle(errand& of, const answer& x);
  void show(const answer& x, const request& to);
  void prove();
  void acknowledge_by_resume();
  void begin_session();
  void requeue();

  // -- device.cpp
  void say(const native::client_frame& what);
  void put(errand x);
  void pump();
  void emit(uint64_t number, const errand& x);
  void list_contacts();
  void tell(const std::string& what);
  [[noreturn]] void broke(const char* check, const std::string& what);
  /// Of the server's window for IMs.
  void allow(uint32_t messages);

  size_t x_index;
  stage& x_stage;
  std::shared_ptr<wire> x_line;
  state x_state = state::away;
  way x_way = way::back;
  native::frame_reader x_reader;
  std::string x_magic;
  std::optional<native::answer_assembler> x_parts;
  std::vector<std::string> x_mechanisms;
  std::optional<sasl_client> x_sasl;
  wire::time_point x_last_said{};
  wire::time_point x_last_heard{};
  std::chrono::milliseconds x_heartbeat{};

  std::string x_token;
  std::string x_old_token;
  availability x_presence;
  availability x_shown;
  window x_wanted;
  /// Most IMs that may be here unacknowledged in this session.
  uint32_t x_ims_max = 0;
  uint64_t x_session = 0;
  uint64_t x_asked_at = 0;
  /// When a new one was asked for that may never have come.
  uint64_t x_asks_since = 0;
  uint64_t x_last_number = 0;
  /// When it resumed last.
  uint64_t x_asked_before = 0;
  /// Where it stands among the events of its session, and the highest that it
  /// ever had: a resume may bring some again.
  uint64_t x_last_event = 0;
  uint64_t x_highest_event = 0;
  uint64_t x_acknowledged = 0;
  std::deque<errand> x_waiting;
  std::map<uint64_t, errand> x_open;
  /// Answers that it has not acknowledged.
  std::vector<uint64_t> x_answers;
  std::map<uint64_t, letter*> x_unsafe;
  /// Acknowledged on this connection, in order; and how many of them before a
  /// request was said.
  std::vector<letter*> x_said_safe;
  std::map<uint64_t, size_t> x_safe_before;
  uint64_t x_ids = 0;
};

} // namespace parley::test
