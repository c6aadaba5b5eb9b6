// The life of one interface's address: DHCP (RFC 2131 figure 5), BOOTP and RARP, from the first question to the last
// renewal. A pure object: bytes and times go in, bytes and decisions come out. Whoever owns it
//   * sleeps until next_wakeup() or until something arrives,
//   * calls on_time / on_packet / on_datagram / on_rarp, and does what the returned LeaseActions say.
// It never gives up: deadlines are its owner's business. Times are CLOCK_BOOTTIME.
//
//              ┌────────────── NAK, silence, lease ran out ──────────────┐
//              ▼                                                         │
//   SELECTING ──offer──▶ REQUESTING ──ACK──▶ BOUND ──T1──▶ RENEWING ──T2──▶ REBINDING
//        └──── BOOTP or RARP reply ──────────▶ ▲ ◀──────────ACK──┴──────────────┘
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/dhcp_packet.hpp"
#include "common/net/lease.hpp"

namespace diskless {

/// Which protocols may answer. DHCP with BOOTP asks by DHCP and takes plain BOOTP replies too; RARP is asked in
/// between.
struct LeaseMethods {
    bool dhcp = true, bootp = false, rarp = false;
};

struct LeaseRequest {
    Mac mac;
    LeaseMethods methods;
    std::vector<std::uint8_t> client_id;  // option 61, type byte first; empty: default_client_id(mac)
    std::string vendor_class;             // option 60; empty: default_vendor_class()
    std::string hostname;                 // option 12; empty: not sent
    bool prefer_root_path = false;        // wait up to half a second for an offer that names a root path
    std::uint64_t seed = 0;               // for transaction ids and jitter
};

enum class LeaseState { selecting, requesting, bound, renewing, rebinding };
std::string_view text(LeaseState state);

enum class LeaseEvent {
    none,
    gained,   // lease() is new: configure the interface
    renewed,  // the same address for longer; other fields may have changed
    moved,    // a server renewed with another address
    lost,     // NAK or expiry: the address may belong to somebody else now; the machine asks anew by itself
};

struct LeaseActions {
    std::vector<std::string> packets;      // to the packet channel (from the IP header on), all broadcast
    std::vector<std::string> rarp_frames;  // to the RARP channel
    std::string unicast;                   // UDP payload from port 68 of the leased address to port 67 of unicast_to
    Ipv4 unicast_to;
    LeaseEvent event = LeaseEvent::none;
    std::string reason;              // one line about the event
    std::vector<std::string> notes;  // one line for each thing in the server's answer that was ignored
};

class LeaseMachine {
  public:
    using Time = std::chrono::nanoseconds;

    /// Begins in SELECTING; the first question is due at once.
    LeaseMachine(LeaseRequest request, Time now);
    /// Takes over a lease that another program of this boot obtained. A client id in the lease wins.
    LeaseMachine(LeaseRequest request, Lease lease);

    /// When on_time() has something to do; Time::max() when nothing is due ever.
    Time next_wakeup() const { return wakeup_; }
    LeaseActions on_time(Time now);
    /// A packet from its IP header on, as the packet channel delivers it.
    LeaseActions on_packet(std::string_view packet, Time now);
    /// A UDP payload, as a UDP socket on port 68 delivers it. May be the same message that on_packet saw.
    LeaseActions on_datagram(std::string_view payload, Time now);
    LeaseActions on_rarp(std::string_view frame, Time now);
    /// The address that was gained is somebody else's: refuses it (RFC 2131 3.1 step 5), and asks anew after ten
    /// seconds. The lease is lost, and there is none.
    LeaseActions decline(std::string reason, Time now);
    /// Renews now instead of at T1 (carrier came back, operator asked). Without a lease nothing changes.
    void renew_soon(Time now);

    LeaseState state() const { return state_; }
    bool has_lease() const { return state_ >= LeaseState::bound; }
    /// The lease in use when has_lease(), else the one that was lost, or an empty one.
    const Lease& lease() const { return lease_; }
    /// What is being waited for, for the operator: "no answer to 7 DHCP requests in 12 s".
    std::string progress(Time now) const;

  private:
    struct Offer {
        Lease lease;
        bool needs_request;  // DHCP; BOOTP and RARP replies are the lease
        std::vector<std::string> notes;
    };

    void start_selecting(Time now, Time delay);
    void ask(Time now, LeaseActions& actions);
    void consider(Offer offer, Time now, LeaseActions& actions);
    void take_offer(Time now, LeaseActions& actions);
    void send_request(Time now, LeaseActions& actions);
    void send_renewal(Time now, LeaseActions& actions);
    void bind(Lease lease, std::vector<std::string> notes, Time now, LeaseActions& actions);
    void lose(std::string reason, Time now, Time delay, LeaseActions& actions);
    void schedule_renewal();

    DhcpQuery query(DhcpType type) const;
    Time rebind_at() const;
    Time expires_at() const;
    Time backoff(unsigned attempt);
    std::uint64_t random();

    LeaseRequest request_;
    Lease lease_;
    std::optional<Offer> offer_;
    LeaseState state_ = LeaseState::selecting;
    Time wakeup_{};
    Time started_{};  // of the present round of questions: what secs counts from
    Time early_{};    // how much before their time T1 and T2 come
    std::uint64_t random_state_;
    std::uint32_t xid_ = 0;
    std::uint16_t secs_ = 0;
    unsigned attempt_ = 0;  // messages sent in the present state
    unsigned asked_ = 0;    // questions since there was a lease
    unsigned refused_ = 0;  // NAKs since there was a lease
};

}  // namespace diskless
