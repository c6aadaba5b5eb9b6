#pragma once

#include "common/os/sockets.hpp"

namespace diskless {

/// Channels given to wait() must come from this class.
class LinuxSockets final : public Sockets {
  public:
    Result<std::unique_ptr<Channel>> open_packets(int link_index, std::uint16_t local_port) override;
    Result<std::unique_ptr<Channel>> open_frames(int link_index, std::uint16_t ether_type) override;
    Result<std::unique_ptr<Channel>> open_udp(Ipv4 server, std::uint16_t port, std::uint16_t local_port = 0) override;
    Result<std::string> tcp_exchange(Ipv4 server, std::uint16_t port, const std::string& request,
                                     Deadline deadline) override;
    std::vector<bool> wait(const std::vector<Channel*>& channels, Deadline deadline) override;
};

}  // namespace diskless
