#include "server-helper/stage/loaders.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "common/os/tool.hpp"
#include "server-helper/render/boot_program.hpp"
#include "server-helper/render/http_url.hpp"
#include "server-helper/render/nfs_exports.hpp"
#include "server-helper/stage/scratch.hpp"
#include "server-helper/stage/stage.hpp"

namespace diskless::server {

namespace {
/// What stands where in Debian, Ubuntu (first) and Fedora, RHEL (after that).
struct LoaderFile {
    const char* program;  // of boot_programs(): this file comes with it
    const char* path;     // below the TFTP root
    std::vector<const char*> places;
    const char* package;     // Debian's name
    bool companion = false;  // is not lacking by itself
};

const std::vector<LoaderFile>& loader_files() {
    // clang-format off
    static const std::vector<LoaderFile> table = {
        {"pxelinux.0", "pxelinux.0",
         {"usr/lib/PXELINUX/pxelinux.0", "usr/share/syslinux/pxelinux.0"}, "pxelinux"},
        {"pxelinux.0", "lpxelinux.0",
         {"usr/lib/PXELINUX/lpxelinux.0", "usr/share/syslinux/lpxelinux.0"}, "pxelinux", true},
        {"pxelinux.0", "ldlinux.c32",
         {"usr/lib/syslinux/modules/bios/ldlinux.c32", "usr/share/syslinux/ldlinux.c32"}, "syslinux-common"},
        {"syslinux.efi", "syslinux.efi",
         {"usr/lib/SYSLINUX.EFI/efi64/syslinux.efi", "usr/share/syslinux/efi64/syslinux.efi"}, "syslinux-efi"},
        {"syslinux.efi", "ldlinux.e64",
         {"usr/lib/syslinux/modules/efi64/ldlinux.e64", "usr/share/syslinux/efi64/ldlinux.e64"}, "syslinux-common"},
        {"syslinux32.efi", "syslinux32.efi",
         {"usr/lib/SYSLINUX.EFI/efi32/syslinux.efi", "usr/share/syslinux/efi32/syslinux.efi"}, "syslinux-efi", true},
        {"syslinux32.efi", "ldlinux.e32",
         {"usr/lib/syslinux/modules/efi32/ldlinux.e32", "usr/share/syslinux/efi32/ldlinux.e32"}, "syslinux-common", true},
        {"undionly.kpxe", "undionly.kpxe",
         {"usr/lib/ipxe/undionly.kpxe", "usr/share/ipxe/undionly.kpxe"}, "ipxe"},
        {"ipxe.efi", "ipxe.efi",
         {"usr/lib/ipxe/ipxe.efi", "usr/share/ipxe/ipxe-x86_64.efi", "usr/lib/ipxe/snponly.efi"}, "ipxe"},
        {"ipxe32.efi", "ipxe32.efi",
         {"usr/lib/ipxe/ipxe-i386.efi", "usr/share/ipxe/ipxe-i386.efi"}, "ipxe", true},
        {"ipxe-arm64.efi", "ipxe-arm64.efi",
         {"usr/lib/ipxe/ipxe-arm64.efi", "usr/share/ipxe/arm64-efi/ipxe.efi"}, "ipxe", true},
    };
    // clang-format on
    return table;
}

struct GrubPlatform {
    const char* name;
    const char* package;
    const char* core;    // as DHCP names it, below tftp/grub/NAME
    const char* format;  // of grub-mkimage
    const char* modules;
    const char *shim, *signed_core;  // of the distribution, below the root; nullptr: none
    const char* second;              // that shim starts
    bool usual;                      // lacking when it is not there
};
constexpr const char* kMenuModules =
    "normal configfile linux echo test regexp sleep reboot halt minicmd net tftp http serial";
constexpr GrubPlatform kGrubPlatforms[] = {
    {"i386-pc", "grub-pc-bin", "core.0", "i386-pc-pxe", "pxe", nullptr, nullptr, nullptr, true},
    {"x86_64-efi", "grub-efi-amd64-bin", "core.efi", "x86_64-efi", "efinet all_video",
     "usr/lib/shim/shimx64.efi.signed", "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed", "grubx64.efi", true},
    {"i386-efi", "grub-efi-ia32-bin", "core.efi", "i386-efi", "efinet all_video", nullptr, nullptr, nullptr, false},
    {"arm64-efi", "grub-efi-arm64-bin", "core.efi", "arm64-efi", "efinet all_video", "usr/lib/shim/shimaa64.efi.signed",
     "usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed", "grubaa64.efi", false},
};

std::string grub_path(const GrubPlatform& platform, std::string_view file) {
    return fmt::format("tftp/grub/{}/{}", platform.name, file);
}

/// Files below boot/tftp that DHCP answers name, without the URL of HTTP boot.
Result<std::set<std::string>> named_programs(const Cluster& cluster) {
    std::set<std::string> named;
    for (const auto& program : TRY(boot_programs(cluster))) {
        auto file = program.file;
        if (program.by_http) file.erase(0, TRY(http_base(cluster)).size() + 1);
        named.insert(file);
    }
    return named;
}

/// Those of every loader alone: a DHCP server of the site's may name others than ours does.
Result<std::set<std::string>> possible_programs(const Cluster& cluster) {
    auto possible = TRY(named_programs(cluster));
    Cluster one;
    one.boot.http_url = cluster.boot.http_url;
    for (const auto& loader : cluster.boot.loaders) {
        one.boot.loaders = {loader};
        possible.merge(TRY(named_programs(one)));
    }
    return possible;
}

class Planner {
  public:
    Planner(const std::string& host, std::set<std::string> named, StagePlan& plan)
        : host_(host), named_(std::move(named)), plan_(plan) {}

