#pragma once

namespace parley {

/// `parley chat`: signs in and talks to the server until the user quits; for a
/// person or, with --jsonl, for a script. `argv[0]` names the command. Returns
/// the exit code: 0 signed out, 1 the sign-in failed, the session ended
/// otherwise or was left without a connection, 2 wrong usage.
int chat_main(int argc, char** argv);

} // namespace parley
