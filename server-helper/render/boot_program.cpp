#include "server-helper/render/boot_program.hpp"

#include <algorithm>

#include "server-helper/render/http_url.hpp"

namespace diskless::server {

namespace {
struct Architecture {
    unsigned number;
    const char* tag;
    const char *pxelinux, *grub, *ipxe;  // nullptr: there is none
    bool efi, by_http;
};

constexpr Architecture kArchitectures[] = {
    {0, "bios", "pxelinux.0", "grub/i386-pc/core.0", "undionly.kpxe", false, false},
    {6, "efi32", "syslinux32.efi", "grub/i386-efi/core.efi", "ipxe32.efi", true, false},
    {7, "efi64", "syslinux.efi", "grub/x86_64-efi/core.efi", "ipxe.efi", true, false},
    {9, "efibc", "syslinux.efi", "grub/x86_64-efi/core.efi", "ipxe.efi", true, false},
    {11, "arm64", nullptr, "grub/arm64-efi/core.efi", "ipxe-arm64.efi", true, false},
    {16, "http64", nullptr, "grub/x86_64-efi/core.efi", "ipxe.efi", true, true},
    {19, "httparm64", nullptr, "grub/arm64-efi/core.efi", "ipxe-arm64.efi", true, true},
};

const char* program_of(const Architecture& architecture, const std::string& loader) {
    if (loader == "pxelinux") return architecture.pxelinux;
    if (loader == "grub") return architecture.grub;
    return loader == "ipxe" ? architecture.ipxe : nullptr;
}
}  // namespace

Result<std::vector<BootProgram>> boot_programs(const Cluster& cluster) {
    std::vector<BootProgram> programs;
    for (const auto& architecture : kArchitectures) {
        if (architecture.by_http && cluster.boot.http_url.empty()) continue;
        auto loaders = cluster.boot.loaders;
        if (architecture.efi)
            std::stable_partition(loaders.begin(), loaders.end(), [](const auto& name) { return name != "pxelinux"; });
        if (architecture.by_http) loaders.push_back("ipxe");  // boot/http has its scripts in any case
        const char* file = nullptr;
        for (const auto& loader : loaders)
            if (!file) file = program_of(architecture, loader);
        if (!file) continue;
        const auto prefix = architecture.by_http ? TRY(http_base(cluster)) + "/" : std::string();
        programs.push_back({architecture.number, architecture.tag, prefix + file, architecture.by_http});
    }
    return programs;
}

Result<std::string> ipxe_script(const Cluster& cluster) {
    if (!cluster.boot.http_url.empty()) return TRY(http_base(cluster)) + "/boot.ipxe";
    const auto& loaders = cluster.boot.loaders;
    return std::count(loaders.begin(), loaders.end(), "ipxe") ? "boot.ipxe" : "";
}

}  // namespace diskless::server
