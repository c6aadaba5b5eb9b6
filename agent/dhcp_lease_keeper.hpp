// Renews the root's DHCP lease and keeps its address on the interface.
//
// The root lives behind this address, so it is never given up for nothing: after a NAK or the end of the lease it stays
// on the interface while a new one is asked for (against RFC 2131 4.4.5, which was not written for machines whose files
// are behind it), and goes only when a server has given this node another one, after that one is in place.
//
// A new address is looked for on the network first (RFC 5227): one that somebody else has is refused.
//
// Sockets are open only while an answer is waited for. The agent sleeps in its control socket; in that time it comes by
// a few times a second instead of waiting for packets.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/lease_keeper.hpp"
#include "common/net/lease_machine.hpp"
#include "common/os/sockets.hpp"

namespace diskless {

class DhcpLeaseKeeper : public LeaseKeeper {
  public:
    static constexpr Nanoseconds kListenFor = Seconds{10};  // after a question: servers ping an address before offering
    static constexpr Nanoseconds kFirstSecond =
        Milliseconds{50};  // between looks at the sockets, soon after a question
    static constexpr Nanoseconds kProbeEvery = Milliseconds{300};
    static constexpr unsigned kProbes = 3;
    static constexpr Nanoseconds kLater = Milliseconds{250};  // and afterwards

    /// `lease` is what the boot got; its `obtained` is of the same CLOCK_BOOTTIME. `request` needs the MAC, hostname
    /// and vendor class as the boot sent them.
    DhcpLeaseKeeper(AddressGuard::World world, Sockets& sockets, AddressGuard guard, LeaseRequest request, Lease lease);

    /// The lease was in use in an earlier life of the agent, and this was wrong with it: a server is asked at once.
    void resume(Error problem);

    LiveLease live() const override;
    Nanoseconds next_due() const override;
    void work(Nanoseconds now) override;

    /// Sockets are open.
    bool listening() const { return packets_ != nullptr; }

  private:
    /// Is the new address somebody's? Asked three times; the answer counts after the last.
    struct Check {
        std::unique_ptr<Channel> frames;
        LeaseActions found;  // what is taken when nobody has it
        Nanoseconds started{0}, next{0};
        unsigned asked = 0;
    };
    void begin_check(const LeaseActions& actions, Nanoseconds now);
    void go_on_checking(Nanoseconds now);

    void look_at_link();
    void receive(Nanoseconds now);
    void act(const LeaseActions& actions, Nanoseconds now);
    void send(const LeaseActions& actions);
    Result<> open();
    void close();
    void lost(const std::string& reason);
    void take(const LeaseActions& actions);
    void say(int level, const std::string& line);

    AddressGuard::World world_;
    Sockets& sockets_;
    AddressGuard guard_;
    LeaseMachine machine_;
    Lease lease_;  // in use: not the machine's when that has lost it

    std::unique_ptr<Channel> packets_, udp_;
    Nanoseconds asked_at_{0};
    Nanoseconds next_poll_{Nanoseconds::max()};

    std::optional<Check> check_;

    std::optional<bool> carrier_;  // at the last look
    bool said_rebinding_ = false;
    std::optional<Error> problem_;    // the lease is lost, or about to be
    std::vector<std::string> notes_;  // said last
    std::string send_problem_;        // said last
    std::uint64_t renewals_ = 0, losses_ = 0;
};

}  // namespace diskless
