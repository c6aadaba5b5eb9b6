#include "common/os/links_linux.hpp"

#include <fmt/core.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/files.hpp"
#include "common/os/netlink_linux.hpp"

namespace diskless {

namespace {

using netlink::Socket;

constexpr unsigned kLowerUp = 1U << 16;  // IFF_LOWER_UP; <linux/if.h> cannot stand beside <net/if.h>

/// Name of the device's driver, e.g. "virtio_net"; empty for what is no device (veth, bridges) and without /sys.
std::string driver_of(const std::string& name) {
    std::array<char, 512> target{};
    const auto path = "/sys/class/net/" + name + "/device/driver";
    const auto length = readlink(path.c_str(), target.data(), target.size());
    return length > 0 ? base_name(std::string_view(target.data(), static_cast<std::size_t>(length))) : "";
}

Link to_link(rtnl_link* object) {
    Link link;
    link.index = rtnl_link_get_ifindex(object);
    if (const char* name = rtnl_link_get_name(object)) link.name = name;
    link.hardware_type = static_cast<std::uint16_t>(rtnl_link_get_arptype(object));
    const nl_addr* address = rtnl_link_get_addr(object);
    if (address != nullptr && nl_addr_get_len(address) == link.mac.bytes.size() && link.is_ethernet())
        std::copy_n(static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(address)), link.mac.bytes.size(),
                    link.mac.bytes.begin());
    const unsigned flags = rtnl_link_get_flags(object);
    link.up = (flags & IFF_UP) != 0;
    // IFF_RUNNING is not waited for: to a link that saw its carrier before it was set up the kernel gives it only when
    // the link watch next tells of news that are not urgent, up to a second later (net/core/link_watch.c), though its
    // queue is open from the first (dev_activate).
    link.carrier = link.up && (flags & kLowerUp) != 0;
    link.mtu = rtnl_link_get_mtu(object);
    link.driver = driver_of(link.name);
    return link;
}

template <class Fill>
Result<> change_link(int index, const std::string& what, Fill fill) {
    const auto socket = TRY_TO(what, Socket::open());
    const netlink::LinkObject which(rtnl_link_alloc());
    const netlink::LinkObject change(rtnl_link_alloc());
    if (!which || !change) return fail_errno(what, ENOMEM);
    rtnl_link_set_ifindex(which.get(), index);
    fill(change.get());
    return socket->check(what, rtnl_link_change(socket->get(), which.get(), change.get(), 0));
}

std::string route_words(const char* verb, int index, const Route& route) {
    return fmt::format("{} route {}/{} {} interface {}", verb, route.destination.text(), route.prefix,
                       route.router.is_set() ? "via " + route.router.text() + " on" : "on", index);
}

Result<netlink::RouteObject> route_object(const std::string& what, int index, const Route& route) {
    if (route.prefix > 32) return fail(what + ": the prefix is longer than 32", {}, EINVAL);
    netlink::RouteObject object(rtnl_route_alloc());
    const auto network = netlink::to_number(network_of(route.destination, route.prefix), route.prefix);
    const auto router = netlink::to_number(route.router);
    if (!object || !network || !router) return fail_errno(what, ENOMEM);
    rtnl_nexthop* hop = rtnl_route_nh_alloc();
    if (hop == nullptr) return fail_errno(what, ENOMEM);
    rtnl_route_nh_set_ifindex(hop, index);
    if (route.router.is_set()) rtnl_route_nh_set_gateway(hop, router.get());
    rtnl_route_add_nexthop(object.get(), hop);  // now the route's
    rtnl_route_set_family(object.get(), AF_INET);
    rtnl_route_set_dst(object.get(), network.get());
    rtnl_route_set_table(object.get(), RT_TABLE_MAIN);
    rtnl_route_set_scope(object.get(), route.router.is_set() ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
    return object;
}

/// A socket that hears of link changes; one for each thread, so that none takes another's news.
class Monitor {
  public:
    /// False when it was subscribed only now: what happened before is not known.
    bool subscribed() {
        if (socket_) return true;
        auto opened = Socket::open();
        if (!opened) return false;
        if (nl_socket_add_membership((*opened)->get(), RTNLGRP_LINK) < 0) return false;
        socket_ = std::move(*opened);
        return false;
    }

    bool has_socket() const { return socket_ != nullptr; }
    int fd() const { return socket_->fd(); }

    void forget_news() {
        std::array<char, 4096> news;  // content does not matter
        // ENOBUFS: news was lost because too much came; what is left follows
        while (recv(fd(), news.data(), news.size(), MSG_DONTWAIT) >= 0 || errno == EINTR || errno == ENOBUFS) {
        }
    }

  private:
    std::unique_ptr<Socket> socket_;
};

Monitor& monitor() {
    thread_local Monitor mine;
    return mine;
}

}  // namespace

Result<std::vector<Link>> LinuxLinks::list() {
    if (monitor().subscribed()) monitor().forget_news();
    const auto socket = TRY(Socket::open());
    nl_cache* raw = nullptr;
    TRY(socket->check("list network interfaces", rtnl_link_alloc_cache(socket->get(), AF_UNSPEC, &raw)));
    const netlink::Cache cache(raw);
    std::vector<Link> links;
    for (nl_object* object = nl_cache_get_first(raw); object != nullptr; object = nl_cache_get_next(object))
        links.push_back(to_link(reinterpret_cast<rtnl_link*>(object)));  // how libnl itself casts
    std::sort(links.begin(), links.end(), [](const Link& a, const Link& b) { return a.index < b.index; });
    return links;
}

Result<> LinuxLinks::set_up(int index) {
    return change_link(index, fmt::format("set interface {} up", index),
                       [](rtnl_link* change) { rtnl_link_set_flags(change, IFF_UP); });
}

Result<> LinuxLinks::set_down(int index) {
    return change_link(index, fmt::format("set interface {} down", index),
                       [](rtnl_link* change) { rtnl_link_unset_flags(change, IFF_UP); });
}

Result<> LinuxLinks::set_mtu(int index, std::uint32_t bytes) {
    return change_link(index, fmt::format("set MTU of interface {} to {}", index, bytes),
                       [&](rtnl_link* change) { rtnl_link_set_mtu(change, bytes); });
}

Result<> LinuxLinks::rename(int index, const std::string& name) {
    if (name.empty() || name.size() >= IFNAMSIZ)
        return fail(fmt::format("rename interface {} to '{}': not 1 to 15 characters", index, printable(name)), {},
                    EINVAL);
    return change_link(index, fmt::format("rename interface {} to {}", index, printable(name)),
                       [&](rtnl_link* change) { rtnl_link_set_name(change, name.c_str()); });
}

Result<> LinuxLinks::add_address(int index, Ipv4 address, std::uint8_t prefix, Seconds valid_for) {
    const auto what = fmt::format("add address {}/{} to interface {}", address.text(), prefix, index);
    if (prefix > 32) return fail(what + ": the prefix is longer than 32", {}, EINVAL);
    const auto socket = TRY_TO(what, Socket::open());
    const netlink::AddressObject object(rtnl_addr_alloc());
    const auto local = netlink::to_number(address, prefix);
    const auto broadcast = netlink::to_number(broadcast_of(address, prefix));
    if (!object || !local || !broadcast) return fail_errno(what, ENOMEM);
    rtnl_addr_set_ifindex(object.get(), index);
    rtnl_addr_set_local(object.get(), local.get());
    if (prefix < 31) rtnl_addr_set_broadcast(object.get(), broadcast.get());  // RFC 3021: none on a /31
    if (valid_for > Seconds{0} && valid_for < Seconds{0xFFFFFFFF}) {
        rtnl_addr_set_valid_lifetime(object.get(), static_cast<std::uint32_t>(valid_for.count()));
        rtnl_addr_set_preferred_lifetime(object.get(), static_cast<std::uint32_t>(valid_for.count()));
    }
    // NLM_F_REPLACE: the same address again gets a new life time instead of EEXIST
    return socket->check(what, rtnl_addr_add(socket->get(), object.get(), NLM_F_CREATE | NLM_F_REPLACE));
}

Result<> LinuxLinks::remove_addresses(int index) {
    const auto what = fmt::format("remove addresses of interface {}", index);
    const auto socket = TRY_TO(what, Socket::open());
    nl_cache* raw = nullptr;
    TRY(socket->check(what, rtnl_addr_alloc_cache(socket->get(), &raw)));
    const netlink::Cache cache(raw);
    for (nl_object* object = nl_cache_get_first(raw); object != nullptr; object = nl_cache_get_next(object)) {
        auto* address = reinterpret_cast<rtnl_addr*>(object);
        if (rtnl_addr_get_ifindex(address) != index || rtnl_addr_get_family(address) != AF_INET) continue;
        const auto own = TRY_TO(what, Socket::open());  // each remembers one error
        const auto removed = own->check(what, rtnl_addr_delete(own->get(), address, 0));
        // A secondary address leaves together with its primary one.
        if (!removed && removed.error().code != EADDRNOTAVAIL) return removed;
    }
    return {};
}

Result<> LinuxLinks::remove_address(int index, Ipv4 address, std::uint8_t prefix) {
    const auto what = fmt::format("remove address {}/{} of interface {}", address.text(), prefix, index);
    const auto socket = TRY_TO(what, Socket::open());
    const netlink::AddressObject object(rtnl_addr_alloc());
    const auto local = netlink::to_number(address, prefix);
    if (!object || !local) return fail_errno(what, ENOMEM);
    rtnl_addr_set_ifindex(object.get(), index);
    rtnl_addr_set_local(object.get(), local.get());
    const auto removed = socket->check(what, rtnl_addr_delete(socket->get(), object.get(), 0));
    if (!removed && removed.error().code == EADDRNOTAVAIL) return {};
    return removed;
}

Result<std::vector<LinkAddress>> LinuxLinks::addresses(int index) {
    const auto what = fmt::format("list addresses of interface {}", index);
    const auto socket = TRY_TO(what, Socket::open());
    nl_cache* raw = nullptr;
    TRY(socket->check(what, rtnl_addr_alloc_cache(socket->get(), &raw)));
    const netlink::Cache cache(raw);
    std::vector<LinkAddress> found;
    for (nl_object* object = nl_cache_get_first(raw); object != nullptr; object = nl_cache_get_next(object)) {
        auto* address = reinterpret_cast<rtnl_addr*>(object);
        if (rtnl_addr_get_ifindex(address) != index || rtnl_addr_get_family(address) != AF_INET) continue;
        LinkAddress one;
        one.address = netlink::from_number(rtnl_addr_get_local(address));
        one.prefix = static_cast<std::uint8_t>(rtnl_addr_get_prefixlen(address));
        // libnl knows no life time for addresses that live for ever
        if ((rtnl_addr_get_flags(address) & IFA_F_PERMANENT) == 0)
            one.valid_for = std::max(Seconds{1}, Seconds{rtnl_addr_get_valid_lifetime(address)});
        found.push_back(one);
    }
    return found;
}

Result<std::vector<Route>> LinuxLinks::routes(int index) {
    const auto what = fmt::format("list routes of interface {}", index);
    const auto socket = TRY_TO(what, Socket::open());
    nl_cache* raw = nullptr;
    TRY(socket->check(what, rtnl_route_alloc_cache(socket->get(), AF_INET, 0, &raw)));
    const netlink::Cache cache(raw);
    std::vector<Route> found;
    for (nl_object* object = nl_cache_get_first(raw); object != nullptr; object = nl_cache_get_next(object)) {
        auto* route = reinterpret_cast<rtnl_route*>(object);
        if (rtnl_route_get_table(route) != RT_TABLE_MAIN) continue;
        for (int i = 0; i < rtnl_route_get_nnexthops(route); ++i) {
            rtnl_nexthop* hop = rtnl_route_nexthop_n(route, i);
            if (rtnl_route_nh_get_ifindex(hop) != index) continue;
            const nl_addr* network = rtnl_route_get_dst(route);
            found.push_back({netlink::from_number(network),
                             static_cast<std::uint8_t>(network == nullptr ? 0 : nl_addr_get_prefixlen(network)),
                             netlink::from_number(rtnl_route_nh_get_gateway(hop))});
        }
    }
    return found;
}

Result<> LinuxLinks::add_route(int index, const Route& route) {
    const auto what = route_words("add", index, route);
    const auto object = TRY(route_object(what, index, route));
    const auto socket = TRY_TO(what, Socket::open());
    rtnl_route_set_protocol(object.get(), RTPROT_BOOT);
    auto added = socket->check(what, rtnl_route_add(socket->get(), object.get(), NLM_F_CREATE | NLM_F_REPLACE));
    if (!added && added.error().code == ENETUNREACH)
        added.error().remedy = "the router is in no network of this interface: check address, mask and router";
    return added;
}

Result<> LinuxLinks::remove_route(int index, const Route& route) {
    const auto what = route_words("remove", index, route);
    const auto object = TRY(route_object(what, index, route));
    const auto socket = TRY_TO(what, Socket::open());
    rtnl_route_set_protocol(object.get(), RTPROT_UNSPEC);  // whoever made it: libnl asks for RTPROT_STATIC otherwise
    auto removed = socket->check(what, rtnl_route_delete(socket->get(), object.get(), 0));
    if (!removed && removed.error().code == ESRCH) return {};
    return removed;
}

bool LinuxLinks::wait_for_change(Deadline deadline) {
    if (!monitor().subscribed()) {
        if (monitor().has_socket()) return true;
        deadline = deadline.sooner_of(Deadline::after(linux_clock(), Seconds{1}));
        linux_clock().sleep(deadline.left(linux_clock()));  // no monitor to be had: let the caller look again
        return true;
    }
    pollfd news{monitor().fd(), POLLIN, 0};
    if (poll_until(&news, 1, deadline) == 0) return false;
    monitor().forget_news();
    return true;
}

Result<std::string> broadcast_hardware_address(int index) {
    const auto what = fmt::format("broadcast address of interface {}", index);
    const auto socket = TRY_TO(what, Socket::open());
    rtnl_link* raw = nullptr;
    TRY(socket->check(what, rtnl_link_get_kernel(socket->get(), index, nullptr, &raw)));
    const netlink::LinkObject link(raw);
    const nl_addr* address = rtnl_link_get_broadcast(raw);
    if (address == nullptr || nl_addr_get_len(address) == 0)
        return fail(what + ": it has none", "the interface cannot broadcast, so configure it statically", EOPNOTSUPP);
    return std::string(static_cast<const char*>(nl_addr_get_binary_addr(address)), nl_addr_get_len(address));
}

}  // namespace diskless
