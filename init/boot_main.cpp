#include "init/boot_main.hpp"

#include <exception>
#include <optional>

#include "common/os/emergency.hpp"
#include "init/boot_loop.hpp"
#include "init/mounted_root.hpp"

namespace diskless {

[[noreturn]] void boot_main(Os& os, const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment) {
    const auto started = os.clock.now();
    guard_against_crashes(60);
    // Live as long as PID 1: steps that were abandoned may still look at them.
    static Boot boot;
    static std::optional<Executor> executor;
    boot.called_as = arguments.empty() ? std::string() : arguments[0];
    if (const auto there = step_into_ram(os, arguments, environment); there)
        boot.root_is_there = *there;
    else
        os.machine.say(3, there.error().cause + ", continuing");
    for (;;) {
        try {
            if (!executor) executor.emplace(os, narrate(os, boot));
            boot_on({os, emergency_stop}, boot, *executor, started, environment);
        } catch (const std::exception&) {
            say_without_memory("go on with the boot, trying again");
            os.clock.sleep(Seconds{1});
        }
    }
}

}  // namespace diskless
