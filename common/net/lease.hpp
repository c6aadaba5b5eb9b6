// What a node knows about its address, however it learned it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/net/address.hpp"

namespace diskless {

enum class LeaseSource { fixed, dhcp, bootp, rarp };

/// An address configuration of one interface. Fields that were not given are empty, zero or 0.0.0.0.
struct Lease {
    LeaseSource source = LeaseSource::fixed;
    Ipv4 address;
    std::uint8_t prefix = 0;              // never 0 in a usable lease: the classful prefix stands in for a missing mask
    std::vector<Ipv4> routers;            // option 3, best first
    std::vector<Route> routes;            // option 121 (RFC 3442); when present, routers must be ignored
    std::vector<Ipv4> dns;                // option 6
    std::vector<Ipv4> ntp;                // option 42
    std::vector<Ipv4> log_servers;        // option 7
    std::string hostname;                 // option 12
    std::string domain;                   // option 15
    std::string nis_domain;               // option 40
    std::string root_path;                // option 17
    std::string boot_file;                // option 67 or the file field
    Ipv4 next_server;                     // siaddr
    Ipv4 server_id;                       // option 54
    std::uint16_t mtu = 0;                // option 26
    std::vector<std::uint8_t> client_id;  // option 61 as we sent it, type byte first
    std::chrono::seconds lease_time{0};   // option 51; 0 = no limit (BOOTP, static); 0xFFFFFFFF = infinite, stored as 0
    std::chrono::seconds renew_after{0};  // T1, option 58 or half
    std::chrono::seconds rebind_after{0};  // T2, option 59 or 7/8
    std::chrono::nanoseconds obtained{0};  // CLOCK_BOOTTIME when the ACK came

    bool operator==(const Lease&) const = default;
};

}  // namespace diskless
