#pragma once

#include "protocol/defaults.hpp"

/// Limits of `parley chat` alone; see protocol/defaults.hpp for all others.
namespace parley::defaults {

/// How long `parley chat` tries to reach a server, and to sign in there for
/// the first time: longer than a server may take that slows sign-ins down.
inline constexpr auto chat_connect_patience = 5s;
inline constexpr auto chat_sign_in_patience = sign_in_timeout + 5s;

/// At the end: how long it waits for the outcomes of what was sent, and then
/// for the server's word on the sign-out.
inline constexpr auto chat_outcomes_patience = 10s;
inline constexpr auto chat_sign_out_patience = 3s;

/// At the end, if there is no connection: how long it waits for one.
inline constexpr std::chrono::milliseconds chat_reconnect_patience = 5s;

/// Requests without answer beyond which it reads no further input.
inline constexpr size_t chat_unanswered_max = 10'000;

/// Bytes of one line of input.
inline constexpr size_t chat_line_max = 1024 * 1024;

/// A person who types tells so this often, and the notice is shown this long.
inline constexpr auto chat_typing_interval = 4s;
inline constexpr auto chat_typing_shown = 6s;

/// It watches somebody for this long when the person does not say.
inline constexpr uint64_t chat_watch_seconds = 600;

/// After a sign-in presence is gathered for so long and shown as one line.
inline constexpr std::chrono::milliseconds chat_presence_gathered = 1s;

/// Typed lines that can be called back.
inline constexpr int chat_history_max = 1000;

} // namespace parley::defaults
