#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "protocol/connection.hpp"
#include "protocol/scram_keys.hpp"
#include "protocol/tls.hpp"

/// A small server in memory: real connections, and behind them as much of
/// sessions and routing as a client can tell from outside. No choice, no
/// grace; what nobody is there for is stored.
namespace parley::test {

class model_server {
public:
  /// One connection and its socket's place in the test.
  class link : private connection::owner {
  public:
    link(model_server& server, steady_time now);
    ~link() override;

    void receive(std::string_view bytes, steady_time now);
    void disconnected();
    void tick(steady_time now);
    /// Bytes for the client.
    std::string_view output();
    void written(size_t n);
    bool is_over() const noexcept { return x_over; }

  private:
    friend class model_server;
    void find_keys(const user_address& user) override;
    void check_password(
      const user_address& user, std::string password) override;
    std::chrono::milliseconds authenticated(
      const user_address&, bool) override {
      return {};
    }
    void sign_in_wanted(sign_in what) override;
    void resume_wanted(resume what) override;
    void acknowledged(sequence upto) override;
    void window_changed(window what) override;
    void requests_received(std::vector<numbered_request> what) override;
    void output_ready() override {}
    void closed(const failure& why) override;

    model_server& x_server;
    connection x_connection;
    /// Whose session this carries; empty: none.
    std::string x_token;
    bool x_over = false;
  };

  /// `tls`: null for plain TCP.
  explicit model_server(std::shared_ptr<tls_context> tls = nullptr);

  /// All accounts have the password `secret`.
  void add_account(const std::string& user);

  /// As a crash: connections end, sessions are forgotten; the store and the
  /// memory of outcomes stay.
  void restart();
  /// Ends a user's sessions and tells why.
  void end_sessions(const std::string& user, errc why);
  /// Tells all clients to come back later.
  void go_away(std::chrono::milliseconds come_back_after);
  void change_request_window(const std::string& user, window x);
  /// The watch of `whom` by all sessions of `user` is over.
  void end_watch(const std::string& user, const std::string& whom);
  /// Sends this to all sessions of `user`, not numbered.
  void tell(const std::string& user, const event& what);

  /// How many requests were taken beyond the window.
  size_t violations = 0;
  size_t sign_ins = 0;
  size_t resumes = 0;
  size_t refused_resumes = 0;
  window request_window{5, 4096};
  window im_window{5, 4096};
  std::chrono::milliseconds heartbeat{1000};
  /// A request, or a sign-in, is answered by this instead, while it is set.
  std::optional<failure> refuse_requests;
  std::optional<failure> refuse_sign_ins;
  /// What is told of contacts without having been asked for gets lost.
  bool loses_pushes = false;
  /// Users who approve whoever asks.
  std::set<std::string> approving;
  std::map<std::string, privacy> privacies;
  size_t lists_asked = 0;
  std::vector<availability> availabilities;
  std::vector<typing> typings;

private:
  struct delivery {
    shared<im> message;
    address to;
    bool offline = false;
  };
  struct numbered {
    uint64_t number;
    event what;
    uint32_t bytes = 0;
    bool is_answer = false;
  };
  struct session {
    address self;
    std::string token;
    link* carrier = nullptr;
    uint64_t last_event = 0;
    uint64_t last_request = 0;
    std::deque<numbered> unacknowledged;
    std::deque<delivery> waiting;
    window ims;
    window requests;
    uint32_t ims_open = 0;
    uint32_t requests_open = 0;
    /// It has asked for its contacts.
    bool lists = false;
    availability shown;
  };
  /// A contact list, with the version of each entry's last change.
  struct roster {
    struct entry {
      contact what;
      uint64_t version;
    };
    uint64_t version = 0;
    std::map<user_address, entry> entries;
    std::map<user_address, uint64_t> removed;
  };
  /// Sender user, id, recipient user.
  using key = std::tuple<std::string, std::string, std::string>;
  struct record {
    std::optional<outcome> what;
    /// Who waits for the outcome: token and request.
    std::vector<std::pair<std::string, request_number>> askers;
  };

  signed_in grant(const session& s, bool resumed) const;
  void start(link& from, const sign_in& what);
  void resume_on(link& from, const resume& what);
  void take(session& s, const numbered_request& x);
  void take_send(session& s, request_number number, const send_im& x);
  void accept_im(const shared<im>& message, const address& to, record& r);
  void settle(const key& k, outcome::kind what);
  void post(session& s, event what);
  void post_waiting(session& s);
  void acknowledge(session& s, uint64_t upto);
  void end(const std::string& token);
  session* session_of(const link& x);

  // -- contacts (model_contacts.cpp)

  void take_contacts(session& s, const numbered_request& x);
  contacts_changed add(const user_address& user, const add_contacts& what);
  contacts_changed remove(
    const user_address& user, const remove_contacts& what);
  contacts_changed ask(const user_address& user, const user_address& whom);
  /// Changes one entry of one list and tells the user's sessions; an entry that
  /// says nothing is removed.
  template <class F>
  void change(const user_address& user, const user_address& whom, const F& f);
  contact_list difference(const user_address& user, roster_version known);
  /// `from` sees the presence of `whom` no longer, or from now on, or waits.
  void set_halves(
    const user_address& watcher, const user_address& whom, half x);
  bool sees(const user_address& watcher, const user_address& whom);
  void show_to(const session& s, session& watcher);
  void show_all(session& watcher);
  void show(const session& s);
  void set(session& s, request_number number, const set_privacy& x);

  std::shared_ptr<const connection_config> x_config;
  scram_keys x_keys;
  std::set<std::string> x_accounts;
  std::map<std::string, session> x_sessions;
  std::map<std::string, std::deque<delivery>> x_store;
  std::map<key, record> x_records;
  std::map<user_address, roster> x_rosters;
  std::set<link*> x_links;
  uint64_t x_tokens = 0;
};

} // namespace parley::test
