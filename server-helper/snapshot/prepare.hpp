// Snapshots, ready before the node boots: what the node's own seeding would make, and who the node is.
//
// A new snapshot grows beside the others in a staging directory and is renamed into place when it is whole and on the
// disk: a kill or a full disk at any moment leaves it absent or whole. The image's part is planned and read once, then
// written for each node. An existing snapshot only gets what it lacks; the administrator's overlay files alone replace
// what is there.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/os/files.hpp"
#include "server-helper/snapshot/image_part.hpp"

namespace diskless::server {

struct SnapshotJob {
    std::string node;                   // for lists and messages
    std::string snapshot;               // name of its directory
    std::string root;                   // the image's root on this server; empty: it has none yet, which is an error
    std::string root_mode = "ro";       // "rw", "overlay": the node makes names that the root lacks
    std::string location;               // Red Hat's directory of lists for all nodes; empty: none
    std::string hostname;               // written to etc/hostname; empty: the node finds out itself
    std::vector<std::string> overlays;  // names below the overlay directory, weakest first
    std::map<std::string, std::string> variables;  // for templates in overlays
};

struct PrepareOptions {
    std::string snapshots;            // directory of all snapshots, existing
    std::string staging;              // on the same file system, out of reach of the nodes; made and removed
    std::string overlays;             // directory of overlays; may be absent
    SeedWhat seed = SeedWhat::cheap;  // of what the image has; the node's first boot copies the rest
    bool dry_run = false;
    bool anew = false;          // an existing snapshot is made anew, keeping who the node is; the old one is removed
    bool new_identity = false;  // with `anew`: forget who the node is as well
    unsigned threads = 0;       // 0: one a processor, at most 8; 1: none is started
    std::function<void(std::size_t done, std::size_t all)> progress = {};
};

enum class Prepared { made, completed, unchanged };
std::string_view text(Prepared outcome);

struct PreparedNode {
    std::string node;
    Prepared outcome = Prepared::unchanged;
    std::uint64_t bytes = 0;           // written or cloned
    std::vector<std::string> changes;  // of an existing snapshot: paths
    std::vector<std::string> left;     // paths that the node's first boot copies
    std::vector<std::string> warnings;
    Error error;  // cause not empty: this node failed, the others went on
};

/// Results in the order of the jobs. An error means that nothing could be done at all.
Result<std::vector<PreparedNode>> prepare_snapshots(const std::vector<SnapshotJob>& jobs,
                                                    const PrepareOptions& options);

}  // namespace diskless::server
