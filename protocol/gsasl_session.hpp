#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gsasl.h>
#include <openssl/evp.h>

#include "protocol/sasl.hpp"

/// Internal to the SASL code: libgsasl's handles as values.
namespace parley {

/// One mechanism and what it takes.
struct sasl_mechanism {
  std::string_view name;
  bool binds_channel;
  bool needs_confidentiality;
  /// Null: not SCRAM.
  const EVP_MD* (*hash)();
  scram_keys::per_hash scram_keys::*keys;
};

/// All that Parley speaks, best first.
extern const std::array<sasl_mechanism, 5> sasl_mechanism_table;

/// Whether `channel` has what the mechanism takes.
bool usable(const sasl_mechanism& x, const sasl_channel& channel);

/// What a client's session needs to salt its password.
struct password_salter {
  std::string password;
  const EVP_MD* (*hash)() = nullptr;
  password_salter() = default;
  password_salter(const password_salter&) = delete;
  password_salter& operator=(const password_salter&) = delete;
  ~password_salter();
};

/// A session of libgsasl; belongs to the thread that made it.
class gsasl_session {
public:
  /// Empty if libgsasl cannot (no memory, no random numbers).
  static gsasl_session server(const sasl_mechanism& mechanism);
  static gsasl_session client(const sasl_mechanism& mechanism);

  gsasl_session() = default;
  explicit operator bool() const noexcept { return x_handle != nullptr; }
  void reset() noexcept { x_handle.reset(); }

  void set(Gsasl_property what, const std::string& to);
  void set_octets(Gsasl_property what, std::string_view to);
  /// A server's go to every SCRAM exchange that could have used them: knowing
  /// them, libgsasl refuses a client that was made believe that the server
  /// cannot bind (RFC 5802, 6: flag `y`).
  void set_channel(const sasl_channel& channel);
  /// Must outlive the session.
  void set_salter(password_salter& x);
  /// Empty if it is not known.
  std::string_view known(Gsasl_property what) const;

  struct stepped {
    /// GSASL_OK, GSASL_NEEDS_MORE, or an error.
    int code;
    std::string output;
  };
  stepped step(std::string_view input);

private:
  struct finish {
    void operator()(Gsasl_session* x) const noexcept { gsasl_finish(x); }
  };
  std::unique_ptr<Gsasl_session, finish> x_handle;
};

} // namespace parley
