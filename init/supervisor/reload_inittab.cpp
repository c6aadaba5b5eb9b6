#include "init/supervisor/reload_inittab.hpp"

#include <csignal>

#include "common/base/text.hpp"
#include "init/boot.hpp"
#include "init/supervisor/life.hpp"

namespace diskless {

namespace {
constexpr Seconds kAnswer{15};  // a child of PID 1 has ten to read the file
constexpr Milliseconds kLookEvery{20};
constexpr std::size_t kLongestAnswer = 256 * 1024;
}  // namespace

Result<std::vector<std::string>> reload_inittab(Os& os) {
    const auto arguments = os.files.read("/proc/1/cmdline", 4096).value_or("");
    const auto role = arguments.find('\0');
    if (role == std::string::npos || std::string_view(arguments.c_str() + role + 1) != kSupervise)
        return std::vector<std::string>();
    const auto answer = [&] { return os.files.read(kInittabChanges, kLongestAnswer).value_or(""); };
    // Its first line is the time it was read, so it differs each time.
    const auto before = answer();
    TRY(os.processes.signal(1, SIGHUP));
    const auto until = Deadline::after(os.clock, kAnswer);
    auto text = answer();
    for (; text == before; text = answer()) {
        if (until.passed(os.clock))
            return fail("PID 1 was asked to read its inittab again and does not answer",
                        "see disklessctl log and dmesg", ETIMEDOUT);
        os.clock.sleep(kLookEvery);
    }
    std::vector<std::string> changes;
    for (const auto line : lines(text)) changes.emplace_back(line);
    if (!changes.empty()) changes.erase(changes.begin());
    return changes;
}

}  // namespace diskless
