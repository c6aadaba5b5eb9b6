// NFS protocol versions as the kernel's vers= option names them.
#pragma once

#include <string_view>
#include <vector>

namespace diskless {

enum class NfsVersion {
    automatic,
    v3,
    v4_0,
    v4_1,
    v4_2,
    v4,  // any minor version, the newest first: root=nfs4:, vers=4
};

/// "3", "4.0", "4.1", "4.2"; "" for automatic.
std::string_view text(NfsVersion version);

/// The versions a word allows, newest first: "3", "v4.1", "4" (all of 4.x), "" or "auto" (just automatic); empty when
/// there is no such version.
std::vector<NfsVersion> parse_nfs_version(std::string_view word);

/// In which order an automatic mount tries: 3, then 4.2, 4.1, 4.0. Version 3 first because its modules load in half the
/// time (0.8 s against 1.6 s in the laboratory), it needs no id mapping (a v4 server that names owners by words makes
/// them nobody on a node without an idmapper, set-uid programs too), and it knows no grace period after a restart of
/// the server. Each version that a server lacks costs about a round trip.
std::vector<NfsVersion> default_nfs_order();

}  // namespace diskless
