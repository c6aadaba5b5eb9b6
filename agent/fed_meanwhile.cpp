#include "agent/fed_meanwhile.hpp"

#include <exception>

namespace diskless {

FedMeanwhile::FedMeanwhile(Clock& clock, Machine& machine, WatchdogKeeper* watchdog) {
    if (watchdog == nullptr) return;
    try {
        thread_ = std::thread([this, &clock, watchdog] {
            while (!over_ && watchdog->next_due() != Nanoseconds::max()) {
                if (clock.now() >= watchdog->next_due()) (void)watchdog->work(clock.now());
                clock.sleep(Milliseconds{200});
            }
        });
    } catch (const std::exception&) {
        machine.say(4, "diskless-agent: no thread to feed the watchdog, continuing");
    }
}

FedMeanwhile::~FedMeanwhile() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
}

}  // namespace diskless
