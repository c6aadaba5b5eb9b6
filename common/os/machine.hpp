// The machine itself: its names, its consoles, its power.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"

namespace diskless {

enum class PowerVerb { reboot, poweroff, halt, kexec };
std::string_view text(PowerVerb verb);

class Machine {
  public:
    virtual ~Machine() = default;
    virtual Result<> set_hostname(const std::string& name) = 0;
    virtual Result<> set_nis_domain(const std::string& name) = 0;
    virtual std::string kernel_release() const = 0;
    /// Random bytes that do not block a boot (getrandom(2) with GRND_INSECURE): for jitter and transaction ids only.
    virtual std::uint64_t random() = 0;
    /// Secret random bytes for keys (getrandom(2)); waits for the kernel's pool until the deadline.
    virtual Result<std::string> secret(std::size_t bytes, Deadline deadline) = 0;
    /// One line to /dev/kmsg and so to every console the kernel writes to; level as in syslog(2) (3 error, 4 warning, 6
    /// info).
    virtual void say(int level, std::string_view line) = 0;
    /// sync(2): may hang as long as a server is away, so call it in a child.
    virtual void sync() = 0;
    /// reboot(2), at once; returns only on failure. Does not sync.
    virtual Error power(PowerVerb verb) = 0;
    /// sysrq: 's' sync, 'u' read-only, 'b' reboot, 'o' off.
    virtual Result<> sysrq(char key) = 0;
    /// swapon(2) of a device or file that has a swap header; swapoff(2), which may hang: call it in a child.
    virtual Result<> swap_on(const std::string& path) = 0;
    virtual Result<> swap_off(const std::string& path) = 0;
    /// Loads what PowerVerb::kexec starts: kexec_file_load(2). An empty `initramfs`: none.
    virtual Result<> load_kernel(const std::string& kernel, const std::string& initramfs,
                                 const std::string& command_line) = 0;
    /// Starts the switch to a new root that is mounted at `path`: moves it onto "/" and makes it the root of this
    /// process.
    virtual Result<> switch_root(const std::string& path) = 0;
    /// Makes the mount at `path` the root, and shows the old one at `old_root` below it (pivot_root(2)).
    virtual Result<> pivot_root(const std::string& path, const std::string& old_root) = 0;
};

}  // namespace diskless
