// The part of "boot apply" that brings kernels, initramfs and first programs to where the rendered files name them.
#pragma once

#include <string>

#include "server-helper/command.hpp"
#include "server-helper/stage/stage.hpp"

namespace diskless::server {

struct BootStageRequest {
    std::string program;  // the node program; empty: the one that is installed with this program
    bool dry_run = false, force = false, quiet = false;
};

/// Are initramfs-options of cluster.toml such as boot apply can build with?
Result<> check_initramfs_options(const Cluster& cluster);

/// Plans and stages; what is absent is told on `streams.err`, one line for each file, with its remedy.
Result<Staged> stage_boot(const Site& site, const BootStageRequest& request, Streams& streams);

}  // namespace diskless::server
