// mount-image: a root that is one file of the server, squashfs or erofs. What the node reads of it is one file to the
// server: no look-up, no permission and no attribute of the thousands in there is ever asked for. The server's
// directory moves aside, to kImageDirectory, and what the file holds takes its place.
#include <fmt/core.h>

#include <array>

#include "common/base/pack.hpp"
#include "common/base/text.hpp"
#include "init/steps/find_init.hpp"
#include "init/steps/load_file_system.hpp"
#include "init/steps/look_at_root.hpp"
#include "init/steps/move_aside.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

constexpr const char* kComing = "/run/diskless/root.coming";  // until it takes the directory's place
constexpr const char* kLoopControl = "/dev/loop-control";
constexpr const char* kWithout = "take diskless.image= away";

/// Linux, include/uapi/linux/magic.h; erofs has its superblock at 1024.
struct ImageType {
    const char* name;
    std::size_t place;
    std::string_view magic;
};
constexpr std::array<ImageType, 2> kTypes{{{"squashfs", 0, "hsqs"}, {"erofs", 1024, "\xe2\xe1\xf5\xe0"}}};
constexpr std::size_t kHead = 1024 + 4;

Result<std::string> type_of(const Files& files, const std::string& path) {
    auto head = files.read_head(path, kHead);
    if (!head && (head.error().code == EACCES || head.error().code == EPERM))
        head.error().remedy = "export it with no_root_squash, or chmod 644 the file on the server";
    if (!head) return head;
    for (const auto& type : kTypes)
        if (head->size() >= type.place + type.magic.size() &&
            std::string_view(*head).substr(type.place, type.magic.size()) == type.magic)
            return std::string(type.name);
    return fail(fmt::format("{} is neither squashfs nor erofs", path),
                "make it anew: diskless-server image pack; or mksquashfs", EINVAL);
}

/// Shows at kComing what the file holds.
Result<> mount_file(Os& os, const Boot& boot) {
    const auto path = join_path(kNewRoot, boot.config.root.image);
    const auto type = TRY(type_of(os.files, path));
    if (!os.files.exists(kLoopControl)) TRY(load_from_anywhere(os, boot, "loop", kWithout));
    TRY(load_file_system(os, boot, type, kWithout));
    TRY(os.files.make_directories(kComing));
    auto mounted = os.mounts.mount({path, kComing, type, "ro,loop"});
    if (!mounted && !os.files.exists(kLoopControl))
        mounted.error().remedy =
            fmt::format("the kernel has no loop devices: build the initramfs with --image-root; or {}", kWithout);
    return mounted;
}

/// What find_init() finds in the image.
Result<std::string> look_at_image(const Os& os, const Boot& boot, const std::string& root) {
    constexpr const char* kInner = "LiveOS/rootfs.img";  // dracut's dmsquash-live
    auto init = find_init(os, root, wanted_init(boot));
    if (!init && os.files.exists(join_path(root, kInner)))
        return fail(fmt::format("{} holds {}, an image in an image, and no root", boot.config.root.image, kInner),
                    "make a squashfs of what that holds", init.error().code);
    return init;
}

/// Until all that can fail has been done the directory stays the root: a rescue shell finds it there, and the next
/// attempt another file, perhaps. An attempt before may have got as far as anywhere. What find_init() finds; empty: the
/// directory has no such file.
Result<std::string> put_image_in_place(Os& os, const Boot& boot) {
    const auto table = TRY(os.mounts.table());
    const bool moved = mounted_at(table, kImageDirectory) != nullptr;
    bool coming = mounted_at(table, kComing) != nullptr;
    if (!moved && !coming) {
        if (!TRY(has_image(os.files, boot.config.root.image))) return std::string();
        TRY(mount_file(os, boot));
        coming = true;
    }
    auto init = look_at_image(os, boot, coming ? kComing : kNewRoot);
    if (!init && !moved) (void)os.mounts.unmount(kComing);
    if (!init) return init;
    TRY(os.files.make_directories(kImageDirectory));
    TRY(move_aside(os.mounts, kImageDirectory));
    if (coming) TRY(os.mounts.move(kComing, kNewRoot));
    return init;
}

Result<> run(StepContext& context, Boot& boot) {
    Os& os = context.os;
    const auto& image = boot.config.root.image;
    const auto packed =
        TRY(os.processes.in_child("mount the image", context.deadline, [&] { return put_image_in_place(os, boot); }));
    if (packed.empty()) {
        context.degrade({fmt::format("there is no {} in {}:{}: the directory itself is the root", image,
                                     boot.root.server, boot.root.path),
                         "make it: diskless-server image pack; or take diskless.image= away", ENOENT});
        return {};
    }
    const auto found = TRY(unpack(packed));
    context.note(image);
    context.publish([&] {
        boot.root.image = image;
        boot.root.mode = word(RootMode::read_only);
        if (boot.config.root.mode == RootMode::writable) boot.config.root.mode = RootMode::read_only;  // adopt-root
        take_init(boot, found);
    });
    return {};
}

}  // namespace

Step mount_image(Boot& boot) {
    return {.id = "mount-image",
            .sentence = fmt::format("mount {} of the root's directory", boot.config.root.image),
            .needs = {"mount-root"},
            .deadline = Milliseconds{60'000},
            .retry = {.attempts = 3},
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
