// fstab(5) as far as nodes go by it: its lines, and which of them are mounts over NFS.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace diskless {

struct FstabEntry {
    std::string source, target, type, options;  // as written; no options: empty
    int line = 0;

    bool has(std::string_view option) const;
    bool is_nfs() const { return type == "nfs" || type == "nfs4"; }
};

/// Its lines in order, but for comments and what has no type.
std::vector<FstabEntry> parse_fstab(std::string_view text);

struct NetworkMount {
    std::string source;  // "10.9.0.1:/srv/var"
    std::string target;  // clean, without trailing slash
    int line = 0;
    bool operator==(const NetworkMount&) const = default;
};

/// What the root's own scripts will mount over NFS without being asked for; never "/", which is there before any of
/// them.
std::vector<NetworkMount> network_mounts(std::string_view fstab);

}  // namespace diskless
