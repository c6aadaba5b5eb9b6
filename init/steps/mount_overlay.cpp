// mount-overlay: a root that is shared and yet can be written everywhere, in the node's memory. The root itself moves
// aside, to kSharedRoot, and an overlay of memory over it takes its place; what a list names is mounted on that as on
// any other root. What else is written is gone when the node goes down.
#include <fmt/core.h>

#include "common/base/text.hpp"
#include "init/child_work.hpp"
#include "init/steps/load_file_system.hpp"
#include "init/steps/move_aside.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

constexpr const char* kLayer = "/run/diskless/overlay";  // a tmpfs: what is written, and where overlayfs works
constexpr const char* kType = "overlay";

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
    if (mounted_at(table, kSharedRoot) != nullptr && mounted_at(table, kNewRoot) != nullptr) return {};
    for (const char* place : {kLayer, kSharedRoot}) TRY(os.files.make_directories(place));
    if (mounted_at(table, kLayer) == nullptr)  // for nobody but the kernel to go into
        TRY(os.mounts.mount({"diskless-overlay", kLayer, "tmpfs",
                             "nosuid,nodev,mode=0700" + (size.empty() ? std::string() : ",size=" + size)}));
    for (const char* layer : {"/upper", "/work"}) TRY(os.files.make_directories(join_path(kLayer, layer)));
    TRY(move_aside(os.mounts, kSharedRoot));
    return mount_layers(os.mounts);
}

Result<> run(StepContext& context, Boot& boot) {
    Os& os = context.os;
    const auto& size = boot.config.root.overlay_size;
    const auto work = [&]() -> Result<> {
        TRY(load_file_system(os, boot, kType, "diskless.mode=ro"));
        return put_memory_over_root(os, size);
    };
    TRY(do_in_child(os.processes, "make the root writable in memory", context.deadline, work));
    context.note(fmt::format("at most {} of memory", size.empty() ? "half" : size));
    context.publish([&] { boot.root.mode = word(RootMode::overlay); });
    return {};
}

/// Id of the step after which the root is what an overlay lies on.
std::string root_beneath(const Boot& boot) { return boot.config.root.image.empty() ? "mount-root" : "mount-image"; }

}  // namespace

Step mount_overlay(Boot& boot) {
    return {.id = "mount-overlay",
            .sentence = "make the root writable in memory",
            .needs = {root_beneath(boot)},
            .deadline = Milliseconds{30'000},
            .retry = {.attempts = 3},
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

std::string root_for(const Boot& boot) {
    return boot.config.root.mode == RootMode::overlay ? "mount-overlay" : root_beneath(boot);
}

}  // namespace diskless::steps
