// The agent comes back when it is killed or crashes. Two copies of the program watch over each other:
//
//   guardian ── forks, waits ──▶ agent        the agent ends: the guardian starts it again
//            ◀── who is my parent? ──         the guardian ends: the agent becomes a guardian itself, by exec
//            ◀── next sign of life by … ──    the agent hangs, or is stopped: the guardian kills it, and starts it
//            again
//
// It does not matter what PID 1 is. What the agent knows is in AgentState; the listening socket is the guardian's, so
// that who asks meanwhile is answered a little later.
#pragma once

#include <functional>
#include <string>

#include "common/os/clock.hpp"
#include "common/os/forks.hpp"
#include "common/os/machine.hpp"

namespace diskless {

/// When to start again, and what to say: quickly after a life worth the name, slower and slower when it dies at once.
class RestartPolicy {
  public:
    static constexpr Nanoseconds kWorthTheName = Milliseconds{500};
    static constexpr Nanoseconds kFirstPause = Milliseconds{50};
    static constexpr Nanoseconds kLongestPause = Seconds{5};
    static constexpr unsigned kDoubtState = 3;    // short lives in a row: what it read may be what kills it
    static constexpr unsigned kSaidOneByOne = 3;  // ends, and then
    static constexpr Nanoseconds kSayAgain = Seconds{600};

    struct Decision {
        Nanoseconds pause{0};
        bool forget_state = false;
        std::string say;  // empty: nothing
    };
    /// `status` is that of waitpid(2).
    Decision ended(Nanoseconds now, Nanoseconds lived, int status);

  private:
    unsigned ends_ = 0, short_lives_ = 0, unsaid_ = 0;
    Nanoseconds said_at_{0};
};

class Guardian {
  public:
    struct World {
        Clock& clock;
        Machine& machine;
        Forks& forks;
    };

    Guardian(World world, std::function<void()> forget_state) : world_(world), forget_(std::move(forget_state)) {}

    /// Returns in the agent, each time in a new one: how often it was started before. In the guardian it does not
    /// return.
    unsigned guard();
    /// In the agent: is its guardian still there?
    bool is_guarded() const { return world_.forks.parent() == guardian_; }
    /// In the agent: it gives a sign of life until then.
    void promise(Nanoseconds until) { world_.forks.promise(until); }

    static constexpr Nanoseconds kToBegin = Seconds{60};           // until the first sign of life
    static constexpr Nanoseconds kLookEvery = Seconds{5};          // the promise may have become a shorter one
    static constexpr Nanoseconds kSecondLook = Milliseconds{500};  // both may have been stopped
    static constexpr Nanoseconds kToDie = Seconds{2};  // of SIGKILL; one that hangs in the kernel is left there

  private:
    int watch(int pid, Nanoseconds started);

    World world_;
    std::function<void()> forget_;
    RestartPolicy policy_;
    int guardian_ = 0;
};

}  // namespace diskless
