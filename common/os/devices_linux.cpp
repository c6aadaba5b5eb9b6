#include "common/os/devices_linux.hpp"

#include <fcntl.h>
#include <libudev.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>

#include "common/base/text.hpp"
#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/tree_linux.hpp"

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

    /// Of what the events are about; false when some were lost because too many came.
    bool take_modaliases(std::vector<std::string>& found) {
        for (;;) {
            errno = 0;
            const Device device(udev_monitor_receive_device(monitor_.get()));
            if (!device) return errno != ENOBUFS;
            if (const char* modalias = udev_device_get_property_value(device.get(), "MODALIAS"))
                found.emplace_back(modalias);
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

/// Buses whose devices no module drives, or name none; the memory of a large machine is thousands of devices.
constexpr std::array<std::string_view, 12> kPassedOver{"clockevents",  "clocksource",  "container", "cpu",
                                                       "event_source", "machinecheck", "memory",    "memory_tiering",
                                                       "node",         "pci_express",  "pnp",       "workqueue"};
/// Devices without a file modalias have none in their uevent file either (drivers/acpi/device_sysfs.c).
constexpr std::string_view kAcpi = "acpi";

/// Calls with each name in a directory and the descriptor that it is relative to; false with errno when it cannot be
/// listed.
bool each_name(int above, const std::string& directory, const std::function<void(int, const std::string&)>& call) {
    const Descriptor opened(openat(above, directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened && for_each_name(opened.get(), [&](const char* name, unsigned char) {
               call(opened.get(), name);
               return true;
           });
}

/// A file of a device in sysfs, which is never longer than this; empty when there is none.
std::string text_of(int devices, const std::string& path) {
    const Descriptor file(openat(devices, path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> text;
    const auto got = file ? read(file.get(), text.data(), text.size()) : 0;
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

/// A file of the device's own on most buses, on others a line of the uevent file.
std::string modalias_of(int devices, const std::string& device, bool in_uevent) {
    if (const auto text = text_of(devices, device + "/modalias"); !text.empty()) return std::string(trim(text));
    if (!in_uevent) return {};
    constexpr std::string_view kKey = "MODALIAS=";
    const auto uevent = text_of(devices, device + "/uevent");
    for (const auto line : lines(uevent))
        if (line.starts_with(kKey)) return std::string(trim(line.substr(kKey.size())));
    return {};
}

std::vector<std::string> each_once(std::vector<std::string> found) {
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

}  // namespace

/// Drivers are for devices of a bus: with classes (tty, block, input, …) a look would take several times as long. Not
/// by udev_enumerate, which reads several files of each device: that was a tenth of a fast boot.
Result<std::vector<std::string>> LinuxDevices::modaliases() {
    if (monitor().subscribed()) monitor().forget_events();
    std::vector<std::string> found;
    const bool listed = each_name(AT_FDCWD, "/sys/bus", [&found](int buses, const std::string& bus) {
        if (std::ranges::find(kPassedOver, bus) != kPassedOver.end()) return;
        each_name(buses, bus + "/devices", [&](int devices, const std::string& device) {
            auto modalias = modalias_of(devices, device, bus != kAcpi);
            if (!modalias.empty()) found.push_back(std::move(modalias));
        });
    });
    if (!listed) return fail_errno("list devices in /sys", errno, "is sysfs mounted on /sys?");
    return each_once(std::move(found));
}

Result<std::vector<std::string>> LinuxDevices::new_modaliases() {
    if (!monitor().subscribed()) return modaliases();
    std::vector<std::string> found;
    if (!monitor().take_modaliases(found)) return modaliases();  // events were lost
    return each_once(std::move(found));
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
