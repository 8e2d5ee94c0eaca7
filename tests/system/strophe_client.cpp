#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>

#include <strophe.h>

// A client of libstrophe, for xmpp_strophe_test.py: says what happens, a line
// each, and answers each chat with an echo. A message tells it to cut its
// connection, which it resumes ("cut"), or to leave ("leave").

/// What the library itself loses is not ours.
extern "C" const char* __lsan_default_suppressions();
const char* __lsan_default_suppressions() {
  return "leak:xmpp_connect_client\n";
}

namespace {

xmpp_ctx_t* context;
/// Of the connection that is there.
int its_socket = -1;
bool leaves = false;
bool failed = false;

void say(const char* what, const char* who, const char* text) {
  std::printf("%s %s %s\n", what, who, text);
  std::fflush(stdout);
}

void echo(xmpp_conn_t* connection, const char* to, const char* body) {
  char text[256];
  std::snprintf(text, sizeof text, "echo: %s", body);
  xmpp_stanza_t* answer = xmpp_message_new(context, "chat", to, nullptr);
  xmpp_message_set_body(answer, text);
  xmpp_send(connection, answer);
  xmpp_stanza_release(answer);
}

int on_message(xmpp_conn_t* connection, xmpp_stanza_t* stanza, void*) {
  const char* from = xmpp_stanza_get_from(stanza);
  char* body = xmpp_message_get_body(stanza);
  if (!body || !from)
    return 1;
  say("message", from, body);
  if (std::strcmp(body, "cut") == 0) {
    shutdown(its_socket, SHUT_RDWR);
    // Under TLS it is a write that tells libstrophe.
    xmpp_send_raw(connection, " ", 1);
  } else if (std::strcmp(body, "leave") == 0) {
    leaves = true;
    xmpp_disconnect(connection);
  } else {
    echo(connection, from, body);
  }
  xmpp_free(context, body);
  return 1;
}

int on_socket(xmpp_conn_t*, void* socket) {
  its_socket = *static_cast<int*>(socket);
  return 0;
}

void on_connection(xmpp_conn_t* connection, xmpp_conn_event_t what, int,
  xmpp_stream_error_t* stream_error, void*) {
  const char* jid = xmpp_conn_get_jid(connection);
  if (what == XMPP_CONN_CONNECT) {
    say("connected", jid, xmpp_conn_is_secured(connection) ? "secured" : "");
    xmpp_handler_add(
      connection, on_message, nullptr, "message", nullptr, nullptr);
    xmpp_stanza_t* presence = xmpp_presence_new(context);
    xmpp_send(connection, presence);
    xmpp_stanza_release(presence);
    return;
  }
  say(what == XMPP_CONN_DISCONNECT ? "disconnected" : "failed", jid,
    stream_error ? "by an error of the stream" : "");
  failed = what != XMPP_CONN_DISCONNECT;
  xmpp_stop(context);
}

} // namespace

int main(int count, char** arguments) {
  if (count != 5) {
    std::fprintf(stderr, "usage: strophe_client JID PASSWORD HOST PORT\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  xmpp_initialize();
  context = xmpp_ctx_new(nullptr, nullptr);
  xmpp_sm_state_t* stream = nullptr;
  while (!leaves && !failed) {
    xmpp_conn_t* connection = xmpp_conn_new(context);
    xmpp_conn_set_flags(connection, XMPP_CONN_FLAG_TRUST_TLS);
    xmpp_conn_set_jid(connection, arguments[1]);
    xmpp_conn_set_pass(connection, arguments[2]);
    xmpp_conn_set_sockopt_callback(connection, on_socket);
    if (stream && xmpp_conn_set_sm_state(connection, stream) != 0)
      failed = true;
    if (xmpp_connect_client(connection, arguments[3],
          static_cast<unsigned short>(std::atoi(arguments[4])), on_connection,
          nullptr)
      != 0)
      failed = true;
    else
      xmpp_run(context);
    // Null unless the stream may go on.
    stream = xmpp_conn_get_sm_state(connection);
    xmpp_conn_release(connection);
  }
  xmpp_ctx_free(context);
  xmpp_shutdown();
  return failed ? 1 : 0;
}
