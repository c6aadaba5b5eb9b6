#include "common/nfs/server_verdict.hpp"

#include <algorithm>

namespace diskless {

bool ServerVerdict::is_gone(Deadline end) {
    if (!ask_) return false;
    const auto begun = clock_.now();
    if (gone_at_ && begun - *gone_at_ < kStands) return true;
    gone_at_.reset();
    const auto share = end.left(clock_) / 4;
    if (ask_(Deadline::after(clock_, std::min(patience_.first, share)))) return false;
    clock_.sleep(Deadline{begun + std::min(kApart, share)}.left(clock_));
    if (ask_(Deadline::after(clock_, std::min(patience_.second, share)))) return false;
    gone_at_ = clock_.now();
    return true;
}

}  // namespace diskless
