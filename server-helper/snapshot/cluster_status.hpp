// How each node's last boot went, from the report in its snapshot. The node wrote it: it is bounded, parsed strictly,
// and its words are shown as text.
#pragma once

#include <string>
#include <vector>

#include "common/os/confined_files_linux.hpp"
#include "common/report/boot_report.hpp"

namespace diskless::server {

inline constexpr std::size_t kLargestReport = 1 << 20;  // bytes

struct NodeBoot {
    std::string node;
    std::string state;       // "done", "degraded", "failed", "running", "never booted", "unreadable"
    std::int64_t since = 0;  // of the boot, seconds since 1970; 0: not known
    std::string generation;  // that it runs
    std::string current;     // that it would boot now
    bool needs_reboot = false;
    std::string detail;  // first step or entry that is not well, or why the report cannot be read
    bool operator==(const NodeBoot&) const = default;
};

/// `current`: generation of the node's image; empty: not known, so that nothing needs a reboot.
NodeBoot node_boot(const ConfinedFiles& snapshots, const std::string& snapshots_path, const std::string& snapshot,
                   const std::string& node, const std::string& current);

std::string boots_text(const std::vector<NodeBoot>& boots);
std::string boots_json(const std::vector<NodeBoot>& boots);

}  // namespace diskless::server
