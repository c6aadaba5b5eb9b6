// swap-on: memory beyond the machine's own. Nothing needs it to boot, so a place that cannot be used is said, and left.
//
// Drivers for disks come from the root: the image does without. Everything that touches a disk or the root happens in a
// child, for both may hang.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "common/base/text.hpp"
#include "init/child_work.hpp"
#include "init/root_modules.hpp"
#include "init/steps/steps.hpp"
#include "init/swap/file_system_head.hpp"

namespace diskless::steps {

namespace {

constexpr Milliseconds kLookAgain{100};
constexpr Milliseconds kDeadline{10'000};

/// Modules of the root, loaded when they are asked for.
class RootModules {
  public:
    RootModules(Os& os, const std::string& release) : os_(os), manifest_(modules_of_root(os.files, release, true)) {
        for (auto& name : os.modules.loaded().value_or(std::vector<std::string>{})) loaded_.insert(std::move(name));
    }

    /// How many were loaded now. One that does not load shows by what is missing then.
    int load(const std::vector<std::string>& names) {
        int now = 0;
        for (const auto* module : load_order(manifest_, names))
            if (loaded_.insert(module->name).second && os_.modules.load(module->path)) ++now;
        return now;
    }
    int load_for_disks() {
        std::vector<std::string> names;
        const auto aliases = os_.devices.modaliases();
        if (!aliases) return 0;
        for (const auto* module : modules_for(manifest_, *aliases)) names.push_back(module->name);
        return load(names);
    }

  private:
    Os& os_;
    Manifest manifest_;
    std::set<std::string> loaded_;
};

struct Disk {
    std::string path;
    FileSystemHead head;
};

bool is_disk(std::string_view name) {
    for (const std::string_view other : {"ram", "loop", "zram", "sr", "fd", "nbd", "dm-", "md"})
        if (name.starts_with(other)) return false;
    return true;
}

std::optional<Disk> find_disk(Os& os, const std::string& wanted) {
    const auto names = os.files.list("/sys/class/block");
    for (const auto& name : names.value_or(std::vector<std::string>{})) {
        const auto path = "/dev/" + name;
        if (wanted.starts_with('/') ? wanted != path : !is_disk(name)) continue;
        const auto bytes = os.files.read_head(path, kHeadBytes);
        const auto head = bytes ? read_head(*bytes) : std::nullopt;
        if (!head) continue;
        if (wanted == path || wanted == "LABEL=" + head->label || wanted == "UUID=" + head->uuid)
            return Disk{path, *head};
    }
    return std::nullopt;
}

/// Disks turn up some time after their driver.
Result<Disk> wait_for_disk(Os& os, RootModules& modules, const std::string& wanted, Deadline until) {
    for (;;) {
        if (auto disk = find_disk(os, wanted)) return std::move(*disk);
        if (modules.load_for_disks() != 0) continue;
        if (until.passed(os.clock))
            return fail(fmt::format("no partition {} with swap, ext4, xfs, FAT or NTFS on it", wanted),
                        "see blkid for what there is; NTFS is found by UUID only", ENODEV);
        os.clock.sleep(kLookAgain);
    }
}

Result<> use_zram(Os& os, RootModules& modules, const SwapPlace& place) {
    modules.load({"zram"});
    std::string number = "0";
    const auto size = os.files.read("/sys/block/zram0/disksize", 64);
    if (!size || trim(*size) != "0")  // somebody else's
        number = trim(TRY_TO("another zram device", os.files.read("/sys/class/zram-control/hot_add", 64)));
    auto bytes = place.bytes;
    if (place.percent != 0) {
        const auto meminfo = TRY(os.files.read("/proc/meminfo"));
        for (const auto line : lines(meminfo))
            if (const auto fields = words(line); fields.size() > 1 && fields[0] == "MemTotal:")
                bytes = parse_number<std::uint64_t>(fields[1]).value_or(0) * 1024 * place.percent / 100;
    }
    bytes -= bytes % kHeadBytes;
    const auto compressors = os.files.read(fmt::format("/sys/block/zram{}/comp_algorithm", number), kHeadBytes);
    modules.load({chosen_compressor(compressors.value_or(std::string()))});
    TRY(os.files.write(fmt::format("/sys/block/zram{}/disksize", number), std::to_string(bytes)));
    TRY(os.files.write("/dev/zram" + number, make_swap_header(bytes)));
    return os.machine.swap_on("/dev/zram" + number);
}

/// The file system is writable because swapon(2) wants it so; nobody but root comes near it, and nothing else is
/// written.
Result<> use_file(Os& os, RootModules& modules, const Disk& disk, const std::string& file, const std::string& target) {
    if (disk.head.type == "swap") return fail(disk.path + " is swap itself, and has no files");
    modules.load(modules_of_file_system(disk.head.type));
    TRY(os.files.make_directories(target, 0700));
    TRY(os.mounts.mount({disk.path, target, disk.head.type, "rw,noatime,nosuid,nodev,noexec"}));
    auto used = os.machine.swap_on(join_path(target, file));
    if (!used) (void)os.mounts.unmount(target);
    return used;
}

Result<> use(Os& os, const Boot& boot, const SwapPlace& place, std::size_t number, Deadline until) {
    if (place.kind == SwapPlace::Kind::snapshot_file && boot.snapshot.state != "mounted")
        return fail("there is no snapshot");
    if (place.kind == SwapPlace::Kind::snapshot_file) return os.machine.swap_on(join_path(kSnapshot, place.file));
    RootModules modules(os, os.machine.kernel_release());
    if (place.kind == SwapPlace::Kind::zram) return use_zram(os, modules, place);
    const auto disk = TRY(wait_for_disk(os, modules, place.device, until));
    if (!place.file.empty())
        return use_file(os, modules, disk, place.file, fmt::format("{}/swap/{}", kRunDirectory, number));
    if (disk.head.type != "swap")
        return fail(fmt::format("{} holds {}, no swap", disk.path, disk.head.type),
                    fmt::format("name a file on it: diskless.swap={}:/FILE; or mkswap it", place.device), EINVAL);
    return os.machine.swap_on(disk.path);
}

Result<> run(StepContext& context, const Boot& boot) {
    Os& os = context.os;
    const auto& places = boot.config.swaps;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto until = Deadline::after(os.clock, kDeadline * 3 / 4).sooner_of(context.deadline);
        const auto used = do_in_child(os.processes, "swap on " + places[i].text, context.deadline,
                                      [&] { return use(os, boot, places[i], i, until); });
        if (used)
            context.note("on " + places[i].text);
        else
            context.degrade(used.error());
    }
    return {};
}

}  // namespace

Step swap_on(Boot& boot) {
    return {.id = "swap-on",
            .sentence = "swap",
            .needs = {"mount-snapshot"},
            .deadline = kDeadline * static_cast<int>(std::max<std::size_t>(boot.config.swaps.size(), 1)),
            .failure = FailureMeans::degrade,
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
