// The options of an NFS mount, for mount(2) without mount.nfs: the kernel wants addresses, and tries one version only.
// Names are those of the kernel's nfs_fs_parameters (fs/nfs/fs_context.c); nfs(5) explains them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/address.hpp"
#include "common/nfs/version.hpp"

namespace diskless {

enum class NfsUse {
    shared_root,  // one image generation for all, mounted read-only, does not change: caches may trust it for long
    own_files,    // a snapshot that this node alone writes, or a root of its own
};

/// TCP ports of NFS 3 at a server; 0: not known, the kernel asks the server's port mapper.
struct NfsPorts {
    std::uint16_t mount = 0, nfs = 0;
    bool operator==(const NfsPorts&) const = default;
};

struct NfsMountWish {
    NfsUse use = NfsUse::shared_root;
    bool read_only = true;
    NfsVersion version = NfsVersion::automatic;
    std::vector<NfsVersion> order = default_nfs_order();  // of an automatic mount
    std::string options;  // as given by the user; each replaces what we would say about the same thing
    Ipv4 server;
    Ipv4 client;  // for NFSv4.0 callbacks; may be unset
    NfsPorts ports;
};

struct NfsAttempt {
    NfsVersion version = NfsVersion::automatic;
    std::string label;    // "NFS 4.2"
    std::string options;  // "ro,vers=4.2,proto=tcp,addr=…"
};

struct NfsLadder {
    std::vector<NfsAttempt> attempts;  // to be tried in this order; never empty
    std::vector<std::string> ignored;  // user options that cannot be used, one line each
};

/// Where the server of a mount with these options listens.
struct NfsListener {
    std::uint16_t port = 0;  // 0: they do not say
    bool tcp = true;
};
NfsListener nfs_listener(std::string_view options);

/// Would an attempt of NFS 3 have the kernel ask the server's port mapper, for TCP?
bool wants_ports(const NfsAttempt& attempt);

/// The attempts for a wish. A version among the user's options (vers=4.1, nfsvers=3, v4) counts when `version` is
/// automatic. `ro`, `rw`, `addr` and what only mount.nfs understands (retry, bg, fg) among them is dropped: others
/// decide.
NfsLadder nfs_ladder(const NfsMountWish& wish);

}  // namespace diskless
