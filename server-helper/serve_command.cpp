// diskless-server serve: DHCP, TFTP and NFS in the foreground, by real servers.
#include "server-helper/serve_command.hpp"

#include <fmt/core.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "common/os/tool.hpp"
#include "server-helper/boot_commands.hpp"
#include "server-helper/render/nfs_exports.hpp"
#include "server-helper/serve/serve_plan.hpp"
#include "server-helper/tree_options.hpp"

namespace diskless::server {

namespace {
namespace po = boost::program_options;

OptionSet options() {
    OptionSet set;
    set.usage = "diskless-server serve --interface IF [OPTIONS]";
    set.examples =
        "Serves DHCP and TFTP by dnsmasq, and NFS by the kernel or NFS-Ganesha, until Ctrl-C.\n"
        "SIGHUP: the node list is read again.\n"
        "Examples:\n"
        "  diskless-server serve --interface eth1              this is the DHCP server of that network\n"
        "  diskless-server serve --interface eth1 --proxy      another one is: it is not disturbed\n"
        "  diskless-server serve --interface eth1 --no-dhcp    NFS only\n"
        "  diskless-server serve --interface eth1 --dry-run    only show the commands\n";
    set.described.add_options()("base", po::value<std::string>(), "the tree; default $DISKLESS_BASE or /srv/diskless")(
        "interface,i", po::value<std::string>()->value_name("IF"), "has the server's address; nodes are there")(
        "proxy", "beside another DHCP server: addresses are given out by that one (proxyDHCP)")(
        "no-dhcp", "neither DHCP nor TFTP")("nfs", po::value<std::string>()->value_name("KIND"),
                                            "kernel, ganesha or none; default what this machine has")(
        "dry-run,n", "print the commands, start nothing")("quiet,q", "warnings and failures only");
    return set;
}

std::string tool(const char* name) { return find_tool(name).value_or(""); }

ServeTools look_at_tools() {
    const LinuxFiles files;
    ServeTools tools;
    tools.dnsmasq = tool("dnsmasq");
    tools.ganesha = tool("ganesha.nfsd");
    tools.exportfs = tool("exportfs");
    tools.nfsd = tool("rpc.nfsd");
    tools.mountd = tool("rpc.mountd");
    const auto threads = files.read("/proc/fs/nfsd/threads");
    tools.kernel_threads = threads && parse_number<int>(trim(*threads)).value_or(0) > 0;
    tools.kernel_nfs = files.exists("/proc/fs/nfsd");
    if (const auto modinfo = find_tool("modinfo"); modinfo && !tools.kernel_nfs) {
        const auto found = run_tool({*modinfo, "nfsd"}, std::chrono::seconds(10));
        tools.kernel_nfs = found && found->status == 0;
    }
    tools.rpcbind_runs = answers_at("/run/rpcbind.sock");
    tools.mountd_runs = check_port({false, 20048, {}, {}}).has_value() ? false : tools.kernel_threads;
    return tools;
}

Result<NfsServer> nfs_of(const ParsedOptions& parsed, const ServeTools& tools) {
    const auto kind = parsed.text("nfs");
    if (kind == "none") return NfsServer::none;
    if (kind == "kernel") return NfsServer::kernel;
    if (kind == "ganesha") return NfsServer::ganesha;
    if (!kind.empty())
        return bad_usage(fmt::format("--nfs cannot be \"{}\"", printable(kind)), "kernel, ganesha or none");
    return choose_nfs(tools);
}

Result<> check_interface(const std::string& interface, const Cluster& cluster) {
    const auto found = addresses_of(interface);
    if (!found.exists) return fail("there is no interface " + printable(interface), "ip link lists them");
    if (!found.up) return fail("interface " + interface + " is down", fmt::format("ip link set {} up", interface));
    if (std::ranges::find(found.addresses, cluster.server) != found.addresses.end()) return {};
    return fail(fmt::format("interface {} does not have the server's address {}", interface, cluster.server.text()),
                fmt::format("ip address add {}/{} dev {}, or correct address in cluster.toml", cluster.server.text(),
                            cluster.prefix, interface));
}

Result<> check_menus(const Cluster& cluster) {
    if (LinuxFiles().exists(boot_path(cluster, ".rendered"))) return {};
    return fail(boot_path(cluster, "tftp") + " has no boot menus yet", "diskless-server boot apply");
}

/// Nodes cannot mount what is not there; those that can are served all the same.
void tell_missing_exports(const Site& site, Streams& streams) {
    const auto exports = wanted_exports(site);
    if (!exports) return;  // planning tells
    std::size_t missing = 0;
    std::string first;
    for (const auto& entry : *exports)
        if (!LinuxFiles().is_directory(entry.path) && missing++ == 0) first = entry.path;
    if (missing > 0)
        streams.err << fmt::format("warning: {} of {} exported directories do not exist, as {} (snapshot prepare)\n",
                                   missing, exports->size(), first);
}

/// A directory below /run that other users may read, gone at the end with all files of the run.
class RunDirectory {
  public:
    static Result<RunDirectory> make() {
        std::string path = "/run/diskless-serve.XXXXXX";
        if (!::mkdtemp(path.data())) return fail_errno("mkdtemp " + path, errno, "serve needs root");
        (void)::chmod(path.c_str(), 0755);
        return RunDirectory(path);
    }
    RunDirectory(RunDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    RunDirectory& operator=(RunDirectory&&) = delete;
    ~RunDirectory() {
        if (!path_.empty()) (void)LinuxFiles().remove_tree(path_);
    }
    const std::string& path() const { return path_; }

  private:
    explicit RunDirectory(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

Result<> write_files(const ServePlan& plan) {
    LinuxFiles files;
    for (const auto& directory : plan.directories) TRY(files.make_directories(directory));
    for (const auto& [path, content] : plan.files) TRY_TO("serve", files.replace(path, content));
    return {};
}

Result<> run_all(const std::vector<std::vector<std::string>>& commands) {
    for (const auto& command : commands) {
        const auto output = TRY(run_tool(command, std::chrono::seconds(60)));
        if (output.status != 0)
            return fail(fmt::format("{} failed (exit status {}): {}", join(command, " "), output.status,
                                    printable(trim(output.text))));
    }
    return {};
}

void print_plan(const ServePlan& plan, Streams& streams) {
    for (const auto& note : plan.notes) streams.out << "# " << note << '\n';
    for (const auto& [path, content] : plan.files) streams.out << "# writes " << path << '\n';
    for (const auto& command : plan.before) streams.out << join(command, " ") << '\n';
    for (const auto& server : plan.servers) streams.out << join(server.command, " ") << " &\n";
    for (const auto& command : plan.after) streams.out << "# at the end: " << join(command, " ") << '\n';
}

Result<Site> read_site(const std::string& base) {
    auto cluster = TRY(load_cluster(base));
    auto site = TRY(make_site(std::move(cluster)));
    find_file_system_identities(site);
    return site;
}

/// What was exported for this run is exported no more.
class Cleanup {
  public:
    explicit Cleanup(const ServePlan& plan) : plan_(plan) {}
    Cleanup(const Cleanup&) = delete;
    Cleanup& operator=(const Cleanup&) = delete;
    ~Cleanup() {
        if (plan_.files.contains(std::string(kServedExports))) (void)LinuxFiles().remove(std::string(kServedExports));
        for (const auto& command : plan_.after) (void)run_all({command});
    }

  private:
    const ServePlan& plan_;
};
}  // namespace

Result<> serve(const std::vector<std::string>& arguments, Streams& streams) {
    auto set = options();
    const auto parsed = TRY(parse_options(set, arguments, streams));
    if (parsed.helped) return {};
    const auto base = TRY(base_of(parsed));
    const auto tools = look_at_tools();
    ServeRequest request;
    request.interface = parsed.text("interface");
    request.proxy = parsed.has("proxy");
    request.dhcp = !parsed.has("no-dhcp");
    if (request.interface.empty())
        return bad_usage("--interface is missing: which network are the nodes in?", "ip -br address lists them");
    request.nfs = TRY(nfs_of(parsed, tools));
    auto site = TRY(read_site(base));
    const auto& cluster = site.cluster;
    const bool dry = parsed.has("dry-run"), quiet = parsed.has("quiet");
    std::optional<RunDirectory> directory;
    if (!dry) directory.emplace(TRY(RunDirectory::make()));
    request.directory = dry ? "/run/diskless-serve.XXXXXX" : directory->path();
    auto plan = TRY(plan_serve(site, request, tools));
    TRY(check_interface(request.interface, cluster));
    if (request.dhcp) TRY(check_menus(cluster));
    for (const auto& port : plan.ports) TRY(check_port(port));
    if (dry) {
        print_plan(plan, streams);
        return {};
    }
    for (const auto& note : plan.notes) streams.err << note << '\n';
    if (request.nfs != NfsServer::none) tell_missing_exports(site, streams);
    const Cleanup cleanup(plan);
    TRY(write_files(plan));
    TRY(run_all(plan.before));

    SuperviseHooks hooks;
    hooks.log = [&](std::string_view name, std::string_view line) {
        if (!quiet) streams.out << fmt::format("{}: {}\n", name, line) << std::flush;
    };
    hooks.started = [&] {
        if (!quiet)
            streams.out << fmt::format("serving {} nodes on {} by {}; Ctrl-C ends it\n", cluster.nodes.size(),
                                       request.interface, cluster.server.text())
                        << std::flush;
    };
    hooks.reload = [&] {
        const auto again = read_site(base);
        const auto planned = again ? plan_serve(*again, request, tools) : Result<ServePlan>(Failure(again.error()));
        const auto done = planned ? write_files(*planned) : Result<>(Failure(planned.error()));
        // Whatever is wrong with the list, nodes that run go on.
        if (!done) streams.err << "the node list is not taken: " << done.error().cause << std::endl;
    };
    TRY(supervise(plan.servers, hooks));
    if (!quiet) streams.out << "ended\n";
    return {};
}

}  // namespace diskless::server
