#include "init/root_modules.hpp"

#include <array>
#include <map>

#include "common/base/text.hpp"
#include "common/os/files.hpp"
#include "init/boot.hpp"

namespace diskless {

namespace {

constexpr std::size_t kLargestList = std::size_t{16} << 20;

constexpr std::array<std::string_view, 9> kDiskDirectories{
    "kernel/drivers/ata/",     "kernel/drivers/block/",    "kernel/drivers/scsi/",
    "kernel/drivers/nvme/",    "kernel/drivers/mmc/",      "kernel/drivers/virtio/",
    "kernel/drivers/message/", "kernel/drivers/usb/host/", "kernel/drivers/usb/storage/"};

/// "kernel/drivers/block/zram/zram.ko.xz" -> "zram".
std::string module_name(std::string_view path) {
    const auto file = base_name(path);
    return normalize_alias(file.substr(0, file.find('.')));
}

}  // namespace

Manifest disk_modules(std::string_view modules_dep, std::string_view modules_alias, const std::string& directory) {
    Manifest manifest;
    std::map<std::string, std::size_t, std::less<>> disks;  // index into manifest.modules
    for (const auto line : lines(modules_dep)) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        const auto path = line.substr(0, colon);
        ModuleEntry module{.name = module_name(path), .path = join_path(directory, path)};
        for (const auto need : words(line.substr(colon + 1))) module.needs.push_back(module_name(need));
        for (const auto wanted : kDiskDirectories)
            if (path.starts_with(wanted)) disks.emplace(module.name, manifest.modules.size());
        manifest.modules.push_back(std::move(module));
    }
    for (const auto line : lines(modules_alias)) {
        const auto fields = words(line);
        if (fields.size() != 3 || fields[0] != "alias") continue;
        const auto disk = disks.find(fields[2]);
        if (disk != disks.end()) manifest.modules[disk->second].aliases.push_back(normalize_alias(fields[1]));
    }
    return manifest;
}

Manifest modules_of_root(const Files& files, const std::string& release, bool with_disks) {
    const auto directory = join_path(join_path(kNewRoot, "/lib/modules"), release);
    const auto text = [&](const char* name) {
        return files.read(join_path(directory, name), kLargestList).value_or(std::string());
    };
    return disk_modules(text("modules.dep"), with_disks ? text("modules.alias") : std::string(), directory);
}

std::vector<std::string> modules_of_file_system(const std::string& type) {
    // Code page 437 and one of these are what kernels are configured with.
    if (type == "vfat") return {"nls_cp437", "nls_ascii", "nls_iso8859_1", "nls_utf8", "vfat"};
    if (type == "ext4" || type == "xfs") return {"crc32c_generic", type};
    return {type};
}

std::string chosen_compressor(std::string_view comp_algorithm) {
    const auto begin = comp_algorithm.find('[');
    const auto end = comp_algorithm.find(']');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
    return normalize_alias(comp_algorithm.substr(begin + 1, end - begin - 1));
}

}  // namespace diskless
