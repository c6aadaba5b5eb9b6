#include "common/os/devices_linux.hpp"

#include <libudev.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>

#include "common/base/text.hpp"
#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"

namespace diskless {

namespace {

template <auto function>
struct Unref {
    template <class T>
    void operator()(T* object) const {
        function(object);
    }
};

using Udev = std::unique_ptr<udev, Unref<&udev_unref>>;
using Enumerate = std::unique_ptr<udev_enumerate, Unref<&udev_enumerate_unref>>;
using Device = std::unique_ptr<udev_device, Unref<&udev_device_unref>>;
using UdevMonitor = std::unique_ptr<udev_monitor, Unref<&udev_monitor_unref>>;

/// Hears the kernel's own device events (not udevd's, which may not run).
class Monitor {
  public:
    /// False when it was subscribed only now.
    bool subscribed() {
        if (monitor_) return true;
        udev_.reset(udev_new());
        if (!udev_) return false;
        UdevMonitor made(udev_monitor_new_from_netlink(udev_.get(), "kernel"));
        if (made && udev_monitor_enable_receiving(made.get()) >= 0) monitor_ = std::move(made);
        return false;
    }

    bool has_socket() const { return monitor_ != nullptr; }
    int fd() const { return udev_monitor_get_fd(monitor_.get()); }

    void forget_events() {
        std::array<char, 8192> event;  // content does not matter
        // ENOBUFS: events were lost because too many came; what is left follows
        while (recv(fd(), event.data(), event.size(), MSG_DONTWAIT) >= 0 || errno == EINTR || errno == ENOBUFS) {
        }
    }

  private:
    Udev udev_;
    UdevMonitor monitor_;
};

Monitor& monitor() {
    thread_local Monitor mine;
    return mine;
}

/// From the uevent file; a few buses only have a file "modalias".
std::string modalias_of(udev_device* device) {
    const char* modalias = udev_device_get_property_value(device, "MODALIAS");
    if (modalias == nullptr) modalias = udev_device_get_sysattr_value(device, "modalias");
    return modalias == nullptr ? std::string() : std::string(trim(modalias));
}

}  // namespace

Result<std::vector<std::string>> LinuxDevices::modaliases() {
    if (monitor().subscribed()) monitor().forget_events();
    const Udev context(udev_new());
    if (!context) return fail_errno("libudev", ENOMEM);
    const Enumerate all(udev_enumerate_new(context.get()));
    if (!all) return fail_errno("libudev", ENOMEM);
    if (const int result = udev_enumerate_scan_devices(all.get()); result < 0)
        return fail_errno("list devices in /sys", -result, "is sysfs mounted on /sys?");

    std::vector<std::string> found;
    for (auto* entry = udev_enumerate_get_list_entry(all.get()); entry != nullptr;
         entry = udev_list_entry_get_next(entry)) {
        const Device device(udev_device_new_from_syspath(context.get(), udev_list_entry_get_name(entry)));
        if (!device) continue;  // it has gone in the meantime
        if (auto modalias = modalias_of(device.get()); !modalias.empty()) found.push_back(std::move(modalias));
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

bool LinuxDevices::wait_for_event(Deadline deadline) {
    if (!monitor().subscribed()) {
        if (monitor().has_socket()) return true;  // what came before is not known: look again
        deadline = deadline.sooner_of(Deadline::after(linux_clock(), Seconds{1}));
        linux_clock().sleep(deadline.left(linux_clock()));  // no monitor to be had: let the caller look again
        return true;
    }
    pollfd events{monitor().fd(), POLLIN, 0};
    if (poll_until(&events, 1, deadline) == 0) return false;
    monitor().forget_events();
    return true;
}

}  // namespace diskless
