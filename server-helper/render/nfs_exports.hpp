// Which directory is exported to whom: the same for every NFS server.
#pragma once

#include <string>
#include <vector>

#include "server-helper/render/rendered.hpp"

namespace diskless::server {

struct Export {
    std::string path;                  // absolute, on the server
    bool writable = false;             // else read-only
    bool keeps_root = false;           // root of the node is root in it (no_root_squash)
    std::vector<std::string> clients;  // "10.9.0.0/16" or "10.9.0.5", sorted
    std::string file_system_id;        // UUID, where the file system has none of its own; else empty
};

/// Roots read-only for the network, or read-write for the one node whose own root it is (root mode rw); each snapshot
/// for the addresses of its nodes alone; directories of this server that nodes mount besides (/home), root squashed.
/// By path. A node without an address has nothing exported to it alone. Fails where nodes would destroy each other's
/// files: see model/sharing.hpp.
Result<std::vector<Export>> wanted_exports(const Site& site);

/// A UUID that is always the same for the path.
std::string path_uuid(std::string_view path);

}  // namespace diskless::server
