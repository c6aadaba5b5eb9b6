// The node's status as a small file beside its boot report, for those who look at the server and not at the node; the
// time, which a node without a clock starts from at its next boot; and random bytes that its next boot begins with.
//
// All are on NFS, so a child that can be killed writes them: at most once a minute, and only when something changed or
// the file is ten minutes old. A server that is away is left alone for longer and longer.
#pragma once

#include <optional>
#include <string>

#include "common/os/files.hpp"
#include "common/os/machine.hpp"
#include "common/os/processes.hpp"
#include "common/report/node_status.hpp"

namespace diskless {

class StatusFile {
  public:
    static constexpr Nanoseconds kFirst = Seconds{10};      // after the start of the agent: the node is busy then
    static constexpr Nanoseconds kEvery = Seconds{60};      // between looks, and so between writes
    static constexpr Nanoseconds kOldest = Seconds{600};    // written then even if nothing changed
    static constexpr Nanoseconds kPatience = Seconds{1};    // with the child
    static constexpr Nanoseconds kSlowest = Seconds{1800};  // between tries while the server is away
    static constexpr Nanoseconds kRefused = Seconds{300};   // between tries when it is there, but refuses

    struct World {
        Clock& clock;
        Files& files;
        Processes& processes;
        Machine& machine;
    };

    /// `snapshot`: where it is mounted; when our directory in it is gone (it was unmounted) nothing is written.
    StatusFile(World world, std::string snapshot)
        : world_(world), snapshot_(std::move(snapshot)), next_due_(world.clock.now() + kFirst) {}

    Nanoseconds next_due() const { return next_due_; }
    /// Blocks for kPatience, and the half second that killing may take.
    void work(const NodeStatus& status);
    /// On the way down: time and random bytes once more. As bounded as work().
    void keep_last();

    /// Why the last try failed.
    const std::optional<Error>& problem() const { return problem_; }

  private:
    Result<> keep_clock_and_seed();

    World world_;
    std::string snapshot_;
    Nanoseconds next_due_;
    Nanoseconds written_at_{0};
    std::string written_;  // mark of what was written last
    std::optional<Error> problem_;
    Nanoseconds pause_ = kEvery;
};

/// The same for two statuses that differ only in what always moves (times, free room, how long a lease lasts).
std::string status_mark(NodeStatus status);

}  // namespace diskless
