#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>

#include "common/os/descriptor.hpp"
#include "common/os/watchdog.hpp"

namespace diskless {

namespace {

constexpr const char* kDevice = "/dev/watchdog";

class LinuxWatchdog : public Watchdog {
  public:
    Result<Seconds> start(Seconds time) override {
        if (!device_) device_ = Descriptor(::open(kDevice, O_WRONLY | O_CLOEXEC));
        if (!device_) return fail_errno(std::string("open ") + kDevice);
        int seconds = static_cast<int>(time.count());
        // Some hardware has one fixed time: it is told by GETTIMEOUT then.
        if (::ioctl(device_.get(), WDIOC_SETTIMEOUT, &seconds) != 0 &&
            ::ioctl(device_.get(), WDIOC_GETTIMEOUT, &seconds) != 0)
            seconds = static_cast<int>(time.count());
        return Seconds{seconds};
    }
    Result<> feed() override {
        // Any byte but 'V', which would disarm it at close.
        if (::write(device_.get(), "f", 1) != 1) return fail_errno(std::string("write ") + kDevice);
        return {};
    }
    Result<> stop() override {
        int off = WDIOS_DISABLECARD;
        if (::ioctl(device_.get(), WDIOC_SETOPTIONS, &off) != 0 && errno == EBUSY)
            return fail_errno(std::string("stop ") + kDevice);
        // Drivers that do not know that stop at close, after this byte.
        if (::write(device_.get(), "V", 1) != 1) return fail_errno(std::string("write ") + kDevice);
        device_ = Descriptor();
        return {};
    }

  private:
    Descriptor device_;
};

}  // namespace

Watchdog& linux_watchdog() {
    static LinuxWatchdog watchdog;
    return watchdog;
}

}  // namespace diskless
