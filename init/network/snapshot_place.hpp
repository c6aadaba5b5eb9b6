// Where a node's snapshot may be: pure, from configuration, lease and root.
#pragma once

#include <string>
#include <vector>

#include "init/boot.hpp"

namespace diskless {

struct SnapshotPlace {
    NfsSource source;            // servers filled in; path is the directory that holds all snapshots
    bool shared_parent = false;  // Red Hat's layout: the parent is exported as a whole and holds the lists
};

/// Nothing when neither the command line nor the layout of the root says where snapshots are.
/// `root_version` is how the root was mounted: on the same server, the snapshot is mounted alike.
std::optional<SnapshotPlace> snapshot_place(const BootConfig& config, NfsVersion root_version, Ipv4 root_server,
                                            const std::string& root_path, const std::string& location);

/// Names under which the node's snapshot is looked for, strongest first: the one configured alone when there is one,
/// else host name (as configured, leased, or `in_hosts`: what the root's /etc/hosts calls the address), address,
/// hardware address (aa-bb-cc-dd-ee-ff).
std::vector<std::string> snapshot_names(const BootConfig& config, const Lease& lease, const Mac& mac,
                                        const std::string& in_hosts = {});

/// A single path component without surprises: no slash, no leading dot, 1 to 255 characters.
bool is_snapshot_name(std::string_view name);

}  // namespace diskless
