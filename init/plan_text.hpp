// What a node would do, before it is switched on: `disklessctl plan` and `diskless-server simulate`.
#pragma once

#include <string>

#include "common/os/files.hpp"

namespace diskless {

struct PlanQuestion {
    std::string command_line;
    std::string manifest;  // text of the image's manifest; may be empty
    std::string root;      // a directory that stands for the mounted root; empty: no state plan
    std::string snapshot;  // a directory that stands for the node's snapshot; may be empty
    std::string location;  // a directory with lists for all nodes (Red Hat's snapshot/); may be empty
    bool json = false;
};

/// The configuration as understood, the steps in order, and, with a root, every mount of the state plan. Changes
/// nothing, needs no privileges. Errors: a manifest that is none, a root that is no directory.
Result<std::string> plan_text(const PlanQuestion& question, const Files& files);

}  // namespace diskless
