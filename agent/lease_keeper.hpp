// Who keeps the root's address: the agent, from the first ACK to the reboot.
#pragma once

#include "agent/address_guard.hpp"
#include "common/net/lease.hpp"
#include "common/os/clock.hpp"
#include "common/report/node_status.hpp"

namespace diskless {

class LeaseKeeper {
  public:
    virtual ~LeaseKeeper() = default;
    /// The lease in use, and how its renewal stands.
    virtual LiveLease live() const = 0;
    /// CLOCK_BOOTTIME of the next thing to do; Nanoseconds::max(): nothing.
    virtual Nanoseconds next_due() const = 0;
    /// Does what is due. Never blocks for longer than sending a packet.
    virtual void work(Nanoseconds now) = 0;
};

/// What the guard of its address knows.
inline void add_guarded(LiveLease& live, const AddressGuard& guard) {
    if (guard.link()) live.carrier = guard.link()->carrier;
    live.put_back = guard.times_put_back();
}

/// Keeps a lease that never has to be renewed (fixed, BOOTP, RARP) on its interface.
class FixedLease : public LeaseKeeper {
  public:
    FixedLease(Lease lease, AddressGuard guard) : lease_(std::move(lease)), guard_(std::move(guard)) {}
    LiveLease live() const override {
        LiveLease live;
        live.lease = lease_;
        add_guarded(live, guard_);
        return live;
    }
    Nanoseconds next_due() const override { return guard_.next_look(); }
    void work(Nanoseconds now) override {
        if (now >= guard_.next_look()) guard_.look(lease_);
    }

  private:
    Lease lease_;
    AddressGuard guard_;
};

}  // namespace diskless
