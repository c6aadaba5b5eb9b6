// adopt-root: instead of mount-root, where the kernel or another initramfs has mounted the root and started us from it:
// what it is, and what is to run in it.
#include <fmt/core.h>

#include "common/base/pack.hpp"
#include "init/mounted_root.hpp"
#include "init/steps/find_init.hpp"
#include "init/steps/look_at_root.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

Result<> run(StepContext& context, Boot& boot) {
    Os& os = context.os;
    const auto root = TRY(mounted_root(os));
    const auto packed = TRY(os.processes.in_child("look for init", context.deadline,
                                                  [&] { return look_at_root(os, boot, !root.writable); }));
    const auto words_of_init = TRY(unpack(packed));
    tell_of_export(context, words_of_init, root.server.text(), root.path);
    context.note(fmt::format("{}:{} by NFS {}, {}", root.server.text(), root.path, text(root.version),
                             root.writable ? "rw" : "ro"));
    context.publish([&] {
        boot.root = {.server = root.server.text(),
                     .path = root.path,
                     .version = std::string(text(root.version)),
                     .options = root.options,
                     .mode = root.writable ? "rw" : "ro"};
        boot.root_server = root.server;
        boot.root_version = root.version;
        take_init(boot, words_of_init);
        if (boot.config.root.mode != RootMode::overlay)
            boot.config.root.mode = root.writable ? RootMode::writable : RootMode::read_only;
    });
    return {};
}

}  // namespace

Step adopt_root(Boot& boot) {
    return {.id = "mount-root",
            .sentence = "look at the root that is mounted",
            .needs = {"configure-network"},
            .deadline = Milliseconds{60'000},
            .retry = {.attempts = 0, .first = Milliseconds{250}, .cap = Milliseconds{10'000}},
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
