#include "init/supervise_main.hpp"

#include <algorithm>
#include <exception>
#include <optional>

#include "common/os/anchors.hpp"
#include "common/os/emergency.hpp"
#include "common/os/init_process_linux.hpp"
#include "common/os/resident.hpp"
#include "init/boot.hpp"
#include "init/supervisor/life.hpp"

namespace diskless {

namespace {

void begin(Life& life, const std::vector<std::string>& arguments) {
    if (arguments.size() > 3 && !arguments[3].empty()) return life.resume(arguments[3]);
    life.begin({arguments.begin() + std::min<std::ptrdiff_t>(4, std::ssize(arguments)), arguments.end()});
}

}  // namespace

[[noreturn]] void supervise_main(Os& os, const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& environment) {
    anchor_api_directories();
    guard_against_crashes(60);
    restart_after_crashes(kProgram, kSupervise, arguments.size() > 2 ? arguments[2].c_str() : "");
    static std::optional<LinuxInitProcess> process;
    static std::optional<Life> life;
    for (bool begun = false; !begun;) {
        try {
            if (!process) process.emplace(LinuxInitProcess::Options{});
            if (!life)
                life.emplace(LifeWorld{os, *process,
                                       [](Deadline deadline, PowerVerb verb) { return end_machine_at(deadline, verb); },
                                       keep_crash_state, restart_now, say_without_memory},
                             environment);
            begin(*life, arguments);
            begun = true;
        } catch (const std::exception&) {
            // Out of memory, most probably: somebody else will have to give some back.
            say_without_memory("begin, trying again");
            os.clock.sleep(Seconds{1});
        }
    }
    for (;;) life->turn();
}

}  // namespace diskless
