// Who keeps the root's address: the agent, from the first ACK to the reboot. The seam for renewal; so far the lease is
// carried as it was obtained, and its end is shown in the status.
#pragma once

#include "common/net/lease.hpp"
#include "common/os/clock.hpp"

namespace diskless {

class LeaseKeeper {
  public:
    virtual ~LeaseKeeper() = default;
    virtual const Lease& lease() const = 0;
    /// CLOCK_BOOTTIME of the next thing to do; Nanoseconds::max(): nothing.
    virtual Nanoseconds next_due() const = 0;
    /// Does what is due. Never blocks for longer than sending a packet.
    virtual void work(Nanoseconds now) = 0;
};

/// Keeps a lease that never has to be renewed.
class FixedLease : public LeaseKeeper {
  public:
    explicit FixedLease(Lease lease) : lease_(std::move(lease)) {}
    const Lease& lease() const override { return lease_; }
    Nanoseconds next_due() const override { return Nanoseconds::max(); }
    void work(Nanoseconds) override {}

  private:
    Lease lease_;
};

}  // namespace diskless
