#include "common/os/clock_linux.hpp"

#include <ctime>

namespace diskless {

namespace {

Nanoseconds read_clock(clockid_t which) {
    timespec time{};
    clock_gettime(which, &time);
    return Seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

timespec to_timespec(Nanoseconds time) {
    const auto seconds = std::chrono::floor<Seconds>(time);
    return {seconds.count(), (time - seconds).count()};
}

}  // namespace

Nanoseconds LinuxClock::now() const { return read_clock(CLOCK_BOOTTIME); }

Nanoseconds LinuxClock::wall() const { return read_clock(CLOCK_REALTIME); }

Result<> LinuxClock::set_wall(Nanoseconds since_epoch) {
    const timespec time = to_timespec(since_epoch);
    if (clock_settime(CLOCK_REALTIME, &time) != 0) return fail_errno("clock_settime");
    return {};
}

void LinuxClock::sleep(Nanoseconds duration) {
    // An absolute end, so that signals do not stretch the sleep.
    const timespec end = to_timespec(Deadline::after(*this, duration).at);
    while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &end, nullptr) == EINTR) {
    }
}

LinuxClock& linux_clock() {
    static LinuxClock clock;
    return clock;
}

}  // namespace diskless
