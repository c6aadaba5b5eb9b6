// protect-network: the distribution's network managers are told, by files in /run, that the root interface is not
// theirs. One that flushed its address would cut the node from its root. (Their files in /etc are seen to by identify.)
#include <fmt/core.h>

#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

Result<> put(Files& files, const std::string& path, const std::string& content) {
    TRY(files.make_directories(parent_path(path)));
    return files.replace(path, content);
}

Result<> run(StepContext& context, const Boot& boot) {
    Files& files = context.os.files;
    const auto& name = boot.link.name;
    const auto mac = boot.link.mac.text();
    // Matched by hardware address, for udev may rename the interface; by name where there is none (InfiniBand).
    const auto match = boot.link.mac.is_set() ? "MACAddress=" + mac : "Name=" + name;
    // systemd.network(5)
    TRY(put(files, "/run/systemd/network/00-diskless-root.network",
            fmt::format("# {0} carries the root: diskless-init keeps it\n[Match]\n{1}\n\n[Link]\nUnmanaged=yes\n"
                        "RequiredForOnline=no\n",
                        name, match)));
    // systemd.link(5): and udev shall not rename it, nor change its hardware address.
    if (boot.link.is_ethernet())
        TRY(put(
            files, "/run/systemd/network/00-diskless-root.link",
            fmt::format("[Match]\nMACAddress={}\nType=ether\n\n[Link]\nNamePolicy=\nName={}\nMACAddressPolicy=none\n",
                        mac, name)));
    // NetworkManager.conf(5)
    TRY(put(files, "/run/NetworkManager/conf.d/00-diskless-root.conf",
            fmt::format("# {0} carries the root: diskless-init keeps it\n[keyfile]\n"
                        "unmanaged-devices=mac:{1};interface-name:{0}\n",
                        name, mac)));
    std::string dns;
    const auto add = [&](Ipv4 server) { dns += (dns.empty() ? "" : " ") + server.text(); };
    for (const auto server : boot.config.network.dns) add(server);
    if (boot.config.network.use_lease_dns)
        for (const auto server : boot.lease.dns) add(server);
    if (!dns.empty())  // resolved.conf(5): the lease is ours, so is what it says of DNS
        TRY(put(
            files, "/run/systemd/resolved.conf.d/00-diskless.conf",
            fmt::format("[Resolve]\nDNS={}\n{}{}", dns, boot.lease.domain.empty() ? "" : "Domains=" + boot.lease.domain,
                        boot.lease.domain.empty() ? "" : "\n")));
    return {};
}

}  // namespace

Step protect_network(Boot& boot) {
    return {.id = "protect-network",
            .sentence = "tell network managers to leave the root interface alone",
            .needs = {"configure-network"},
            .deadline = Milliseconds{5000},
            .failure = FailureMeans::degrade,
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
