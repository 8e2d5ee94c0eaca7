#pragma once

#include <filesystem>
#include <optional>

#include "actors/launcher/privileges.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// Makes the data folder, or takes one that is empty or a data folder already;
/// afterwards it is its owner's alone (mode 700): it holds keys and IMs, and
/// the admin socket. What was made or empty is given to `owner`, if there is
/// one. Any other folder is refused (`store_unavailable`) and left as it is;
/// so is a data folder that belongs to somebody else than `owner`, and where
/// root gives it away one that is a link, or behind one that is not root's.
result<void> prepare_data_folder(
  const std::filesystem::path& x, const std::optional<system_user>& owner);

/// The same for a folder within it, which is ours in any case.
result<void> make_private_folder(const std::filesystem::path& x);

/// Where things are in a data folder.
inline constexpr const char* store_name = "store";
inline constexpr const char* tls_name = "tls";
inline constexpr const char* admin_socket_name = "admin.sock";

} // namespace parley
