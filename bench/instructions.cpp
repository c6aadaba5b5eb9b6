// Fixed work whose instructions bench/instructions counts: only what measured_work() calls, none of what prepares it.
//
//   instructions SUBJECT      does it; "subjects" lists them, "toolchain" names what compiled this and runs it
#include <fmt/core.h>
#include <gnu/libc-version.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "common/os/files_linux.hpp"
#include "common/state/state_plan.hpp"
#include "init/config.hpp"
#include "init/plan.hpp"
#include "server-helper/render/rendered.hpp"

using Work = std::function<std::size_t()>;

/// Its name is what callgrind is told to watch. The result is printed, so that no compiler leaves the work out.
extern "C" [[gnu::noinline]] std::size_t measured_work(const Work& work) { return work(); }

namespace diskless {
namespace {

const char* const kCommandLines[] = {
    "BOOT_IMAGE=debian/vmlinuz root=/dev/nfs nfsroot=10.9.0.1:/srv/diskless/images/debian/7,vers=3,tcp,nolock ip=dhcp ro "
    "console=ttyS0,115200 BOOTIF=01-52-54-00-12-34-56 diskless.snapshot=10.9.0.1:/srv/diskless/snapshots quiet",
    "root=nfs4:10.9.0.1,10.9.0.2:/srv/root:rsize=1048576 ip=10.9.0.17::10.9.0.254:255.255.0.0:node017:eth0:none:10.9.0.53 "
    "ifname=eth0:52:54:00:12:34:56 bootdev=eth0 rd.debug rd.neednet=1 nameserver=10.9.0.53",
    "NFSROOT=10.9.0.1:/diskless/i386/RHEL4-AS SNAPSHOT=node017 ETHERNET=eth0 NISDOMAIN=cluster root=/dev/ram0 init=disklessrc",
    "boot=nfs nfsroot=10.9.0.1:/srv/nfs/debian,rw ip=:::::eth0:dhcp hostname=node017.cluster.example init=/lib/systemd/systemd "
    "systemd.unit=rescue.target -- single",
};

Work parse() {
    return [] {
        std::size_t told = 0;
        for (const auto* line : kCommandLines) told += describe(parse_boot_config({line, "panic=30 quiet", 0})).size();
        return told;
    };
}

Work plan() {
    std::vector<BootConfig> configs;
    for (const auto* line : kCommandLines) configs.push_back(parse_boot_config({line, {}, 0}));
    return [configs] {
        std::size_t told = 0;
        for (const auto& config : configs) {
            Boot boot;
            boot.config = config;
            const auto made = plan_boot(boot);
            told += made.size() + problems_of(made).size();
        }
        return told;
    };
}

/// A root and a list of `count` entries in it, in the present directory: a fifth directories, the rest files.
Work state(int count) {
    namespace fs = std::filesystem;
    fs::create_directories("root/etc");
    fs::create_directories("snapshot/files");
    std::string list;
    for (int n = 0; n < count; ++n) {
        const auto path = n % 5 == 0 ? fmt::format("/var/lib/service{}", n) : fmt::format("/etc/group{}/conf{}", n % 7, n);
        fs::create_directories("root" + (n % 5 == 0 ? path : path.substr(0, path.rfind('/'))));
        if (n % 5 != 0) std::ofstream("root" + path) << n;
        list += path + (n % 5 == 0 ? "/\n" : "\n");
    }
    std::ofstream("root/etc/statetab") << list;
    return [] {
        StateInput input;
        input.root = "/proc/self/cwd/root";  // the same path wherever the directory is
        input.snapshot = "/proc/self/cwd/snapshot";
        input.node = "node017";
        return describe(plan_state(input, LinuxFiles())).size();
    };
}

Work render(unsigned count) {
    server::Site site;
    auto& cluster = site.cluster;
    cluster.base = "/srv/diskless";
    cluster.name = "rack";
    cluster.server = Ipv4(10, 9, 0, 1);
    cluster.network = Ipv4(10, 9, 0, 0);
    cluster.prefix = 16;
    cluster.router = Ipv4(10, 9, 0, 254);
    cluster.domain = "cluster.example";
    cluster.boot.loaders = {"pxelinux", "grub", "ipxe"};
    cluster.boot.dhcp = {"dnsmasq", "isc", "kea", "bootptab", "ethers"};
    cluster.boot.nfs = {"kernel", "ganesha"};
    cluster.boot.http_url = "http://10.9.0.1/";
    for (unsigned n = 0; n < count; ++n) {
        server::ResolvedNode node;
        node.name = node.hostname = node.snapshot = fmt::format("node{:03}", n);
        node.address = Ipv4(10, 9, 1, static_cast<std::uint8_t>(n));
        node.mac = *Mac::parse(fmt::format("52:54:00:12:34:{:02x}", n));
        node.groups = {"compute"};
        node.image = "debian";
        node.generation = "7";
        node.root_path = "/srv/diskless/images/debian/7";
        node.kernel = "debian/vmlinuz";
        node.initramfs = "debian/initrd.img";
        node.snapshot_path = "/srv/diskless/snapshots/" + node.name;
        node.command_line = "root=/dev/nfs nfsroot=10.9.0.1:/srv/diskless/images/debian/7 ip=dhcp ro SNAPSHOT=" + node.name;
        server::Node plain;
        plain.name = node.name;
        plain.address = node.address;
        plain.mac = node.mac;
        cluster.nodes.push_back(plain);
        site.nodes.push_back(std::move(node));
    }
    cluster.index_nodes();
    return [site = std::move(site)] {
        server::Rendering files;
        for (const auto& dialect : server::dialects())
            if (!dialect.render(site, files)) return std::size_t{0};
        std::size_t bytes = 0;
        for (const auto& file : files) bytes += file.content.size();
        return bytes;
    };
}

struct Subject {
    const char* name;
    Work (*prepare)();
};
const Subject kSubjects[] = {
    {"parse", parse},
    {"plan", plan},
    {"state-40", [] { return state(40); }},
    {"state-1000", [] { return state(1000); }},
    {"render-100", [] { return render(100); }},
};

int run(const std::string& name) {
    if (name == "toolchain") return fmt::print("GCC {}, glibc {}\n", __VERSION__, gnu_get_libc_version()), 0;
    for (const auto& subject : kSubjects) {
        if (name == "subjects") fmt::print("{}\n", subject.name);
        if (name != subject.name) continue;
        const auto result = measured_work(subject.prepare());
        fmt::print("{}\n", result);
        return result > 0 ? 0 : 1;
    }
    return name == "subjects" ? 0 : 2;
}

}  // namespace
}  // namespace diskless

int main(int count, char** arguments) { return count == 2 ? diskless::run(arguments[1]) : 2; }
