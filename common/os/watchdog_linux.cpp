#include "common/os/watchdog_linux.hpp"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>

namespace diskless {

Result<Seconds> LinuxWatchdog::start(Seconds time) {
    if (!device_) device_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
    if (!device_) return fail_errno("open " + path_);
    int seconds = static_cast<int>(time.count());
    // Some hardware has one fixed time: it is told by GETTIMEOUT then.
    if (::ioctl(device_.get(), WDIOC_SETTIMEOUT, &seconds) != 0 &&
        ::ioctl(device_.get(), WDIOC_GETTIMEOUT, &seconds) != 0)
        seconds = static_cast<int>(time.count());
    return Seconds{seconds};
}

Result<> LinuxWatchdog::feed() {
    // Any byte but 'V', which would disarm it at close.
    if (::write(device_.get(), "f", 1) != 1) return fail_errno("write " + path_);
    return {};
}

Result<> LinuxWatchdog::stop() {
    int off = WDIOS_DISABLECARD;
    if (::ioctl(device_.get(), WDIOC_SETOPTIONS, &off) != 0 && errno == EBUSY) return fail_errno("stop " + path_);
    // Drivers that do not know that stop at close, after this byte.
    if (::write(device_.get(), "V", 1) != 1) return fail_errno("write " + path_);
    device_ = Descriptor();
    return {};
}

Watchdog& linux_watchdog() {
    static LinuxWatchdog watchdog;
    return watchdog;
}

}  // namespace diskless
