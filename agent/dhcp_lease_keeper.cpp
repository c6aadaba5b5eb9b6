#include "agent/dhcp_lease_keeper.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/net/arp.hpp"
#include "common/net/udp_packet.hpp"
#include "common/report/words.hpp"

namespace diskless {

namespace {
constexpr Ipv4 kEverybody(255, 255, 255, 255);

std::int64_t whole_seconds(Nanoseconds span) { return std::chrono::duration_cast<Seconds>(span).count(); }
}  // namespace

DhcpLeaseKeeper::DhcpLeaseKeeper(AddressGuard::World world, Sockets& sockets, AddressGuard guard, LeaseRequest request,
                                 Lease lease)
    : world_(world),
      sockets_(sockets),
      guard_(std::move(guard)),
      machine_(std::move(request), lease),
      lease_(std::move(lease)) {}

void DhcpLeaseKeeper::resume(Error problem) {
    problem_ = std::move(problem);
    machine_.renew_soon(world_.clock.now());
}

LiveLease DhcpLeaseKeeper::live() const {
    LiveLease live;
    live.lease = lease_;
    live.problem = problem_;
    live.renewals = renewals_;
    live.losses = losses_;
    add_guarded(live, guard_);
    if (machine_.state() != LeaseState::bound) live.waits_for = machine_.progress(world_.clock.now());
    return live;
}

Nanoseconds DhcpLeaseKeeper::next_due() const {
    const auto check = check_ ? check_->next : Nanoseconds::max();
    return std::min({guard_.next_look(), machine_.next_wakeup(), next_poll_, check});
}

void DhcpLeaseKeeper::work(Nanoseconds now) {
    if (now >= guard_.next_look()) {
        guard_.look(lease_);
        look_at_link();
    }
    if (packets_) receive(now);
    if (check_ && now >= check_->next) go_on_checking(now);
    if (now >= machine_.next_wakeup()) act(machine_.on_time(now), now);
    if (!packets_) return;
    if (now - asked_at_ >= kListenFor || machine_.state() == LeaseState::bound) return close();
    next_poll_ = now + (now - asked_at_ < Seconds{1} ? kFirstSecond : kLater);
}

/// Behind a carrier that comes back may be another network: the server is asked at once.
void DhcpLeaseKeeper::look_at_link() {
    if (!guard_.link()) {
        carrier_.reset();
        close();  // bound to an interface that is gone
        return;
    }
    const bool carrier = guard_.link()->carrier;
    if (carrier && carrier_ == false) {
        say(5, fmt::format("{} has its carrier back, renewing {}", guard_.name(), lease_.address.text()));
        machine_.renew_soon(world_.clock.now());
    }
    if (!carrier && carrier_ == true) say(4, fmt::format("{} has lost its carrier, waiting for it", guard_.name()));
    carrier_ = carrier;
}

void DhcpLeaseKeeper::receive(Nanoseconds now) {
    // A renewal's answer may come by both: the machine takes it once. A flood must not hold the agent.
    constexpr int kMostAtOnce = 64;
    for (int i = 0; packets_ && i < kMostAtOnce; ++i) {
        const auto packet = packets_->receive();
        if (!packet) break;
        act(machine_.on_packet(*packet, now), now);
    }
    for (int i = 0; udp_ && i < kMostAtOnce; ++i) {
        const auto payload = udp_->receive();
        if (!payload) break;
        act(machine_.on_datagram(*payload, now), now);
    }
}

void DhcpLeaseKeeper::act(const LeaseActions& actions, Nanoseconds now) {
    if (!actions.packets.empty() || !actions.unicast.empty()) {
        asked_at_ = now;
        send(actions);
    }
    if (machine_.state() == LeaseState::rebinding && !said_rebinding_) {
        said_rebinding_ = true;
        const auto left = whole_seconds(lease_.obtained + lease_.lease_time - now);
        say(4, fmt::format("{} does not renew {}, asking every server; the lease ends in {}",
                           lease_.server_id.is_set() ? lease_.server_id.text() : "the DHCP server",
                           lease_.address.text(), span_text(std::max<std::int64_t>(left, 0))));
    }
    switch (actions.event) {
        case LeaseEvent::none:
            break;
        case LeaseEvent::lost:
            check_.reset();
            lost(actions.reason);
            break;
        case LeaseEvent::renewed:
        case LeaseEvent::gained:
        case LeaseEvent::moved:
            ++renewals_;
            if (machine_.lease().address == lease_.address)
                take(actions);
            else if (!check_)
                begin_check(actions, now);
            break;
    }
    // A server says the same at each renewal.
    if (actions.event != LeaseEvent::none && std::exchange(notes_, actions.notes) != actions.notes)
        for (const auto& note : actions.notes) say(5, note);
}

void DhcpLeaseKeeper::lost(const std::string& reason) {
    Error problem{reason + "; the address is kept while a new one is asked for",
                  fmt::format("see the DHCP server: if it gives {} to another machine, this node loses its root",
                              lease_.address.text()),
                  0};
    // An earlier life may have lost it already, and said so.
    if (!problem_) ++losses_;
    if (!problem_ || problem_->cause != problem.cause) say(3, problem.cause + ": " + problem.remedy);
    problem_ = std::move(problem);
}

void DhcpLeaseKeeper::begin_check(const LeaseActions& actions, Nanoseconds now) {
    if (!guard_.link()) return take(actions);
    auto frames = sockets_.open_frames(guard_.link()->index, kArpEtherType);
    if (!frames) return take(actions);
    check_.emplace(Check{std::move(*frames), actions, now, now, 0});
    go_on_checking(now);
}

void DhcpLeaseKeeper::go_on_checking(Nanoseconds now) {
    const auto address = machine_.lease().address;
    const auto mine = guard_.link() ? guard_.link()->mac : Mac{};
    while (const auto frame = check_->frames->receive()) {
        const auto other = arp_conflict(*frame, mine, address);
        if (!other) continue;
        const auto why = fmt::format("{} gave {}, which {} has already: refused", machine_.lease().server_id.text(),
                                     address.text(), other->text());
        check_.reset();
        return act(machine_.decline(why, now), now);
    }
    if (now - check_->started >= kProbeEvery * check_->asked) {
        if (check_->asked == kProbes) {
            const auto found = std::move(check_->found);
            check_.reset();
            return take(found);
        }
        ++check_->asked;
        (void)check_->frames->send(build_arp_probe(mine, address));
    }
    check_->next = now + kFirstSecond;
}

void DhcpLeaseKeeper::take(const LeaseActions& actions) {
    const Lease old = std::exchange(lease_, machine_.lease());
    if (old.address != lease_.address) {
        say(3, fmt::format("{} instead of {}: connections of the old address break; NFS goes on from the new one where "
                           "the export allows it",
                           actions.reason, old.address.text()));
        guard_.move(old, lease_);
    } else {
        if (problem_ || said_rebinding_) say(4, "renewed again: " + actions.reason);
        // Only what a server changed is put in place: the rest is looked after in its time.
        if (old.routes != lease_.routes || old.routers != lease_.routers) guard_.move(old, lease_);
    }
    problem_.reset();
    said_rebinding_ = false;
    send_problem_.clear();
}

void DhcpLeaseKeeper::send(const LeaseActions& actions) {
    const auto sent = [&]() -> Result<> {
        TRY(open());
        for (const auto& packet : actions.packets) TRY(packets_->send(packet));
        if (actions.unicast.empty()) return {};
        // Port 68 may be another client's: then everybody is asked, as in rebinding.
        if (auto opened = sockets_.open_udp(actions.unicast_to, kDhcpServerPort, kDhcpClientPort)) {
            udp_ = std::move(*opened);
            if (udp_->send(actions.unicast)) return {};
            udp_.reset();
        }
        return packets_->send(
            wrap_udp({lease_.address, kEverybody, kDhcpClientPort, kDhcpServerPort, actions.unicast}));
    }();
    if (sent) return send_problem_.clear();
    // The machine asks again by itself, with fresh sockets.
    close();
    if (std::exchange(send_problem_, sent.error().cause) != sent.error().cause)
        say(4, "cannot ask for the lease: " + sent.error().cause + ", trying again");
}

Result<> DhcpLeaseKeeper::open() {
    if (packets_) return {};
    if (!guard_.link()) return fail(fmt::format("interface {} is gone", guard_.name()), {}, ENODEV);
    packets_ = TRY(sockets_.open_packets(guard_.link()->index, kDhcpClientPort));
    return {};
}

void DhcpLeaseKeeper::close() {
    packets_.reset();
    udp_.reset();
    next_poll_ = Nanoseconds::max();
}

void DhcpLeaseKeeper::say(int level, const std::string& line) { world_.machine.say(level, "diskless-agent: " + line); }

}  // namespace diskless
