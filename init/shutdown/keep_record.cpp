// keep-record: how the node went down, for its next boot (init/steps/identify.cpp reads it).
// The hardware clock is left alone: another system on the machine may keep local time in it.
#include "common/base/snapshot_files.hpp"
#include "init/child_work.hpp"
#include "init/shutdown/shutdown_plan.hpp"

namespace diskless {

Result<> write_record(Os& os, const std::string& run_directory, const LastShutdown& told, Deadline until) {
    const auto snapshot = join_path(run_directory, "snapshot");
    return do_in_child(os.processes, "keep the record", until, [&]() -> Result<> {
        const auto clock =
            os.files.replace(join_path(snapshot, snapshot_files::kClock), std::to_string(told.wall) + "\n");
        auto record = os.files.replace(join_path(snapshot, snapshot_files::kLastShutdown), to_json(told));
        // That file needs no free space: a snapshot that is full still learns that all was well.
        if (record || !is_trouble(told)) TRY(os.files.remove(join_path(snapshot, snapshot_files::kRunning)));
        return clock ? record : clock;
    });
}

Result<> keep_record(StepContext& context, WayDown& down) {
    Os& os = context.os;
    auto told = down.told;
    told.outcome = told.losses.empty() && told.unwritten_bytes == 0 ? "clean" : "losses";
    told.verb = text(down.situation.verb);
    told.wall = std::chrono::duration_cast<Seconds>(os.clock.wall()).count();
    told.took = os.clock.now() - down.began;
    context.publish([&] { down.told = told; });
    if (!down.situation.has_snapshot) return {};
    if (down.server_dead) return fail("the server is gone: the next boot will not know how this one ended");

    return write_record(os, down.situation.run_directory, down.told, down.leaving(5));
}

}  // namespace diskless
