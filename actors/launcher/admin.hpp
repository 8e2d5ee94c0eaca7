#pragma once

namespace parley {

/// `parley admin`: one request to a running server through the socket in its
/// data folder. Exit codes: 0 done, 1 refused or no server there, 2 wrong
/// usage.
int admin_main(int argc, char** argv);

} // namespace parley
