// Lists of nodes that sites have already: two columns, /etc/hosts, /etc/ethers, CSV, leases of DHCP servers. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/net/address.hpp"

namespace diskless::server {

struct ImportedNode {
    std::string name;  // without domain; empty in a lease without one
    Ipv4 address;
    Mac mac;
    std::vector<std::string> groups;  // CSV only
    std::string image;                // CSV only
    int line = 0;
    bool operator==(const ImportedNode&) const = default;
};

struct Imported {
    bool leases = false;  // addresses are those of the moment: only hardware addresses are to be taken
    std::vector<ImportedNode> nodes;
    std::vector<std::string> skipped;   // "line 7: why", for people
    std::vector<std::string> warnings;  // what is not taken of lines that are
};

/// Tells the form by itself: ISC dhcpd's "lease 10.0.0.1 {", dnsmasq's lines, CSV with a heading (name, ip, mac,
/// groups with ";" between them, image) or without one, else words of which each is an address, a hardware address or a
/// name, as in /etc/hosts, /etc/ethers and "ip host". What is no text is refused.
Result<Imported> read_node_list(std::string_view text);

}  // namespace diskless::server
