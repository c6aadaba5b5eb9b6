// mount-overlay: a root that is shared and yet can be written everywhere, in the node's memory. The root itself moves
// aside, to kSharedRoot, and an overlay of memory over it takes its place; what a list names is mounted on that as on
// any other root. What else is written is gone when the node goes down.
#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "init/child_work.hpp"
#include "init/root_modules.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

constexpr const char* kLayer = "/run/diskless/overlay";  // a tmpfs: what is written, and where overlayfs works
constexpr const char* kType = "overlay";

/// From the image when it has the module, else from the root: most nodes need it not.
Result<> load_overlayfs(Os& os, const Boot& boot) {
    if (os.mounts.knows_type(kType)) return {};
    Manifest of_root;
    auto order = load_order(boot.manifest, {kType});
    if (order.empty()) {
        of_root = modules_of_root(os.files, os.machine.kernel_release(), false);
        order = load_order(of_root, {kType});
    }
    for (const auto* module : order) {
        auto loaded =
            os.modules.load(module->path, module->options, boot.config.lean_modules ? module->lean : LeanForm{});
        if (loaded) continue;
        if (!module->path.ends_with(".ko"))  // the builder takes it in, plain, where it sees that coming
            loaded.error().remedy =
                "the kernel may be unable to decompress it: build the initramfs anew with this version; or "
                "diskless.mode=ro";
        return loaded;
    }
    if (os.mounts.knows_type(kType)) return {};
    return fail(
        fmt::format("the kernel has no overlayfs, nor has the root a module of it for {}", os.machine.kernel_release()),
        "put the modules of this kernel into the root, below lib/modules; or diskless.mode=ro", ENODEV);
}

/// A directory that is renamed, and a file of which only owner or mode change, are not copied into memory where the
/// kernel can do that (4.10, 4.19).
Result<> mount_layers(Mounts& mounts) {
    const auto layers = fmt::format("lowerdir={},upperdir={}/upper,workdir={}/work", kSharedRoot, kLayer, kLayer);
    const auto mounted = mounts.mount({kType, kNewRoot, kType, layers + ",redirect_dir=on,metacopy=on"});
    if (mounted || mounted.error().code != EINVAL) return mounted;
    return mounts.mount({kType, kNewRoot, kType, layers});
}

/// An attempt before may have got as far as anywhere: what is there is not made again.
Result<> put_memory_over_root(Os& os, const std::string& size) {
    const auto table = TRY(os.mounts.table());
    const auto mounted_at = [&table](std::string_view target) {
        const auto found = std::ranges::find(table, target, &MountEntry::target);
        return found == table.end() ? nullptr : &*found;
    };
    const auto* moved = mounted_at(kSharedRoot);
    const auto* here = mounted_at(kNewRoot);
    if (moved != nullptr && here != nullptr) return {};
    const auto* root = moved != nullptr ? moved : here;
    if (root == nullptr) return fail(fmt::format("nothing is mounted on {}", kNewRoot));
    for (const char* place : {kLayer, kSharedRoot}) TRY(os.files.make_directories(place));
    if (mounted_at(kLayer) == nullptr)  // for nobody but the kernel to go into
        TRY(os.mounts.mount({"diskless-overlay", kLayer, "tmpfs",
                             "nosuid,nodev,mode=0700" + (size.empty() ? std::string() : ",size=" + size)}));
    for (const char* layer : {"/upper", "/work"}) TRY(os.files.make_directories(join_path(kLayer, layer)));
    if (moved == nullptr) TRY(os.mounts.move(kNewRoot, kSharedRoot));
    // It stays visible: not to be written, as one may be that was there before us (adopt-root), nor a way to programs
    // from which the node has taken the set-user-id bit. "rw,relatime" -> "ro,…,relatime"
    TRY(os.mounts.remount(kSharedRoot, "bind,ro,nosuid,nodev" + root->options.substr(std::string_view("ro").size())));
    return mount_layers(os.mounts);
}

Result<> run(StepContext& context, Boot& boot) {
    Os& os = context.os;
    const auto& size = boot.config.root.overlay_size;
    const auto work = [&]() -> Result<> {
        TRY(load_overlayfs(os, boot));
        return put_memory_over_root(os, size);
    };
    TRY(do_in_child(os.processes, "make the root writable in memory", context.deadline, work));
    context.note(fmt::format("at most {} of memory", size.empty() ? "half" : size));
    context.publish([&] { boot.root.mode = word(RootMode::overlay); });
    return {};
}

}  // namespace

Step mount_overlay(Boot& boot) {
    return {.id = "mount-overlay",
            .sentence = "make the root writable in memory",
            .needs = {"mount-root"},
            .deadline = Milliseconds{30'000},
            .retry = {.attempts = 3},
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

std::string root_for(const Boot& boot) {
    return boot.config.root.mode == RootMode::overlay ? "mount-overlay" : "mount-root";
}

}  // namespace diskless::steps
