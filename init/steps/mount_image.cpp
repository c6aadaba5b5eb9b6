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
    const auto head = TRY(files.read_head(path, kHead));
    for (const auto& type : kTypes)
        if (head.size() >= type.place + type.magic.size() &&
            std::string_view(head).substr(type.place, type.magic.size()) == type.magic)
            return std::string(type.name);
    return fail(fmt::format("{} is neither squashfs nor erofs", path),
                "make it anew: diskless-server image pack; or mksquashfs", EINVAL);
}

/// Until all that can fail has been done the directory stays the root: a rescue shell finds it there. An attempt before
/// may have got as far as anywhere. False: the directory has no such file.
Result<bool> put_image_in_place(Os& os, const Boot& boot) {
    const auto table = TRY(os.mounts.table());
    bool coming = mounted_at(table, kComing) != nullptr;
    if (!coming && mounted_at(table, kImageDirectory) == nullptr) {
        const auto path = join_path(kNewRoot, boot.config.root.image);
        const auto type = type_of(os.files, path);
        if (!type && type.error().code == ENOENT) return false;
        TRY(type);
        TRY(load_file_system(os, boot, {"loop", *type}, kWithout));
        for (const char* place : {kComing, kImageDirectory}) TRY(os.files.make_directories(place));
        TRY(os.mounts.mount({path, kComing, *type, "ro,loop"}));
        coming = true;
    }
    TRY(move_aside(os.mounts, kImageDirectory));
    if (coming) TRY(os.mounts.move(kComing, kNewRoot));
    return true;
}

/// Packed: what find_init() finds, and "yes" when the root is in the image. A directory that has no such file may be a
/// root itself, as one is of which no image has been made.
Result<std::string> look_for_image(Os& os, const Boot& boot) {
    const bool there = TRY(put_image_in_place(os, boot));
    const auto init = find_init(os, wanted_init(boot));
    if (!init && !there)
        return fail(fmt::format("there is no {} in {}:{}, nor is that a root itself: {}", boot.config.root.image,
                                boot.root.server, boot.root.path, init.error().cause),
                    "write the image's path below that directory into diskless.image=", ENOENT);
    if (!init) return init;
    auto words = TRY(unpack(*init));
    words.emplace_back(there ? "yes" : "");
    return pack(words);
}

Result<> run(StepContext& context, Boot& boot) {
    Os& os = context.os;
    const auto& image = boot.config.root.image;
    const auto packed =
        TRY(os.processes.in_child("mount the image", context.deadline, [&] { return look_for_image(os, boot); }));
    const auto found = TRY(unpack(packed));
    const bool there = !found.back().empty();
    if (there)
        context.note(image);
    else
        context.degrade({fmt::format("there is no {} in {}:{}: the directory itself is the root", image,
                                     boot.root.server, boot.root.path),
                         "make it: diskless-server image pack; or take diskless.image= away", ENOENT});
    context.publish([&] {
        boot.root.image = there ? image : std::string();
        if (there) boot.root.mode = word(RootMode::read_only);
        boot.root.generation = found.at(3);
        boot.init = found.at(0);
        boot.init_is_systemd = found.at(1).find("systemd") != std::string::npos;
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
