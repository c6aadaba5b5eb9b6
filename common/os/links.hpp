// Network interfaces, addresses and routes. Linux: libnl-3 (rtnetlink).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/net/address.hpp"
#include "common/os/clock.hpp"

namespace diskless {

struct Link {
    int index = 0;
    std::string name;
    std::uint16_t hardware_type = 1;  // ARPHRD_*: 1 Ethernet, 32 InfiniBand, 772 loopback
    Mac mac;                          // of Ethernet links
    bool up = false;                  // administratively
    bool carrier = false;             // lower layer up: frames can leave
    std::uint32_t mtu = 0;            // bytes
    std::string driver;               // kernel module, may be empty

    bool is_ethernet() const { return hardware_type == 1; }
    bool operator==(const Link&) const = default;
};

/// An IPv4 address of an interface.
struct LinkAddress {
    Ipv4 address;
    std::uint8_t prefix = 0;
    Seconds valid_for{0};  // what is left; 0 means for ever
    bool operator==(const LinkAddress&) const = default;
};

class Links {
  public:
    virtual ~Links() = default;
    virtual Result<std::vector<Link>> list() = 0;
    virtual Result<> set_up(int index) = 0;
    virtual Result<> set_down(int index) = 0;
    virtual Result<> set_mtu(int index, std::uint32_t bytes) = 0;
    /// Only a link that is down can be renamed.
    virtual Result<> rename(int index, const std::string& name) = 0;
    /// Adds the address with its broadcast address; the same address again is fine. `valid_for` 0 means for ever.
    virtual Result<> add_address(int index, Ipv4 address, std::uint8_t prefix, Seconds valid_for) = 0;
    virtual Result<> remove_addresses(int index) = 0;
    /// Removes this one; absent is fine. Linux: when it is the first of its network, the others of that network leave
    /// with it unless promote_secondaries is set (ip-sysctl.rst).
    virtual Result<> remove_address(int index, Ipv4 address, std::uint8_t prefix) = 0;
    /// IPv4 addresses of one interface; none when there is no such interface.
    virtual Result<std::vector<LinkAddress>> addresses(int index) = 0;
    /// IPv4 routes of the main table that leave by this interface, the kernel's own on-link ones included.
    virtual Result<std::vector<Route>> routes(int index) = 0;
    /// Adds or replaces a route; router 0.0.0.0 is on-link.
    virtual Result<> add_route(int index, const Route& route) = 0;
    /// Removes the route of the main table to this destination through this router, whoever made it; absent is fine.
    virtual Result<> remove_route(int index, const Route& route) = 0;
    /// Arms or disarms waking the machine by a magic packet to this interface (ethtool's "wol g", "wol d"). Other ways
    /// to wake it that are armed stay so when it is armed. May wait for the driver: call it in a child.
    virtual Result<> set_wake_on_lan(const std::string& name, bool armed) = 0;
    /// Waits until something about links may have changed (new link, carrier) or the deadline has passed; false then.
    virtual bool wait_for_change(Deadline deadline) = 0;
};

}  // namespace diskless
