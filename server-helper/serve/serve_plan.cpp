#include "server-helper/serve/serve_plan.hpp"

#include <fmt/core.h>

#include "common/base/text.hpp"
#include "common/os/files.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

namespace {
using Words = std::vector<std::string>;

Result<> need(const std::string& program, const char* name, const char* package) {
    if (!program.empty()) return {};
    return fail(std::string(name) + " is not on this server", std::string("apt-get install ") + package);
}

std::string content_of(const Rendering& rendering, std::string_view path) {
    for (const auto& file : rendering)
        if (file.path == path) return file.content;
    return {};
}

Result<> plan_dhcp(const Site& site, const ServeRequest& request, const ServeTools& tools, ServePlan& plan) {
    TRY(need(tools.dnsmasq, "dnsmasq", "dnsmasq-base"));
    Rendering rendering;
    TRY(request.proxy ? render_dnsmasq_proxy(site, rendering) : render_dnsmasq(site, rendering));
    const std::string name = request.proxy ? "dnsmasq-proxy" : "dnsmasq";
    const auto hosts = join_path(request.directory, name + ".hosts");
    const auto configuration = join_path(request.directory, name + ".conf");
    // The same text as boot apply writes, but for the place of the hosts.
    const auto rendered = content_of(rendering, "etc/" + name + ".conf");
    std::string text;
    for (const auto line : lines(rendered))
        if (!line.starts_with("dhcp-hostsfile=")) text.append(line) += '\n';
    text += "dhcp-hostsfile=" + double_quoted(hosts) + "\n";
    plan.files[configuration] = std::move(text);
    plan.files[hosts] = content_of(rendering, "etc/" + name + ".hosts");
    plan.servers.push_back({"dnsmasq",
                            {tools.dnsmasq, "--keep-in-foreground", "--log-facility=-", "--log-dhcp",
                             "--pid-file=", "--dhcp-leasefile=" + boot_path(site.cluster, ".serve.leases"),
                             "--conf-file=" + configuration},
                            true});
    for (const std::uint16_t port : {std::uint16_t{67}, std::uint16_t{4011}})
        if (port == 67 || request.proxy) plan.ports.push_back({true, port, {}, request.interface});
    plan.ports.push_back({true, 69, site.cluster.server, request.interface});
    return {};
}

Result<> plan_ganesha(const Site& site, const ServeRequest& request, const ServeTools& tools, ServePlan& plan) {
    TRY(need(tools.ganesha, "ganesha.nfsd", "nfs-ganesha nfs-ganesha-vfs"));
    Rendering rendering;
    TRY(render_ganesha(site, rendering));
    auto text = content_of(rendering, "etc/ganesha.conf");
    if (!tools.rpcbind_runs) {
        // NFSv3 and its locks have to be registered there, or the server does not start.
        constexpr std::string_view kBoth = "Protocols = 3, 4;";
        if (const auto at = text.find(kBoth); at != std::string::npos)
            text.replace(at, kBoth.size(), "Protocols = 4;\n    Enable_NLM = false;");
        plan.notes.emplace_back("rpcbind does not run: NFS version 4 only (start rpcbind first for version 3)");
    }
    const auto configuration = join_path(request.directory, "ganesha.conf");
    plan.files[configuration] = std::move(text);
    plan.directories = {"/run/ganesha", "/var/lib/nfs/ganesha"};
    plan.servers.push_back({"ganesha",
                            {tools.ganesha, "-F", "-f", configuration, "-L", "STDOUT", "-N", "NIV_WARN", "-p",
                             join_path(request.directory, "ganesha.pid")}});
    plan.ports.push_back({false, 2049, site.cluster.server, {}});
    return {};
}

Result<> plan_kernel(const Site& site, const ServeTools& tools, ServePlan& plan) {
    TRY(need(tools.exportfs, "exportfs", "nfs-kernel-server"));
    TRY(need(tools.nfsd, "rpc.nfsd", "nfs-kernel-server"));
    TRY(need(tools.mountd, "rpc.mountd", "nfs-kernel-server"));
    Rendering rendering;
    TRY(render_exports(site, rendering));
    plan.files[std::string(kServedExports)] = content_of(rendering, "etc/exports");
    plan.directories = {"/etc/exports.d", "/var/lib/nfs"};
    plan.before.push_back({tools.exportfs, "-ra"});
    if (!tools.kernel_threads) {
        plan.ports.push_back({false, 2049, site.cluster.server, {}});
        plan.before.push_back({tools.nfsd, "8"});
        plan.after.push_back({tools.nfsd, "0"});
    } else {
        plan.notes.emplace_back("the kernel's NFS server runs already: exports are added to its own");
    }
    if (!tools.mountd_runs) plan.servers.push_back({"mountd", {tools.mountd, "--foreground"}});
    // The file of this run is gone by then: what it named is exported no more.
    plan.after.push_back({tools.exportfs, "-ra"});
    return {};
}
}  // namespace

Result<NfsServer> choose_nfs(const ServeTools& tools) {
    const bool programs = !tools.exportfs.empty() && !tools.nfsd.empty() && !tools.mountd.empty();
    if (tools.kernel_nfs && programs) return NfsServer::kernel;
    if (!tools.ganesha.empty()) return NfsServer::ganesha;
    return fail("there is no NFS server on this machine",
                tools.kernel_nfs ? "apt-get install nfs-kernel-server" : "apt-get install nfs-ganesha nfs-ganesha-vfs");
}

Result<ServePlan> plan_serve(Site site, const ServeRequest& request, const ServeTools& tools) {
    site.cluster.boot.interface = request.interface;
    ServePlan plan;
    if (request.dhcp) TRY(plan_dhcp(site, request, tools, plan));
    if (request.nfs == NfsServer::ganesha) TRY(plan_ganesha(site, request, tools, plan));
    if (request.nfs == NfsServer::kernel) TRY(plan_kernel(site, tools, plan));
    if (plan.servers.empty() && plan.before.empty())
        return fail("nothing is to be served", "leave out --no-dhcp, or --nfs none");
    return plan;
}

}  // namespace diskless::server
