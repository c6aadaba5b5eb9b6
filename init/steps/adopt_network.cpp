// adopt-network: instead of configure-network, where the kernel or another initramfs has mounted the root: the address
// is there, and is found out.
#include <fmt/core.h>

#include "common/base/text.hpp"
#include "init/mounted_root.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

bool within_network(Ipv4 address, const LinkAddress& own) {
    return own.prefix > 0 && same_network(address, own.address, own.prefix);
}

struct Found {
    Link link;
    Lease lease;
    int rank = 0;  // 3: the server is on the link; 2: by a router; 1: there is an address at least
};

Found look_at(Os& os, const Link& link, Ipv4 server) {
    Found found{.link = link, .lease = {}};
    const auto addresses = os.links.addresses(link.index);
    if (!addresses) return found;
    for (const auto& own : *addresses) {
        const int rank = within_network(server, own) ? 3 : 1;
        if (rank <= found.rank) continue;
        found.rank = rank;
        found.lease.address = own.address;
        found.lease.prefix = own.prefix;
    }
    const auto routes = os.links.routes(link.index);
    if (!routes || found.rank == 0) return found;
    for (const auto& route : *routes)
        if (route.router.is_set() && route.prefix == 0) {
            found.lease.routers.push_back(route.router);
            found.rank = std::max(found.rank, 2);
        }
    return found;
}

/// What the kernel's own DHCP client has learned (Documentation/admin-guide/nfs/nfsroot.rst).
void read_pnp(const Files& files, Lease& lease) {
    const auto text = files.read("/proc/net/pnp", 4096).value_or(std::string());
    for (const auto line : lines(text)) {
        const auto fields = words(line);
        if (fields.size() != 2) continue;
        const auto address = Ipv4::parse(fields[1]);
        if (fields[0] == "domain") lease.domain = fields[1];
        if (fields[0] == "nameserver" && address && address->is_set()) lease.dns.push_back(*address);
    }
    const auto name = files.read("/proc/sys/kernel/hostname", 256).value_or(std::string());
    const auto known = trim(name);
    // The kernel names itself by its address, of either family, when it knows no better.
    const bool is_address = known.find(':') != known.npos || Ipv4::parse(known);
    if (known != "(none)" && known != "localhost" && !is_address) lease.hostname = known.substr(0, known.find('.'));
}

Result<> run(StepContext& context, Boot& boot) {
    Os& os = context.os;
    const auto root = TRY(mounted_root(os));
    Found best;
    for (const auto& link : TRY(os.links.list())) {
        if (link.name == "lo") continue;
        auto found = look_at(os, link, root.server);
        if (found.rank > best.rank) best = std::move(found);
    }
    if (best.rank == 0) return fail("no interface has an address", "the root's server cannot be reached without one");
    best.lease.source = LeaseSource::fixed;
    best.lease.obtained = os.clock.now();
    read_pnp(os.files, best.lease);
    context.note(fmt::format("{} has {}/{}", best.link.name, best.lease.address.text(), best.lease.prefix));
    context.publish([&] {
        boot.link = std::move(best.link);
        boot.lease = std::move(best.lease);
        boot.root_source.servers = {root.server};
        boot.root_source.path = root.path;
    });
    return {};
}

}  // namespace

Step adopt_network(Boot& boot) {
    return {.id = "configure-network",
            .sentence = "find the address that the root was mounted with",
            .deadline = Milliseconds{10'000},
            .retry = {.attempts = 3},
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
