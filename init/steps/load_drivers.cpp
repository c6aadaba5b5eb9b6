// load-drivers and load-nfs: kernel modules, from the image. Loading is three quarters of a fast boot, so only what
// this machine's devices ask for is loaded, and what NFS needs is loaded while the network settles.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "common/base/text.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

/// Loads modules with what they need; one that does not load is a problem of its own.
void load_all(StepContext& context, const Boot& boot, const std::vector<std::string>& names,
              std::set<std::string>& loaded) {
    for (const auto* module : load_order(boot.manifest, names)) {
        if (!loaded.insert(module->name).second) continue;
        const auto& lean = boot.config.lean_modules ? module->lean : LeanForm{};
        if (auto result = context.os.modules.load(module->path, module->options, lean); !result)
            context.degrade(result.error());
    }
}

/// A bus driver (virtio_pci) makes new devices that ask for drivers of their own (virtio_net): asks again until
/// nothing new comes.
Result<> load_with_children(StepContext& context, const Boot& boot, std::vector<std::string> aliases,
                            std::set<std::string>& loaded) {
    for (std::size_t before = std::string::npos; before != loaded.size();) {
        before = loaded.size();
        std::vector<std::string> names;
        for (const auto* module : modules_for(boot.manifest, aliases)) names.push_back(module->name);
        load_all(context, boot, names, loaded);
        aliases = TRY(context.os.devices.new_modaliases());
    }
    return {};
}

/// All devices are looked at once only; after that the kernel tells which ones have come. A bus that is searched in the
/// background (USB) is not waited for: configure-network goes on looking while it finds no interface.
Result<> load_for_devices(StepContext& context, Boot& boot) {
    std::set<std::string> loaded;
    load_all(context, boot, {"packet"}, loaded);
    auto aliases = TRY(context.os.devices.modaliases());
    TRY(load_with_children(context, boot, std::move(aliases), loaded));
    context.note(fmt::format("loaded {}", loaded.empty() ? "nothing" : join({loaded.begin(), loaded.end()}, " ")));
    context.publish([&] { boot.drivers = std::move(loaded); });
    return {};
}

const char* nfs_group(NfsVersion version) {
    // automatic begins with version 3; the modules of 4 are loaded when it comes to that.
    return version == NfsVersion::v3 || version == NfsVersion::automatic ? "nfs3" : "nfs4";
}

}  // namespace

Step load_drivers(Boot& boot) {
    return {.id = "load-drivers",
            .sentence = "load the drivers that this machine's devices ask for",
            .deadline = Milliseconds{60'000},
            .run = [&boot](StepContext& context) { return load_for_devices(context, boot); }};
}

Step load_nfs(Boot& boot) {
    return {
        .id = "load-nfs",
        .sentence = "load the NFS client",
        .needs = {"load-drivers"},  // not a need but a preference: the network's waits come first, then this fills them
        .deadline = Milliseconds{60'000},
        .run = [&boot](StepContext& context) -> Result<> {
            std::set<std::string> loaded;
            load_all(context, boot, {nfs_group(boot.config.root.source.version)}, loaded);
            context.note(
                fmt::format("loaded {}", loaded.empty() ? "nothing" : join({loaded.begin(), loaded.end()}, " ")));
            return {};
        }};
}

bool load_late_drivers(StepContext& context, const Boot& boot, std::set<std::string>& loaded) {
    const auto before = loaded;
    const auto aliases = context.os.devices.new_modaliases();
    if (!aliases || aliases->empty()) return false;
    (void)load_with_children(context, boot, *aliases, loaded);
    for (const auto& name : loaded)
        if (!before.contains(name)) context.note("loaded " + name + " for a device that came late");
    return loaded.size() != before.size();
}

void load_nfs_version(StepContext& context, const Boot& boot, NfsVersion version) {
    // Loading a module again costs a failed system call; asking for what the report of load-nfs says does not.
    std::set<std::string> loaded;
    if (std::string_view(nfs_group(version)) != nfs_group(boot.config.root.source.version))
        load_all(context, boot, {nfs_group(version)}, loaded);
}

}  // namespace diskless::steps
