#include "initramfs/builder.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "common/base/text.hpp"
#include "initramfs/host_files.hpp"
#include "initramfs/module_file.hpp"
#include "initramfs/module_selection.hpp"
#include "initramfs/module_sets.hpp"

namespace diskless {

namespace fs = std::filesystem;

namespace {
/// Collects entries; makes the directories above each, once, in front of it.
class Image {
  public:
    void directory(const std::string& path, std::uint32_t mode = 0755) {
        if (path == "/" || !paths_.insert(path).second) return;
        directory(fs::path(path).parent_path());
        add({path, EntryKind::directory, mode, {}});
    }
    /// False when the path is taken.
    bool entry(ImageEntry entry) {
        if (paths_.contains(entry.path)) return false;
        directory(fs::path(entry.path).parent_path());
        paths_.insert(entry.path);
        add(std::move(entry));
        return true;
    }
    Result<> copy(const std::string& source, const std::string& target, std::uint32_t mode) {
        auto content = TRY(read_input_file(source));
        newest = std::max(newest, changed_at(source));
        if (!entry({target, EntryKind::file, mode, std::move(content)}))
            return fail(fmt::format("{} is in the image already; {} cannot be there too", target, source),
                        "give it another place: --add FILE:PATH");
        return {};
    }

    std::vector<ImageEntry> entries;
    std::int64_t newest = 0;  // change of the newest input, seconds since 1970

