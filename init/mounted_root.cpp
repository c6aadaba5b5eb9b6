#include "init/mounted_root.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/nfs/servers.hpp"
#include "init/boot.hpp"

namespace diskless {

namespace {

constexpr const char* kProgramInRam = "/init";

/// The value of "name=value" among options.
std::string_view option(std::string_view options, std::string_view name) {
    for (const auto each : split(options, ','))
        if (each.starts_with(name) && each.size() > name.size() && each[name.size()] == '=')
            return each.substr(name.size() + 1);
    return {};
}

/// A tmpfs over a directory that every root has, with this program and what is to be mounted in it.
Result<std::string> make_ram(Os& os) {
    const auto self = TRY(os.files.read_link("/proc/self/exe"));
    auto ram = Result<std::string>(fail("no directory to mount it on"));
    for (const char* place : {"/run", "/tmp", "/mnt", "/var"}) {
        if (!os.files.is_directory(place)) continue;
        const auto mounted = os.mounts.mount({"diskless-ram", place, "tmpfs", "nosuid,mode=0755,size=64M"});
        if (mounted) {
            ram = place;
            break;
        }
        ram = Failure(mounted.error());
    }
    if (!ram) return ram;
    for (const char* directory : {"/proc", "/sys", "/dev", "/run", kNewRoot})
        TRY(os.files.make_directories(join_path(*ram, directory)));
    TRY(os.files.copy(self, join_path(*ram, kProgramInRam), CopyWhat::everything));
    TRY(os.files.set_mode(join_path(*ram, kProgramInRam), 0755));
    return ram;
}

}  // namespace

Result<MountedRoot> mounted_root(Os& os) {
    const auto table = TRY(os.mounts.table());
    MountedRoot root;
    bool found = false;
    for (const auto& entry : table) {
        if (entry.target != kNewRoot) continue;
        if (!entry.type.starts_with("nfs"))
            return fail(fmt::format("the root is {}, not NFS", printable(entry.type)),
                        "boot it without init=, or by NFS");
        const auto location = TRY(parse_nfs_location(entry.source));
        const auto address = Ipv4::parse(option(entry.super_options, "addr"));
        root.server = address && address->is_set() ? *address
                      : !location.servers.empty()  ? location.servers.front()
                                                   : Ipv4();
        root.path = location.path;
        const auto versions = parse_nfs_version(option(entry.super_options, "vers"));
        if (!versions.empty()) root.version = versions.front();
        root.options = entry.super_options;
        const auto flags = split(entry.options, ',');
        root.writable = std::ranges::find(flags, "rw") != flags.end() && entry.super_options.starts_with("rw");
        found = true;
    }
    if (!found) return fail(std::string("nothing is mounted on ") + kNewRoot);
    return root;
}

Result<bool> step_into_ram(Os& os, const std::vector<std::string>& arguments,
                           const std::vector<std::string>& environment) {
    TRY(os.files.make_directories("/proc"));
    if (auto mounted = os.mounts.mount({"proc", "/proc", "proc", "nosuid,nodev,noexec"});
        !mounted && mounted.error().code != EBUSY)
        return Failure(mounted.error());
    const auto before = TRY(os.mounts.table());
    std::string type = "rootfs";  // the kernel's first one is not always in the table
    for (const auto& entry : before)
        if (entry.target == "/") type = entry.type;
    if (type == "rootfs" || type == "ramfs" || type == "tmpfs") return mounted_at(before, kNewRoot) != nullptr;

    const auto ram = TRY_TO("make a root in RAM", make_ram(os));
    TRY(os.machine.pivot_root(ram, join_path(ram, kNewRoot)));
    for (const std::string api : {"/proc", "/sys", "/dev", "/run"})
        if (mounted_at(before, api) != nullptr && api != ram) TRY(os.mounts.move(join_path(kNewRoot, api), api));
    // What was there before the RAM covered it; other places have no meaning here.
    if (mounted_at(before, "/run") != nullptr && ram == "/run")
        TRY(os.mounts.move(join_path(kNewRoot, "/run"), "/run"));
    auto again = arguments;
    if (again.empty()) again.emplace_back("init");
    return Failure(os.processes.execute(kProgramInRam, again, environment));
}

}  // namespace diskless
