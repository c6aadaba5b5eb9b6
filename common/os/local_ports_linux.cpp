#include <arpa/inet.h>
#include <fmt/core.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "common/os/descriptor.hpp"
#include "common/os/local_ports.hpp"

namespace diskless {

InterfaceAddresses addresses_of(const std::string& interface) {
    InterfaceAddresses found;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return found;
    for (const auto* entry = list; entry; entry = entry->ifa_next) {
        if (entry->ifa_name != interface) continue;
        found.exists = true;
        found.up = found.up || (entry->ifa_flags & IFF_UP) != 0;
        if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET) continue;
        sockaddr_in address;
        std::memcpy(&address, entry->ifa_addr, sizeof address);
        found.addresses.emplace_back(ntohl(address.sin_addr.s_addr));
    }
    ::freeifaddrs(list);
    return found;
}

Result<> check_port(const PortQuestion& question) {
    const auto shown = fmt::format("{} port {} of {}", question.udp ? "UDP" : "TCP", question.port,
                                   question.address.is_set() ? question.address.text() : "this machine");
    const Descriptor socket(::socket(AF_INET, (question.udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
    if (!socket) return fail_errno("socket");
    const auto& interface = question.interface;
    if (!interface.empty() && ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                           static_cast<socklen_t>(interface.size())) != 0)
        return fail_errno("bind a socket to " + interface);
    // Connections of before do not hinder a TCP server; for UDP the option would hide who has the port.
    const int yes = 1;
    if (!question.udp) (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(question.port);
    address.sin_addr.s_addr = htonl(question.address.value);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(socket.get(), generic, sizeof address) == 0) return {};
    if (errno != EADDRINUSE) return fail_errno("use " + shown);
    return fail(shown + " is in use",
                fmt::format("who has it: ss -{}lnp sport = :{}", question.udp ? "u" : "t", question.port), EADDRINUSE);
}

bool answers_at(const std::string& socket_path) {
    sockaddr_un address{};
    if (socket_path.size() >= sizeof address.sun_path) return false;
    address.sun_family = AF_UNIX;
    socket_path.copy(address.sun_path, socket_path.size());
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace diskless
