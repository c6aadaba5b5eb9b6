// What the root's fstab will mount over NFS once its own scripts run (fstab(5)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace diskless {

struct NetworkMount {
    std::string source;  // "10.9.0.1:/srv/var"
    std::string target;  // clean, without trailing slash
    int line = 0;
    bool operator==(const NetworkMount&) const = default;
};

/// Lines of type nfs or nfs4 that are mounted without being asked for; never "/", which is there before any of them.
std::vector<NetworkMount> network_mounts(std::string_view fstab);

}  // namespace diskless
