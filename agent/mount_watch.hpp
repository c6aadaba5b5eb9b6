// How one mounted directory of a server is: ok, slow, unreachable, stale, read-only, full.
//
// A child looks (statvfs, which NFS always asks the server for). While it hangs, another one asks the server for an
// empty NFS call: that tells a server that is gone from one that is there and does not get on. The child that hangs is
// left where it is: it comes back in the moment the server does. Nothing here ever blocks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/os/background.hpp"
#include "common/os/clock.hpp"
#include "common/report/node_status.hpp"

namespace diskless {

class MountWatch {
  public:
    static constexpr Nanoseconds kLookEvery = Seconds{10};
    static constexpr Nanoseconds kSlow = Seconds{1};       // for one look; the server is asked then
    static constexpr Nanoseconds kAskAgain = Seconds{5};   // the server, while a look hangs
    static constexpr Nanoseconds kSilence = Seconds{4};    // of a look, until that is what it is
    static constexpr Nanoseconds kSaidSlow = Seconds{30};  // slow for so long is worth a line
    static constexpr Milliseconds kServerMayTake{2500};    // for the empty call

    struct Place {
        std::string what;    // "root server"
        std::string server;  // "10.9.0.1"
        bool writable = false;
        bool in_memory = false;  // room is the node's own: what it writes to an overlay of that directory
    };
    /// Both run in a child, and may take for ever.
    struct Probes {
        std::function<Result<Space>()> look;
        /// An empty NFS call, with kServerMayTake.
        std::function<Result<>()> ask_server;
    };

    MountWatch(const Clock& clock, Background& background, Place place, Probes probes)
        : clock_(clock), background_(background), place_(std::move(place)), probes_(std::move(probes)) {}

    Nanoseconds next_due() const { return next_due_; }
    /// What is to be said on the kernel log: its level in `level`; empty: nothing.
    std::string work(Nanoseconds now, int& level);

    /// The looks that are under way are given up, and their children collected: now, or when it is called again.
    void rest();

    /// What writing there told, in a child of somebody else.
    void wrote(const std::optional<Error>& problem);

    /// Nothing before the first answer or the first silence.
    std::optional<Health> health() const;
    const std::optional<Space>& space() const { return space_; }
    /// CLOCK_BOOTTIME since when the directory is of no use (unreachable, stale); nothing: it is.
    std::optional<Nanoseconds> dead_since() const;
    std::uint64_t outages() const { return outages_; }

  private:
    void looked(const Result<std::string>& answer, Nanoseconds now);
    void hanging(Nanoseconds now);
    void become(std::string_view state, std::string cause, std::string_view remedy, Nanoseconds now);
    std::string news(Nanoseconds now, int& level);

    const Clock& clock_;
    Background& background_;
    Place place_;
    Probes probes_;

    std::unique_ptr<BackgroundChild> look_, question_;
    Nanoseconds next_due_{0}, look_started_{0}, asked_at_{0};
    std::optional<Result<std::string>> server_says_;  // during the present look
    Nanoseconds answered_at_{0};                      // the server, an empty call

    Health health_;
    std::optional<Space> space_;
    std::optional<Error> write_problem_;
    Nanoseconds since_{0};
    std::string said_ = "ok";  // the state that was said last
    Nanoseconds said_at_{0};
    std::uint64_t outages_ = 0;
};

}  // namespace diskless