    void copy(const LoaderFile& file) {
        const auto path = std::string("tftp/") + file.path;
        for (const auto* place : file.places)
            if (is_there(place)) return copy(path, place);
        if (!file.companion && named_.contains(file.program)) lack(path, file.package);
    }

    void grub(const GrubPlatform& platform) {
        const auto core = grub_path(platform, platform.core);
        // With the distribution's signatures the same files boot with and without Secure Boot.
        if (platform.shim && is_there(platform.shim) && is_there(platform.signed_core)) {
            copy(core, platform.shim);
            copy(grub_path(platform, platform.second), platform.signed_core);
            return;
        }
        const auto directory = join_path(host_ == "/" ? "" : host_, std::string("usr/lib/grub/") + platform.name);
        const auto tool = find_tool("grub-mkimage");
        const FileInRoot list{host_, std::string("usr/lib/grub/") + platform.name + "/moddep.lst"};
        if (!tool || !is_there(list.path)) {
            if (platform.usual && named_.contains(core.substr(5)))
                lack(core, tool ? platform.package : std::string("grub-common ") + platform.package);
            return;
        }
        BootFile file;
        file.path = core;
        file.fingerprint = path_uuid(fmt::format("grub {} {} {} {}", platform.modules, kMenuModules,
                                                 file_fingerprint(list), file_fingerprint({"/", *tool})));
        file.make = [name = std::string(platform.name), directory] { return make_grub_core(name, directory); };
        plan_.files.push_back(std::move(file));
    }

  private:
    bool is_there(const std::string& place) const {
        const auto status = status_in_root({host_, place});
        return status && status->kind == FileKind::regular;
    }
    void copy(const std::string& path, const char* place) {
        BootFile file;
        file.path = path;
        file.source = {host_, place};
        file.fingerprint = path_uuid(std::string(place) + " " + file_fingerprint(file.source));
        plan_.files.push_back(std::move(file));
    }
    void lack(const std::string& path, const std::string& packages) {
        plan_.lacking.push_back({path, base_name(path) + " is not on this server", "apt-get install " + packages});
    }

    const std::string& host_;
    std::set<std::string> named_;  // by DHCP answers: lacking when they are not there
    StagePlan& plan_;
};
}  // namespace

std::vector<std::string> loader_paths(const Cluster& cluster) {
    std::vector<std::string> paths;
    const auto possible = possible_programs(cluster);
    if (!possible) return paths;
    for (const auto& file : loader_files())
        if (possible->contains(file.program)) paths.push_back(std::string("tftp/") + file.path);
    for (const auto& platform : kGrubPlatforms) {
        const auto core = grub_path(platform, platform.core);
        if (!possible->contains(core.substr(5))) continue;
        paths.push_back(core);
        if (platform.second) paths.push_back(grub_path(platform, platform.second));
    }
    return paths;
}

Result<> plan_loaders(const Cluster& cluster, const std::string& host, StagePlan& plan) {
    const auto possible = TRY(possible_programs(cluster));
    Planner planner(host, TRY(named_programs(cluster)), plan);
    for (const auto& file : loader_files())
        if (possible.contains(file.program)) planner.copy(file);
    for (const auto& platform : kGrubPlatforms)
        if (possible.contains(grub_path(platform, platform.core).substr(5))) planner.grub(platform);
    return {};
}

Result<std::string> make_grub_core(const std::string& platform, const std::string& directory) {
    const auto* known = std::find_if(std::begin(kGrubPlatforms), std::end(kGrubPlatforms),
                                     [&](const auto& one) { return one.name == platform; });
    const auto tool = find_tool("grub-mkimage");
    if (known == std::end(kGrubPlatforms) || !tool)
        return fail("there is no grub-mkimage for " + platform, "apt-get install grub-common");
    const auto scratch = TRY(Scratch::make());
    const auto out = join_path(scratch.path(), "core");
    // One file that holds all that a menu needs, where grub-mknetdir makes hundreds that come one by one by TFTP. The
    // prefix is without a device: the server that GRUB came from.
    std::vector<std::string> command{*tool, "-d", directory, "-O", known->format, "-p", "/grub", "-o", out};
    for (const auto* list : {known->modules, kMenuModules})
        for (const auto module : words(list)) command.emplace_back(module);
    const auto output = TRY(run_tool(command, std::chrono::seconds(60)));
    if (output.status != 0)
        return fail(fmt::format("grub-mkimage failed for {}: {}", platform, printable(trim(output.text))),
                    "install grub-common and the modules of one version");
    return LinuxFiles().read(out, std::size_t{16} << 20);
}

}  // namespace diskless::server
