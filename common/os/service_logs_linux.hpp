// Keeps what services print in bounded files in memory.
//
// A named pipe for each: both ends are open in the service, so that one whose PID 1 is executed anew neither gets
// SIGPIPE nor loses a line. Nothing here allocates, waits, or is done more often than every kPause: a service that
// prints more than its pipe holds in that time (64 KiB, more than 1 MB a second) waits for its own output.
#pragma once

#include <poll.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/service_logs.hpp"

namespace diskless {

class ServiceLogs {
  public:
    static constexpr Nanoseconds kPause = Milliseconds{50};
    static constexpr std::size_t kLongestName = 63;
    static constexpr std::size_t kLongestLine = 500;  // what is longer becomes several

    /// Makes the directories, and goes on with the pipes that are there.
    Result<> open(const char* directory);

    /// Makes the log of that name, when it is not there. False: none is to be had. When there are as many as there may
    /// be, one that keep() has not named and nobody writes to any more makes room, and what it kept is gone.
    bool add(std::string_view name) noexcept;
    /// The names that are in use: what all others kept can still be read, as long as its room is not needed.
    void keep(const std::vector<std::string>& names) noexcept;
    /// In the service: its standard output and error. False: there is no such log.
    bool become_output_of(std::string_view name) const noexcept;
    /// A line of its keeper's: "12.34 -- text --".
    void note(std::string_view name, std::string_view text) noexcept;

    std::size_t count() const noexcept { return count_; }
    /// Where count() descriptors are to be polled.
    void poll_for(pollfd* to) const noexcept;
    /// Takes what is there, a pipe full of each at most. Was there any?
    bool take() noexcept;

  private:
    struct Log {
        char name[kLongestName + 1] = {};
        Descriptor pipe, file;
        std::size_t size = 0;  // of the file
        char line[kLongestLine];
        std::size_t used = 0;
        bool in_use = true;
        std::string_view called() const noexcept { return name; }
    };

    Log* find(std::string_view name) noexcept;
    Log* free_slot() noexcept;
    bool is_written_to(Log& log) noexcept;
    void clear(Log& log) noexcept;
    Descriptor open_pipe(const char* name) const noexcept;
    bool take(Log& log) noexcept;
    void take(std::string_view bytes, Log& log) noexcept;
    void end_line(Log& log) noexcept;
    void append(Log& log, std::string_view text) noexcept;
    void open_file(Log& log) noexcept;

    Descriptor now_, before_, pipes_;
    std::array<Log, kMostServiceLogs> logs_;
    std::size_t count_ = 0;
};

}  // namespace diskless
