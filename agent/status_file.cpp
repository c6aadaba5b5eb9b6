#include "agent/status_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "common/base/snapshot_files.hpp"

namespace diskless {

std::string status_mark(NodeStatus status) {
    status.wall = 0;
    status.uptime = {};
    status.space.reset();
    for (auto* health : {&status.root_health, &status.snapshot_health})
        if (*health) (*health)->milliseconds = (*health)->since = 0;
    status.counters = {};
    status.lease.expires_in.reset();
    status.lease.confirmed.reset();
    if (!status.lease.waits_for.empty()) status.lease.waits_for = "an answer";
    for (auto& item : status.degraded)  // "nearly full: 10 MiB free of 2 GiB", "expired 5 min ago"
        std::erase_if(item.cause, [](char c) { return c >= '0' && c <= '9'; });
    return fmt::format("{:016x}", std::hash<std::string>()(to_json(status, 0)));
}

Result<> StatusFile::keep_clock_and_seed() {
    const auto wall = std::chrono::duration_cast<Seconds>(world_.clock.wall()).count();
    TRY(world_.files.replace(join_path(snapshot_, snapshot_files::kClock), std::to_string(wall) + "\n"));
    // Without enough randomness there is nothing worth keeping.
    const auto seed = world_.machine.secret(32, Deadline{world_.clock.now()});
    if (seed) TRY(world_.files.replace(join_path(snapshot_, snapshot_files::kRandomSeed), *seed, 0600));
    return {};
}

void StatusFile::keep_last() {
    (void)world_.processes.in_child("keep the time", Deadline::after(world_.clock, kPatience),
                                    [this]() -> Result<std::string> {
                                        TRY(keep_clock_and_seed());
                                        return std::string();
                                    });
}

void StatusFile::work(const NodeStatus& status) {
    auto mark = status_mark(status);
    const auto now = world_.clock.now();
    if (mark == written_ && now - written_at_ < kOldest) {
        next_due_ = now + pause_;
        return;
    }
    const auto done = world_.processes.in_child(
        "keep the status", Deadline::after(world_.clock, kPatience), [&]() -> Result<std::string> {
            TRY(world_.files.replace(join_path(snapshot_, snapshot_files::kStatus), to_json(status)));
            TRY(keep_clock_and_seed());
            return std::string();
        });
    if (done) {
        written_at_ = now;
        written_ = std::move(mark);
        problem_.reset();
        pause_ = kEvery;
    } else {
        problem_ = done.error();
        pause_ = std::min(done.error().code == ETIMEDOUT ? kSlowest : kRefused, pause_ * 2);
    }
    next_due_ = world_.clock.now() + pause_;
}

}  // namespace diskless
