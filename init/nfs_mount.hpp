// One NFS mount: every server and version in turn, each in a child that can be killed.
#pragma once

#include "common/nfs/mount_options.hpp"
#include "common/plan/step.hpp"
#include "init/config.hpp"

namespace diskless {

struct NfsMounted {
    Ipv4 server;
    NfsVersion version = NfsVersion::automatic;
    std::string options;  // as asked for
    NfsPorts ports;       // of this server, when they were asked for
};

struct NfsMountJob {
    NfsSource source;
    std::string path;  // of the server; overrides source.path
    std::string target;
    NfsUse use = NfsUse::shared_root;
    bool read_only = true;
    Ipv4 client;
    NfsMounted earlier;                      // a mount that has been made: its server's ports are known
    std::function<void(NfsVersion)> before;  // an attempt of this version: its modules may not be loaded yet
};

/// Mounts from the first server that lets us. The error is of the last attempt; its code is that of mount(2):
/// ENOENT and EACCES (not exported) are worth another path, all else another try later.
Result<NfsMounted> mount_nfs(StepContext& context, const NfsMountJob& job);

}  // namespace diskless
