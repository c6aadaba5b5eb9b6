#include "common/os/netlink_linux.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/netlink.h>
#include <netlink/errno.h>

#include <cstring>

namespace diskless::netlink {

namespace {

// libnl turns errno into coarser numbers of its own; this keeps the original and lets libnl go on as usual.
int keep_kernel_error(sockaddr_nl*, nlmsgerr* message, void* kept) {
    *static_cast<int*>(kept) = -message->error;
    return NL_STOP;
}

}  // namespace

Result<std::unique_ptr<Socket>> Socket::open() {
    auto socket = std::make_unique<Socket>();
    socket->socket_.reset(nl_socket_alloc());
    if (!socket->socket_) return fail_errno("rtnetlink socket", ENOMEM);
    nl_socket_modify_err_cb(socket->get(), NL_CB_CUSTOM, &keep_kernel_error, &socket->kernel_error_);
    if (const int result = nl_connect(socket->get(), NETLINK_ROUTE); result < 0)
        return fail(fmt::format("rtnetlink socket: {}", nl_geterror(result)));
    return socket;
}

Result<> Socket::check(std::string_view what, int result) const {
    if (result >= 0) return {};
    if (kernel_error_ != 0)
        return fail_errno(what, kernel_error_, kernel_error_ == EPERM ? "this needs root privileges" : "");
    return fail(fmt::format("{}: {}", what, nl_geterror(result)), {}, result == -NLE_OBJ_NOTFOUND ? ENODEV : 0);
}

Number to_number(Ipv4 address, unsigned prefix) {
    const std::uint32_t wire = htonl(address.value);
    Number number(nl_addr_build(AF_INET, &wire, sizeof wire));
    if (number) nl_addr_set_prefixlen(number.get(), static_cast<int>(prefix));
    return number;
}

Ipv4 from_number(const nl_addr* number) {
    std::uint32_t wire = 0;
    if (number == nullptr || nl_addr_get_len(number) != sizeof wire) return {};
    std::memcpy(&wire, nl_addr_get_binary_addr(number), sizeof wire);
    return Ipv4(ntohl(wire));
}

}  // namespace diskless::netlink
