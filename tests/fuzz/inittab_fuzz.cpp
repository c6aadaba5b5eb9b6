// Any inittab, and any life by it: no crash, no hang, never more than the limits; what belongs to nobody is not
// started.
#include <cstdint>
#include <cstdlib>

#include "common/os/init_request.hpp"
#include "init/supervisor/supervisor.hpp"

namespace {

using namespace diskless;

struct World : SupervisorWorld {
    std::vector<int> running;
    int next = 2, started = 0;

    int start(const InittabEntry& entry) override {
        if (entry.id.empty() || entry.id.find('/') != std::string::npos || command_of(entry).arguments.empty())
            std::abort();
        ++started;
        running.push_back(++next);
        return next;
    }
    void signal(const InittabEntry&, int pid, int) override { std::erase(running, pid); }
    void ended(const InittabEntry&, int, int) override {}
    void say(int, std::string) override {}
    void run_level(char, char) override {}
    void end(LastAct, PowerVerb, const InittabEntry*) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    // The first bytes are what happens, the rest is the inittab.
    const std::size_t events = std::min<std::size_t>(data[0] % 32, size - 1);
    const std::string_view happens(reinterpret_cast<const char*>(data + 1), events);
    const std::string_view text(reinterpret_cast<const char*>(data + 1 + events), size - 1 - events);
    (void)parse_init_request(text);

    World world;
    Supervisor supervisor(world, {});
    Nanoseconds now{Seconds{1}};
    supervisor.begin(parse_inittab(text), now);
    for (const char event : happens) {
        now += Milliseconds{static_cast<unsigned char>(event) * 20};
        switch (static_cast<unsigned char>(event) % 8) {
            case 0:
                if (!world.running.empty()) {
                    const int pid = world.running.back();
                    world.running.pop_back();
                    supervisor.child_ended(pid, 0, now);
                }
                break;
            case 1:
                supervisor.reload(parse_inittab(happens), now);
                break;
            case 2:
                supervisor.reload(parse_inittab(text), now);
                break;
            case 3:
                supervisor.telinit(
                    "0123456Sabc" [static_cast<unsigned char>(event) % 11], Seconds { 1 }, now);
                break;
            case 4: {
                const auto state = supervisor.state();
                Supervisor again(world, {});
                again.resume(parse_inittab(text), state, now);
                break;
            }
            case 5:
                supervisor.ctrl_alt_del(now);
                break;
            case 6:
                supervisor.power_status(event, now);
                break;
            default:
                supervisor.time_passed(now);
        }
    }
    for (int i = 0; i < 64 && supervisor.next_due() != Nanoseconds::max(); ++i) {
        now = std::max(now, supervisor.next_due());
        supervisor.time_passed(now);
    }
    return 0;
}
