// libnl objects that free themselves, and a socket that keeps the kernel's own error number.
#pragma once

#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>

#include <memory>
#include <string_view>

#include "common/base/result.hpp"
#include "common/net/address.hpp"

namespace diskless::netlink {

template <auto function>
struct Free {
    template <class T>
    void operator()(T* object) const {
        function(object);
    }
};

using Cache = std::unique_ptr<nl_cache, Free<&nl_cache_free>>;
using LinkObject = std::unique_ptr<rtnl_link, Free<&rtnl_link_put>>;
using AddressObject = std::unique_ptr<rtnl_addr, Free<&rtnl_addr_put>>;
using RouteObject = std::unique_ptr<rtnl_route, Free<&rtnl_route_put>>;
using Number = std::unique_ptr<nl_addr, Free<&nl_addr_put>>;

/// rtnetlink, one conversation at a time.
class Socket {
  public:
    static Result<std::unique_ptr<Socket>> open();
    nl_sock* get() const { return socket_.get(); }
    int fd() const { return nl_socket_get_fd(socket_.get()); }

    /// What a libnl call on this socket came to: the kernel's errno where the kernel refused, libnl's words otherwise.
    Result<> check(std::string_view what, int result) const;

  private:
    std::unique_ptr<nl_sock, Free<&nl_socket_free>> socket_;
    int kernel_error_ = 0;
};

/// An IPv4 network or address as libnl wants it.
Number to_number(Ipv4 address, unsigned prefix = 32);
/// And back; 0.0.0.0 for none, and for what is no IPv4 address (the destination of a default route has no bytes).
Ipv4 from_number(const nl_addr* number);

}  // namespace diskless::netlink
