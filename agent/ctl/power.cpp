// reboot, poweroff, halt, kexec: by the agent, or from here when it does not answer.
#include <fmt/core.h>

#include "agent/ctl/commands.hpp"
#include "common/base/text.hpp"
#include "common/report/words.hpp"

namespace diskless::ctl {

namespace {

constexpr Milliseconds kDefaultTimeout{30'000};

/// Did the agent refuse, or was it not to be reached? Only the latter is a reason to go on without it. The way to its
/// socket begins at the root: when the server does not know that any more, it may be ESTALE.
bool is_absent(const Error& error) {
    return error.code == ENOENT || error.code == ECONNREFUSED || error.code == ETIMEDOUT || error.code == ECONNRESET ||
           error.code == EPIPE || error.code == ESTALE || error.code == EIO;
}

/// The first of `paths` that exists.
std::string first_of(CtlWorld& world, std::initializer_list<std::string> paths) {
    for (const auto& path : paths)
        if (world.files.exists(path)) return path;
    return {};
}

/// What kexec shall start: as this boot was, where nothing else is said.
Result<> load_kernel(CtlWorld& world, const ParsedOptions& options) {
    const auto proc = [&](const char* path) {
        return std::string(trim(world.files.read(path).value_or(std::string())));
    };
    const auto release = proc("/proc/sys/kernel/osrelease");
    auto kernel = options.value("kernel");
    if (kernel.empty()) kernel = first_of(world, {"/boot/vmlinuz-" + release, "/lib/modules/" + release + "/vmlinuz"});
    if (kernel.empty())
        return fail(fmt::format("no kernel {} in /boot or /lib/modules", release), "name one: --kernel FILE", ENOENT);
    auto initramfs = options.value("initrd");
    // The kernel shows its own one there when it was told to keep it (retain_initrd, since Linux 6.9).
    if (initramfs.empty()) initramfs = first_of(world, {"/sys/firmware/initrd", "/boot/diskless-" + release + ".img"});
    if (initramfs.empty())
        return fail(
            fmt::format("the initramfs of this boot is not kept, and there is no /boot/diskless-{}.img", release),
            "name one: --initrd FILE; or boot with retain_initrd (Linux 6.9 and later)", ENOENT);
    return world.load_kernel(kernel, initramfs,
                             options.has("append") ? options.value("append") : proc("/proc/cmdline"));
}

int go_down(CtlWorld& world, const ParsedOptions& options, ControlVerb verb) {
    const bool begun = options.has("begun");
    ControlRequest request{verb};
    request.now = options.has("now");
    request.begun = begun;
    if (options.has("timeout")) {
        const auto given = parse_milliseconds(options.value("timeout"));
        if (!given || *given < kShortestTimeout.count() || *given > kLongestTimeout.count())
            return bad_usage(world, text(verb), "--timeout takes 1 s to 10 min, as in 30, 30s, 2m");
        request.timeout = Milliseconds{*given};
    }
    if (world.user != 0)
        return failed(world, {fmt::format("{} needs root", text(verb)), "become root, or use sudo", EPERM});
    // Never take down a machine that is not ours to take down: the report is there on every node we booted.
    if (const auto report = boot_report(world); !report && report.error().code == ENOENT)
        return failed(world, report.error());

    if (verb == ControlVerb::kexec && !begun)
        if (const auto loaded = load_kernel(world, options); !loaded) return failed(world, loaded.error());
    // systemd's way down ends in ours. Another init may do all of it: told now, while the snapshot is still mounted.
    // Should we have to end it after all, our record replaces this one.
    if (world.left_to_init && !request.now && !begun && !world.files.exists("/run/systemd/system"))
        world.left_to_init(*power_verb(verb));
    const auto answer = ask_agent(world, request);
    if (answer) {
        const Json* at_most = answer->find("at_most_ms");
        const Nanoseconds left = Milliseconds{at_most != nullptr ? at_most->integer : 0};
        world.out.write(fmt::format("{}: {} {}; at the latest in {}\n", printable(answer->text_of("verb")),
                                    printable(answer->text_of("asks")), begun ? "has begun" : "is asked",
                                    seconds_text(left, 1)));
        return kExitDone;
    }
    if (!is_absent(answer.error()) || !world.take_down || begun) return failed(world, answer.error());
    world.err.write(fmt::format("disklessctl: the agent does not answer ({}), taking the node down from here\n",
                                answer.error().cause));
    const auto timeout = request.timeout.count() != 0 ? request.timeout : kDefaultTimeout;
    return failed(world, world.take_down(*power_verb(verb), Deadline::after(world.clock, timeout)));
}

}  // namespace

int reboot(CtlWorld& world, const ParsedOptions& options) { return go_down(world, options, ControlVerb::reboot); }
int poweroff(CtlWorld& world, const ParsedOptions& options) { return go_down(world, options, ControlVerb::poweroff); }
int halt(CtlWorld& world, const ParsedOptions& options) { return go_down(world, options, ControlVerb::halt); }
int kexec(CtlWorld& world, const ParsedOptions& options) {
    if (!options.operands.empty() && options.operands[0] != "same")
        return bad_usage(world, "kexec", "what is this for: " + printable(options.operands[0]));
    return go_down(world, options, ControlVerb::kexec);
}

}  // namespace diskless::ctl
