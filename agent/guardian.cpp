#include "agent/guardian.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>

#include "common/report/words.hpp"

namespace diskless {

namespace {
constexpr Nanoseconds kNoMemory = Seconds{1};  // until the next try when fork(2) fails
}

RestartPolicy::Decision RestartPolicy::ended(Nanoseconds now, Nanoseconds lived, int status) {
    Decision decision;
    short_lives_ = lived < kWorthTheName ? short_lives_ + 1 : 0;
    decision.pause = std::min(kLongestPause, kFirstPause * (1 << std::min(short_lives_, 10U)));
    decision.forget_state = short_lives_ >= kDoubtState;
    ++ends_;
    ++unsaid_;
    if (ends_ > kSaidOneByOne && now - said_at_ < kSayAgain) return decision;
    const auto how = WIFSIGNALED(status) ? fmt::format("was killed by signal {}", WTERMSIG(status))
                                         : fmt::format("ended with status {}", WEXITSTATUS(status));
    decision.say = fmt::format("diskless-agent: it {} after {}, starting it again{}", how, seconds_text(lived),
                               unsaid_ > 1 ? fmt::format(" ({} times since this was said last)", unsaid_) : "");
    said_at_ = now;
    unsaid_ = 0;
    return decision;
}

/// Until it has ended: its status as of waitpid(2).
int Guardian::watch(int pid, Nanoseconds started) {
    auto& [clock, machine, forks] = world_;
    for (;;) {
        const auto until = forks.promised();
        if (const auto status = forks.wait_for(pid, Deadline::after(clock, kLookEvery).sooner_of({until})))
            return *status;
        if (forks.promised() != until || clock.now() < until) continue;
        if (const auto status = forks.wait_for(pid, Deadline::after(clock, kSecondLook))) return *status;
        if (forks.promised() != until) continue;
        machine.say(3, fmt::format("diskless-agent: it gives no sign of life, killing it after {}",
                                   seconds_text(clock.now() - started)));
        forks.kill(pid);
        return forks.wait_for(pid, Deadline::after(clock, kToDie)).value_or(SIGKILL);
    }
}

unsigned Guardian::guard() {
    world_.forks.be_called("diskless-guard");
    for (unsigned times = 0;;) {
        world_.forks.promise(world_.clock.now() + kToBegin);
        const auto pid = world_.forks.split();
        if (pid && *pid == 0) {
            guardian_ = world_.forks.parent();
            world_.forks.be_called("diskless-agent");
            return times;
        }
        if (!pid) {
            world_.clock.sleep(kNoMemory);
            continue;
        }
        const auto started = world_.clock.now();
        const int status = watch(*pid, started);
        const auto now = world_.clock.now();
        const auto decision = policy_.ended(now, now - started, status);
        if (!decision.say.empty()) world_.machine.say(4, decision.say);
        if (decision.forget_state) forget_();
        world_.clock.sleep(decision.pause);
        ++times;
    }
}

}  // namespace diskless
