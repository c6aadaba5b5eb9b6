#include "common/nfs/servers.hpp"

#include <algorithm>

#include "common/base/text.hpp"

namespace diskless {

namespace {
/// FNV-1a with a final mix: consecutive MACs of one delivery must not all land on the same server.
std::uint64_t stable_hash(const Mac& mac) {
    std::uint64_t hash = 0xCBF29CE484222325;
    for (const auto byte : mac.bytes) hash = (hash ^ byte) * 0x100000001B3;
    hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCD;
    return hash ^ (hash >> 33);
}
}  // namespace

Result<std::vector<Ipv4>> parse_server_list(std::string_view text) {
    std::vector<Ipv4> servers;
    for (const auto word : split(text, ',')) {
        const auto server = Ipv4::parse(trim(word));
        if (!server)
            return fail("NFS server \"" + printable(word) + "\" is not an IPv4 address",
                        "write the address: names cannot be resolved before there is a root");
        if (std::find(servers.begin(), servers.end(), *server) == servers.end()) servers.push_back(*server);
    }
    return servers;
}

Result<NfsLocation> parse_nfs_location(std::string_view text) {
    NfsLocation location;
    auto path = trim(text);
    if (const auto colon = path.find(":/"); !path.starts_with('/') && colon != std::string_view::npos) {
        location.servers = TRY_TO("\"" + printable(text) + "\"", parse_server_list(path.substr(0, colon)));
        path.remove_prefix(colon + 1);
    }
    if (!path.starts_with('/'))
        return fail("\"" + printable(text) + "\" is not an NFS directory", "write it as server-address:/directory");
    location.path = path;
    return location;
}

std::vector<Ipv4> rotate_servers(std::vector<Ipv4> servers, const Mac& mac) {
    if (servers.size() < 2) return servers;
    const auto first = static_cast<std::ptrdiff_t>(stable_hash(mac) % servers.size());
    std::rotate(servers.begin(), servers.begin() + first, servers.end());
    return servers;
}

std::string nfs_source(Ipv4 server, std::string_view path) { return server.text() + ':' + std::string(path); }

}  // namespace diskless
