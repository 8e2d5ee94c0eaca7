#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/codec.hpp"
#include "protocol/connection.hpp"
#include "protocol/framing.hpp"
#include "protocol/sasl.hpp"
#include "protocol/tls.hpp"

/// What the tests of the connection need: an owner that writes down what it is
/// asked, and a client that is made of the codec's other half.
namespace parley::test {

inline constexpr std::string_view alice = "alice@example.org";
inline constexpr std::string_view alices_password = "correct horse";

/// The keys of alice, derived once.
const scram_keys& alices_keys();

/// Answers at once, as a gateway with one account would; what it is told to
/// leave open, the test answers.
class fake_owner : public connection::owner {
public:
  void find_keys(const user_address& user) override;
  void check_password(const user_address& user, std::string text) override;
  void register_wanted(const user_address& user, std::string text) override;
  std::chrono::milliseconds authenticated(
    const user_address& user, bool success) override;
  void sign_in_wanted(sign_in what) override;
  void resume_wanted(resume what) override;
  void acknowledged(sequence upto) override;
  void window_changed(window what) override;
  void requests_received(std::vector<numbered_request> what) override;
  void output_ready() override;
  void closed(const failure& why) override;

  client_connection* link = nullptr;
  bool answers_keys = true;
  bool answers_session = true;
  std::chrono::milliseconds wait_after_failure{};
  /// Called first in each of the owner's functions, with its name.
  std::function<void(std::string_view)> hook;

  /// The names of all calls, in order.
  std::vector<std::string> calls;
  std::vector<std::string> asked_for;
  std::vector<std::pair<std::string, bool>> proofs;
  /// Names and passwords; not answered.
  std::vector<std::pair<std::string, std::string>> registrations;
  std::optional<sign_in> wish;
  std::optional<resume> resumption;
  std::vector<sequence> acks;
  std::vector<window> windows;
  /// One element a call.
  std::vector<std::vector<numbered_request>> requests;
  std::optional<failure> end;
  /// What `sign_in_wanted` and `resume_wanted` are answered with.
  signed_in grant;
  std::optional<failure> refusal;

  size_t count(std::string_view call) const;

private:
  void note(std::string_view call);
};

/// A client by hand.
class test_client {
public:
  /// Without `tls` plain.
  explicit test_client(std::shared_ptr<tls_client_context> tls = nullptr);

  /// What the client has to say: raw bytes, frames.
  void raw(std::string_view bytes);
  void say(const native::client_frame& what);
  void magic() { raw(native::magic); }
  void hello();
  void authenticate(const std::string& mechanism, std::string_view user,
    std::string_view password, std::string endpoint = "desk");
  /// Answers the last challenge.
  void respond();

  /// Cipher or plain text for the server; taken.
  std::string take();
  /// What the server sent.
  void receive(std::string_view bytes);

  /// All frames so far, and the last of a kind.
  std::vector<native::server_frame> frames;
  template <class T>
  const T* last() const {
    for (auto i = frames.rbegin(); i != frames.rend(); ++i)
      if (const auto* x = std::get_if<T>(&*i))
        return x;
    return nullptr;
  }
  /// The last refusal, whatever its scope.
  const native::refusal& refused() const;

  bool magic_seen = false;
  std::optional<sasl_client> sasl;
  std::optional<tls_stage> tls;
  bool broken = false;
  /// Bytes from the server as they came, for comparisons.
  size_t received = 0;

private:
  std::string x_plain_in;
  std::string x_plain_out;
  std::string x_cipher_out;
  native::frame_reader x_reader;
  std::string x_head;
};

/// One connection between the two.
class dialogue {
public:
  enum class kind { plain, tls };
  explicit dialogue(kind k = kind::plain);

  /// Hands bytes to and fro until both are silent; the client's in pieces.
  void pump(size_t piece = SIZE_MAX);
  /// Time goes on, with a tick each sweep.
  void wait(std::chrono::milliseconds time);
  void to_server(std::string_view bytes);
  /// The server's output goes to the client.
  void to_client();

  /// From the magic to the session.
  void sign_in(const std::string& mechanism = "SCRAM-SHA-256");

  fake_owner owner;
  steady_time now{std::chrono::hours{1000}};
  wall_time wall{std::chrono::milliseconds{1'700'000'000'123}};
  test_client client;
  std::shared_ptr<const connection_config> config;
  std::unique_ptr<connection> server;
};

/// The bytes of a client's send_im to bob.
std::string send_bytes(
  uint64_t number, const std::string& id, const std::string& body = "hi");

/// An IM of bob's for alice.
event incoming(const std::string& id, const std::string& body = "hello");

/// How signing in goes on by itself: the client answers challenges.
void finish_exchange(dialogue& d, size_t piece = SIZE_MAX);

} // namespace parley::test
