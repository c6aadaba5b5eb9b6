// write-back.
#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/nfs/server_verdict.hpp"
#include "common/report/words.hpp"
#include "init/shutdown/shutdown_plan.hpp"

namespace diskless {

namespace {

constexpr Seconds kLook{1};
constexpr Nanoseconds kSayEvery = Seconds{3};
constexpr Nanoseconds kDoubtAfter = Seconds{3};    // without progress: is the server still there?
constexpr Nanoseconds kGiveUpAfter = Seconds{10};  // without progress, though it answers
constexpr ServerVerdict::Patience kProbe{Milliseconds{1000}, Milliseconds{1500}};  // it has answered before
constexpr Milliseconds kOthers{1000};  // for servers beside the dead one, and for local disks

std::uint64_t unwritten(Os& os) { return unwritten_bytes(os.files.read("/proc/meminfo").value_or(std::string())); }

/// Local file systems are written and read-only afterwards. sysrq, because a path to them may lead over a dead server.
void save_local_disks(Os& os) {
    const auto table = os.mounts.table();
    if (!table || std::ranges::none_of(*table, [](const auto& entry) { return entry.source.starts_with("/dev/"); }))
        return;
    (void)os.machine.sysrq('u');
    os.clock.sleep(kOthers / 2);  // it only starts a work item
}

}  // namespace

std::uint64_t unwritten_bytes(std::string_view meminfo) {
    std::uint64_t kilobytes = 0;
    for (const auto line : lines(meminfo)) {
        const auto fields = words(line);
        if (fields.size() < 2 || (fields[0] != "Dirty:" && fields[0] != "Writeback:" && fields[0] != "NFS_Unstable:"))
            continue;
        kilobytes += parse_number<std::uint64_t>(fields[1]).value_or(0);
    }
    return kilobytes * 1024;
}

bool server_is_gone(StepContext& context, WayDown& down) {
    if (down.server_dead || !down.situation.server_answers) return down.server_dead;
    if (!ServerVerdict(context.os.clock, down.situation.server_answers, kProbe).is_gone()) return false;
    context.note("the server does not answer any more");
    context.publish([&] { down.server_dead = true; });
    return true;
}

Result<> write_back(StepContext& context, WayDown& down) {
    Os& os = context.os;
    const auto before = unwritten(os);
    std::uint64_t least = before;
    auto moved_at = os.clock.now();
    auto said_at = moved_at;
    const auto look = [&](int) {
        const auto now = os.clock.now();
        const auto left = unwritten(os);
        if (left < least) {
            least = left;
            moved_at = now;
        }
        if (now - said_at >= kSayEvery) {
            said_at = now;
            os.machine.say(6, bytes_text(left) + " still to be written");
        }
        if (now - moved_at >= kGiveUpAfter) return false;
        return now - moved_at < kDoubtAfter || !server_is_gone(context, down);
    };
    const auto until = down.server_dead ? Deadline::after(os.clock, kOthers) : down.leaving(9);
    const auto synced = os.processes.in_watched_child("sync", until, {kLook, look}, [&os]() -> Result<std::string> {
        os.machine.sync();
        return {};
    });
    if (synced) {
        context.note(bytes_text(before) + " were waiting");
        return {};
    }
    save_local_disks(os);
    const auto lost = unwritten(os);
    context.publish([&] { down.told.unwritten_bytes = lost; });
    return fail(fmt::format("about {} not written: {}", bytes_text(lost), synced.error().cause),
                "the server did not take them in time; they are lost");
}

}  // namespace diskless
