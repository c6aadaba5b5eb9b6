#pragma once

#include "common/os/links.hpp"

namespace diskless {

/// Each call uses a netlink socket of its own, so threads do not disturb one another. Changes are heard by a socket
/// that each thread subscribes before its first look, so that a change between list() and wait_for_change() is not
/// lost.
class LinuxLinks final : public Links {
  public:
    Result<std::vector<Link>> list() override;
    Result<> set_up(int index) override;
    Result<> set_down(int index) override;
    Result<> set_mtu(int index, std::uint32_t bytes) override;
    Result<> rename(int index, const std::string& name) override;
    Result<> add_address(int index, Ipv4 address, std::uint8_t prefix, Seconds valid_for) override;
    Result<> remove_addresses(int index) override;
    Result<> remove_address(int index, Ipv4 address, std::uint8_t prefix) override;
    Result<std::vector<LinkAddress>> addresses(int index) override;
    Result<std::vector<Route>> routes(int index) override;
    Result<> add_route(int index, const Route& route) override;
    Result<> remove_route(int index, const Route& route) override;
    Result<> set_wake_on_lan(const std::string& name, bool armed) override;
    bool wait_for_change(Deadline deadline) override;
};

/// The hardware address that reaches every station of a link: 6 bytes on Ethernet, 20 on InfiniBand.
Result<std::string> broadcast_hardware_address(int index);

}  // namespace diskless
