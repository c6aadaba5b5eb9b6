// carry-api: proc, sys, dev and run, shown in the new root as well. A copy of each stays, for the agent stays in the
// initramfs' own file system, which the switch hides, and needs them there. Last of all, for a tree is copied as it is
// at that moment.
#include <array>

#include "init/steps/steps.hpp"
#include "init/systemd_mounts.hpp"

namespace diskless::steps {

namespace {

/// The mount itself goes into the new root, and the copy stays: the table lists mounts in the order in which they were
/// made, and Debian's umountfs leaves alone what stands there before the root (as the initramfs' own). It would try to
/// unmount /run/diskless else, in vain, at each shutdown.
Result<> show(Mounts& mounts, const std::string& api, const std::string& target) {
    // Refused below a shared mount, which another initramfs may have made: then the copy goes.
    if (!mounts.move(api, target)) return mounts.bind_tree(api, target);
    auto back = mounts.bind_tree(target, api);
    if (!back) (void)mounts.move(target, api);
    return back;
}

Result<std::string> carry_over(Os& os) {
    const auto table = TRY(os.mounts.table());
    for (const std::string api : {"/proc", "/sys", "/dev", "/run"}) {
        const auto target = join_path(kNewRoot, api);
        // An earlier attempt got as far as here.
        if (mounted_at(table, target) != nullptr) continue;
        if (auto shown = show(os.mounts, api, target); !shown) {
            auto error = shown.error();
            error.remedy = "the image needs a directory there: mkdir " + api + " in its root";
            return tl::unexpected(std::move(error));
        }
    }
    return std::string();
}

Result<> tell_of_mounts(Os& os) {
    return leave_mounts_alone(os.files, mount_points_below(TRY(os.mounts.table()), kNewRoot));
}

}  // namespace

Step carry_api(Boot& boot) {
    std::vector<std::string> needs{"prepare-state", "keep-way-down", "protect-network"};
    if (!boot.config.swaps.empty()) needs.emplace_back("swap-on");  // which mounts below /run
    return {.id = "carry-api",
            .sentence = "show proc, sys, dev and run in the new root",
            .needs = std::move(needs),
            .deadline = Milliseconds{10'000},
            .retry = {.attempts = 3},
            .run = [&boot](StepContext& context) -> Result<> {
                Os& os = context.os;
                if (boot.init_is_systemd)  // all that this program mounts is mounted now
                    if (const auto told = tell_of_mounts(os); !told) context.degrade(told.error());
                TRY(os.processes.in_child("show /proc and others in the new root", context.deadline,
                                          [&os] { return carry_over(os); }));
                return {};
            }};
}

}  // namespace diskless::steps