  private:
    void add(ImageEntry entry) { entries.push_back(std::move(entry)); }
    std::set<std::string> paths_;
};

void add_skeleton(Image& image) {
    for (const auto* path : {"/dev", "/etc/diskless", "/lib/modules", "/proc", "/run", "/sys", "/sysroot"})
        image.directory(path);
    image.directory("/root", 0700);
    image.directory("/tmp", 01777);
    // The kernel opens /dev/console for init before anybody can have mounted devtmpfs.
    image.entry({"/dev/console", EntryKind::character_device, 0600, {}, 5, 1});
    image.entry({"/dev/kmsg", EntryKind::character_device, 0600, {}, 1, 11});
    image.entry({"/dev/null", EntryKind::character_device, 0666, {}, 1, 3});
}

Result<> add_static_program(Image& image, const std::string& source, const std::string& target) {
    const bool is_init = target == "/init";
    if (const auto copied = image.copy(source, target, 0755); !copied)
        return fail(copied.error().cause,
                    is_init ? "name it with --program, or install it to lib/diskless" : "install busybox-static",
                    copied.error().code);
    if (!is_static_program(image.entries.back().content))
        return fail(fmt::format("{} is not a static program, so it cannot run as {} of an image", source, target),
                    is_init ? "build it with -DDISKLESS_STATIC_NODE=ON, or name the static one with --program"
                            : "install busybox-static, or build without --shell");
    return {};
}

/// A kernel that loads compressed modules by itself (5.17); without its configuration at hand: no.
bool decompresses_modules(const BuildRequest& request) {
    for (const auto& path : {"boot/config-" + request.kernel, "lib/modules/" + request.kernel + "/config"}) {
        const auto text = read_input_file((fs::path(request.root) / path).string());
        if (text && has_line(*text, "CONFIG_MODULE_DECOMPRESS=y")) return true;
    }
    return false;
}

/// For a root under memory, which most nodes have not: they take the module from the root, when they can read it there.
Result<> add_overlayfs(ModuleSelector& selector, const BuildRequest& request, const ModuleTree& tree) {
    for (const auto& found : tree.find("overlay"))
        if (!found.builtin() && !found.path.ends_with(".ko") && !decompresses_modules(request))
            TRY(selector.add(found.name));
    return {};
}

Result<Selection> select_modules(const BuildRequest& request, const ModuleTree& tree,
                                 std::vector<std::string>& warnings) {
    ModuleSelector selector(tree);
    for (const auto& group : module_groups())
        for (const auto& name : group.modules) TRY(selector.add(name));
    if (request.drivers == DriverChoice::common)
        for (const auto& name : default_drivers()) TRY(selector.add(name));
    if (request.drivers == DriverChoice::listed)
        for (const auto& name : request.modules) TRY(selector.add(name));
    if (request.drivers == DriverChoice::host)
        for (const auto& modalias : TRY(modaliases_of(request.sysfs))) TRY(selector.add_for_device(modalias));

    TRY(add_overlayfs(selector, request, tree));
    if (request.image_root)
        for (const auto& name : image_root_modules()) TRY(selector.add(name));

    auto selection = selector.take();
    if (request.image_root)
        for (const auto* name : {"loop", "squashfs"})
            if (std::ranges::binary_search(selection.missing, name))
                warnings.push_back(
                    fmt::format("the kernel has no {}: a root in a squashfs file cannot be mounted", name));
    for (const auto& name : request.modules)
        if (std::binary_search(selection.missing.begin(), selection.missing.end(), name))
            return fail(fmt::format("kernel {} has no module {}", request.kernel, name),
                        "see: modprobe --set-version " + request.kernel + " --show-depends " + name);
    const auto groups = groups_of(selection);
    const auto has = [&](std::string_view name) {
        return std::any_of(groups.begin(), groups.end(), [&](const auto& group) { return group.name == name; });
    };
    if (!has("nfs3") && !has("nfs4"))
        return fail(fmt::format("kernel {} has no NFS client, neither as modules nor built in", request.kernel),
                    "take a kernel with CONFIG_NFS_FS, CONFIG_NFS_V3 and CONFIG_NFS_V4");
    if (!has("packet"))
        warnings.push_back("the kernel has no packet sockets (CONFIG_PACKET): no DHCP, only static ip=");
    return selection;
}

Result<> add_firmware(Image& image, const BuildRequest& request, const Selection& selection,
                      std::vector<std::string>& warnings) {
    for (const auto& module : selection.modules) {
        std::vector<std::string> absent;
        for (const auto& name : module.firmware) {
            const auto plain = (fs::path(request.root) / "lib/firmware" / name).string();
            std::string found;
            std::error_code ignored;
            for (const auto* suffix : {"", ".zst", ".xz"})
                if (found.empty() && fs::is_regular_file(plain + suffix, ignored)) found = plain + suffix;
            const auto target = "/lib/firmware/" + name;
            if (!request.firmware || found.empty()) {
                absent.push_back(name);
            } else {
                auto content = TRY_TO("firmware of " + module.entry.name, read_decompressed(found));
                image.newest = std::max(image.newest, changed_at(found));
                image.entry({target, EntryKind::file, 0644, std::move(content)});  // two modules may share a file
            }
        }
        if (absent.empty()) continue;
        const auto more = absent.size() > 1 ? fmt::format(" and {} more", absent.size() - 1) : "";
        warnings.push_back(request.firmware
                               ? fmt::format("{} may want firmware that {} does not have: {}{}", module.entry.name,
                                             (fs::path(request.root) / "lib/firmware").string(), absent.front(), more)
                               : fmt::format("{} may want firmware that is left out (--firmware takes it in): {}{}",
                                             module.entry.name, absent.front(), more));
    }
    return {};
}

Result<> add_modules(Image& image, const BuildRequest& request, Selection& selection) {
    for (auto& module : selection.modules) {
        if (request.strip) module.content = TRY_TO("strip " + module.source, strip_module(module.content));
        module.entry.lean = lean_form(module.content);
        image.newest = std::max(image.newest, changed_at(module.source));
        image.entry({module.entry.path, EntryKind::file, 0644, std::move(module.content)});
    }
    return {};
}
}  // namespace

Result<BuildResult> build_image(const BuildRequest& request) {
    BuildResult result;
    Image image;
    const auto tree = TRY(ModuleTree::open(request.root, request.kernel));
    auto selection = TRY(select_modules(request, tree, result.warnings));

    add_skeleton(image);
    TRY_TO("node program", add_static_program(image, request.program, "/init"));
    if (!request.shell.empty()) {
        TRY_TO("emergency shell", add_static_program(image, request.shell, "/bin/busybox"));
        image.entry({"/bin/sh", EntryKind::symlink, 0777, "busybox"});
    }
    TRY(add_firmware(image, request, selection, result.warnings));
    if (!request.strip)
        for (const auto& module : selection.modules)
            if (has_section(module.content, ".debug_info"))
                result.warnings.push_back(module.entry.name + " has debug information: --strip makes it smaller");
    TRY(add_modules(image, request, selection));
    for (const auto& file : request.files) {
        std::error_code ignored;
        const auto mode = static_cast<std::uint32_t>(fs::status(file.source, ignored).permissions()) & 0777;
        TRY_TO("added file", image.copy(file.source, file.target, mode));
    }

    auto& manifest = result.manifest;
    manifest.kernel = request.kernel;
    manifest.built = request.built.value_or(image.newest);
    manifest.parameters = request.parameters;
    manifest.builtin = selection.builtin;
    manifest.groups = groups_of(selection);
    for (auto& module : selection.modules) manifest.modules.push_back(std::move(module.entry));
    if (!image.entry({std::string(kManifestPath), EntryKind::file, 0644, to_text(manifest)}))
        return fail(fmt::format("an added file takes the place of {}", kManifestPath));

    const auto archive = TRY(write_cpio(image.entries, manifest.built));
    result.image = TRY(compress(archive, request.level));
    result.unpacked = archive.size();
    result.entries = std::move(image.entries);
    return result;
}

std::vector<PartSize> part_sizes(const std::vector<ImageEntry>& entries) {
    std::vector<PartSize> parts = {{"program"}, {"shell"}, {"firmware"}, {"modules"}, {"other"}};
    for (const auto& entry : entries) {
        if (entry.kind != EntryKind::file) continue;
        const auto part = entry.path == "/init"                      ? 0
                          : entry.path == "/bin/busybox"             ? 1
                          : entry.path.starts_with("/lib/firmware/") ? 2
                          : entry.path.starts_with("/lib/modules/")  ? 3
                                                                     : 4;
        ++parts[part].files;
        parts[part].bytes += entry.content.size();
    }
    return parts;
}

}  // namespace diskless
