// The sockets a node needs before it has a root: raw frames for DHCP, UDP for SNTP, TCP for an RPC probe.
// Everything received is a plain byte string that pure, fuzzed code parses.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/net/address.hpp"
#include "common/os/clock.hpp"

namespace diskless {

/// One end of a datagram exchange. Closes on destruction.
class Channel {
  public:
    virtual ~Channel() = default;
    virtual Result<> send(const std::string& bytes) = 0;
    /// A waiting datagram, or an error with code EAGAIN when there is none. Never blocks.
    virtual Result<std::string> receive() = 0;
};

class Sockets {
  public:
    virtual ~Sockets() = default;
    /// IPv4 packets (from the IP header on) of one interface, before it has an address: AF_PACKET, SOCK_DGRAM. Sends to
    /// the link's broadcast address; receives UDP packets to `local_port` only (kernel filter, checksums not verified).
    virtual Result<std::unique_ptr<Channel>> open_packets(int link_index, std::uint16_t local_port) = 0;
    /// Frames of one EtherType (0x8035 RARP), payload after the Ethernet header; sends to broadcast.
    virtual Result<std::unique_ptr<Channel>> open_frames(int link_index, std::uint16_t ether_type) = 0;
    /// Connected UDP socket; `local_port` 0 lets the kernel choose.
    virtual Result<std::unique_ptr<Channel>> open_udp(Ipv4 server, std::uint16_t port,
                                                      std::uint16_t local_port = 0) = 0;
    /// Connects by TCP, sends `request`, returns the first bytes that come back (at most 64 KiB, at least one byte).
    virtual Result<std::string> tcp_exchange(Ipv4 server, std::uint16_t port, const std::string& request,
                                             Deadline deadline) = 0;
    /// Waits until one of the channels can be read or the deadline has passed. Returns readable[i] per channel.
    virtual std::vector<bool> wait(const std::vector<Channel*>& channels, Deadline deadline) = 0;
};

}  // namespace diskless
