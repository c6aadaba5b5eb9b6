// Wake-on-LAN by SIOCETHTOOL, which every kernel knows; ethtool's netlink family came with Linux 5.6.
#include <fmt/core.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

#include "common/base/text.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/links_linux.hpp"

namespace diskless {

namespace {

bool ask_driver(int socket, const std::string& name, ethtool_wolinfo& wake) {
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&wake);
    return ioctl(socket, SIOCETHTOOL, &request) == 0;
}

}  // namespace

Result<> LinuxLinks::set_wake_on_lan(const std::string& name, bool armed) {
    const auto what = fmt::format("{} Wake-on-LAN of {}", armed ? "arm" : "disarm", printable(name));
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return fail_errno(what);
    ethtool_wolinfo wake{};
    wake.cmd = ETHTOOL_GWOL;
    const bool known = ask_driver(socket.get(), name, wake);
    if (!known && errno != EOPNOTSUPP) return fail_errno(what);
    if (!known || (wake.supported & WAKE_MAGIC) == 0) {
        if (!armed) return {};
        return fail_errno(what + (known ? ": the card knows no magic packet" : ": its driver cannot wake the machine"),
                          EOPNOTSUPP, "leave diskless.wol= away, or use another card");
    }
    const auto wanted = armed ? wake.wolopts | WAKE_MAGIC : 0;
    if (wake.wolopts == wanted) return {};
    wake.cmd = ETHTOOL_SWOL;
    wake.wolopts = wanted;
    if (!ask_driver(socket.get(), name, wake)) return fail_errno(what);
    return {};
}

}  // namespace diskless
