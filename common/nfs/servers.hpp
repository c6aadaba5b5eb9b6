// Which NFS server, in which order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/net/address.hpp"

namespace diskless {

/// Servers that hold the same directory.
struct NfsLocation {
    std::vector<Ipv4> servers;  // as written, without doubles; empty when the text names none
    std::string path;           // absolute
    bool operator==(const NfsLocation&) const = default;
};

/// "a,b,c" of IPv4 addresses. Names are refused: nothing resolves them before there is a root.
Result<std::vector<Ipv4>> parse_server_list(std::string_view text);

/// "server:/path", "a,b,c:/path" or just "/path".
Result<NfsLocation> parse_nfs_location(std::string_view text);

/// The list turned so that nodes spread over the servers, each always in the same order: the MAC decides who is first.
std::vector<Ipv4> rotate_servers(std::vector<Ipv4> servers, const Mac& mac);

/// What mount(2) and /proc/mounts call it: "10.9.0.1:/srv/root".
std::string nfs_source(Ipv4 server, std::string_view path);

}  // namespace diskless
