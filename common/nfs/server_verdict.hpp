// Is a server gone? One empty call without an answer does not say so: while all its threads work for others, as when
// every node was told to reboot at once, an answer takes seconds; a service that is started again refuses for a moment.
// Two in a row do.
#pragma once

#include <functional>
#include <optional>

#include "common/os/clock.hpp"

namespace diskless {

class ServerVerdict {
  public:
    /// An empty call: was it answered by then?
    using Ask = std::function<bool(Deadline)>;

    struct Patience {
        Nanoseconds first = Milliseconds{2000}, second = Milliseconds{1500};
    };
    /// Between the beginnings of the two calls: what is refused is refused at once.
    static constexpr Nanoseconds kApart = Seconds{1};
    /// So long "gone" is not asked about again.
    static constexpr Nanoseconds kStands = Seconds{5};

    ServerVerdict(Clock& clock, Ask ask) : ServerVerdict(clock, std::move(ask), Patience{}) {}
    ServerVerdict(Clock& clock, Ask ask, Patience patience)
        : clock_(clock), ask_(std::move(ask)), patience_(patience) {}

    /// Takes the patience of both calls at most, or half of what is left until `end`. Without a way to ask: false.
    bool is_gone(Deadline end = {});
    Nanoseconds longest() const { return patience_.first + patience_.second; }

  private:
    Clock& clock_;
    Ask ask_;
    Patience patience_;
    std::optional<Nanoseconds> gone_at_;
};

}  // namespace diskless
