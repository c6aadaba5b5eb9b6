// Which addresses and ports of this machine a server can have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/net/address.hpp"

namespace diskless {

struct InterfaceAddresses {
    bool exists = false, up = false;
    std::vector<Ipv4> addresses;
};
InterfaceAddresses addresses_of(const std::string& interface);

struct PortQuestion {
    bool udp = true;
    std::uint16_t port = 0;
    Ipv4 address;           // 0.0.0.0: all
    std::string interface;  // a socket that is bound to another one does not hinder; empty: any does
};

/// Could a server listen there now? The error names the port; code EADDRINUSE when somebody has it.
Result<> check_port(const PortQuestion& question);

/// Does somebody answer at this socket in the file system?
bool answers_at(const std::string& socket_path);

}  // namespace diskless
