#include "common/net/lease_machine.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/net/rarp.hpp"
#include "common/net/udp_packet.hpp"

namespace diskless {

namespace {
using namespace std::chrono_literals;
using Time = LeaseMachine::Time;

constexpr Time kFirstRetry = 300ms, kSlowestRetry = 16s;
// A server that loses much is asked for this many times before pauses grow to the longest: of a thousand nodes whose
// messages are lost by half, some need ten questions, and nobody starts work before the last one is there.
constexpr unsigned kUrgentTries = 10;
constexpr Time kUrgentRetry = 4s;
constexpr Time kQuietTime = 100ms;     // nobody is asked twice within it, however small the jitter
constexpr Time kOfferWindow = 500ms;   // how long prefer_root_path holds an offer without one
constexpr unsigned kRequestTries = 5;  // about 5 s, then the server that offered counts as gone
constexpr Ipv4 kEverybody(255, 255, 255, 255);

std::string as_packet(const DhcpQuery& query) {
    const auto payload = build_dhcp(query);
    return wrap_udp({query.client_address, kEverybody, kDhcpClientPort, kDhcpServerPort, payload});
}

std::string_view protocol(LeaseSource source) {
    switch (source) {
        case LeaseSource::fixed:
            return "fixed";
        case LeaseSource::dhcp:
            return "DHCP";
        case LeaseSource::bootp:
            return "BOOTP";
        case LeaseSource::rarp:
            return "RARP";
    }
    return "unknown";
}

std::string describe(const Lease& lease) {
    auto line = fmt::format("{} address {}/{}", protocol(lease.source), lease.address.text(), lease.prefix);
    const auto server = lease.server_id.is_set() ? lease.server_id : lease.next_server;
    if (server.is_set()) line += " from " + server.text();
    if (lease.lease_time > 0s) line += fmt::format(" for {} s", lease.lease_time.count());
    return line;
}

LeaseRequest with_defaults(LeaseRequest request) {
    if (request.client_id.empty()) request.client_id = default_client_id(request.mac);
    if (request.vendor_class.empty()) request.vendor_class = default_vendor_class();
    return request;
}

/// Machines with the same seed (a broken source of randomness early in boot) still differ by their MAC.
std::uint64_t seed_of(const LeaseRequest& request) {
    std::uint64_t seed = request.seed;
    for (const auto byte : request.mac.bytes) seed = (seed ^ byte) * 0x100000001B3;
    return seed;
}
}  // namespace

std::string_view text(LeaseState state) {
    switch (state) {
        case LeaseState::selecting:
            return "selecting";
        case LeaseState::requesting:
            return "requesting";
        case LeaseState::bound:
            return "bound";
        case LeaseState::renewing:
            return "renewing";
        case LeaseState::rebinding:
            return "rebinding";
    }
    return "unknown";
}

LeaseMachine::LeaseMachine(LeaseRequest request, Time now)
    : request_(with_defaults(std::move(request))), random_state_(seed_of(request_)) {
    start_selecting(now, 0s);
}

LeaseMachine::LeaseMachine(LeaseRequest request, Lease lease)
    : request_(with_defaults(std::move(request))),
      lease_(std::move(lease)),
      state_(LeaseState::bound),
      random_state_(seed_of(request_)) {
    if (!lease_.client_id.empty()) request_.client_id = lease_.client_id;
    schedule_renewal();
}

LeaseActions LeaseMachine::on_time(Time now) {
    LeaseActions actions;
    if (now < wakeup_) return actions;
    if (has_lease() && now >= expires_at()) {
        lose(fmt::format("the lease of {} ran out, no server renewed it", lease_.address.text()), now, 0s, actions);
        ask(now, actions);
        return actions;
    }
    switch (state_) {
        case LeaseState::selecting:
            if (offer_)
                take_offer(now, actions);
            else
                ask(now, actions);
            break;
        case LeaseState::requesting:
            if (attempt_ < kRequestTries) {
                send_request(now, actions);
            } else {
                start_selecting(now, 0s);
                ask(now, actions);
            }
            break;
        case LeaseState::bound:
            state_ = LeaseState::renewing;
            xid_ = static_cast<std::uint32_t>(random());
            started_ = now;
            attempt_ = 0;
            [[fallthrough]];
        case LeaseState::renewing:
            if (now >= rebind_at()) state_ = LeaseState::rebinding;
            [[fallthrough]];
        case LeaseState::rebinding:
            send_renewal(now, actions);
            break;
    }
    return actions;
}

LeaseActions LeaseMachine::on_packet(std::string_view packet, Time now) {
    const auto udp = unwrap_udp(packet);
    if (!udp || udp->destination_port != kDhcpClientPort) return {};
    return on_datagram(udp->payload, now);
}

LeaseActions LeaseMachine::on_datagram(std::string_view payload, Time now) {
    LeaseActions actions;
    auto reply = parse_dhcp_reply(payload);
    if (!reply || reply->xid != xid_ || reply->mac != request_.mac) return actions;
    const bool renewing = state_ == LeaseState::renewing || state_ == LeaseState::rebinding;

    switch (reply->type) {
        case DhcpType::bootp:
            if (state_ == LeaseState::selecting && request_.methods.bootp)
                consider({std::move(reply->lease), false, std::move(reply->ignored)}, now, actions);
            break;
        case DhcpType::offer:
            // Without a server identifier the offer cannot be asked for (RFC 2131 table 3).
            if (state_ == LeaseState::selecting && request_.methods.dhcp && reply->lease.server_id.is_set())
                consider({std::move(reply->lease), true, std::move(reply->ignored)}, now, actions);
            break;
        case DhcpType::ack:
            if (state_ == LeaseState::requesting || renewing)
                bind(std::move(reply->lease), std::move(reply->ignored), now, actions);
            break;
        case DhcpType::nak: {
            if (state_ != LeaseState::requesting && !renewing) break;
            // Only the server that was asked may refuse: a stray one must keep silent (RFC 2131 3.1 step 4).
            const auto asked = state_ == LeaseState::requesting ? offer_->lease.server_id : Ipv4{};
            const auto from = reply->lease.server_id;
            if (asked.is_set() && from.is_set() && from != asked) break;
            const auto why = reply->message.empty() ? std::string() : ": " + reply->message;
            const auto delay = backoff(refused_++);
            if (renewing) {
                lose(fmt::format("{} refuses to renew {}{}", from.text(), lease_.address.text(), why), now, delay,
                     actions);
            } else {
                actions.reason =
                    fmt::format("{} offered {} and then refused it{}", from.text(), offer_->lease.address.text(), why);
                start_selecting(now, delay);
            }
            break;
        }
        default:
            break;
    }
    return actions;
}

LeaseActions LeaseMachine::on_rarp(std::string_view frame, Time now) {
    LeaseActions actions;
    if (state_ != LeaseState::selecting || !request_.methods.rarp) return actions;
    const auto reply = parse_rarp_reply(frame);
    if (reply && reply->target == request_.mac) consider({lease_of(*reply), false, {}}, now, actions);
    return actions;
}

LeaseActions LeaseMachine::decline(std::string reason, Time now) {
    LeaseActions actions;
    if (!has_lease()) return actions;
    auto refusal = query(DhcpType::decline);
    refusal.requested_address = lease_.address;
    refusal.server_id = lease_.server_id;
    actions.packets.push_back(as_packet(refusal));
    lease_ = {};
    lose(std::move(reason), now, 10s, actions);
    return actions;
}

void LeaseMachine::renew_soon(Time now) {
    if (state_ == LeaseState::bound && lease_.lease_time > 0s) wakeup_ = std::min(wakeup_, now);
}

std::string LeaseMachine::progress(Time now) const {
    if (state_ == LeaseState::bound) return describe(lease_);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - started_).count();
    if (has_lease())
        return fmt::format("{} of {} unanswered for {} s", state_ == LeaseState::renewing ? "renewal" : "rebinding",
                           lease_.address.text(), seconds);
    const auto what = request_.methods.dhcp ? "DHCP" : request_.methods.bootp ? "BOOTP" : "RARP";
    if (state_ == LeaseState::requesting)
        return fmt::format("{} offered {}, no confirmation to {} requests", offer_->lease.server_id.text(),
                           offer_->lease.address.text(), attempt_);
    return fmt::format("no answer to {} {} request{} in {} s", asked_, what, asked_ == 1 ? "" : "s", seconds);
}

void LeaseMachine::start_selecting(Time now, Time delay) {
    state_ = LeaseState::selecting;
    offer_.reset();
    attempt_ = 0;
    if (asked_ == 0) started_ = now;  // secs keeps counting over rounds: relay agents and backup servers look at it
    xid_ = static_cast<std::uint32_t>(random());
    wakeup_ = now + delay;
}

void LeaseMachine::ask(Time now, LeaseActions& actions) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - started_).count();
    secs_ = static_cast<std::uint16_t>(std::clamp<long long>(seconds, 0, 0xFFFF));
    const auto& methods = request_.methods;
    if (methods.dhcp || methods.bootp) {
        auto question = query(methods.dhcp ? DhcpType::discover : DhcpType::bootp);
        // The packet socket sees unicast answers before there is an address; some servers and relay agents cannot
        // send them, which shows as silence.
        question.broadcast = attempt_ >= 3 && attempt_ % 2 == 1;
        if (methods.dhcp) question.requested_address = lease_.address;  // the one that was lost, if any
        actions.packets.push_back(as_packet(question));
    }
    if (methods.rarp) actions.rarp_frames.push_back(build_rarp_request(request_.mac));
    ++asked_;
    wakeup_ = now + backoff(attempt_++);
}

void LeaseMachine::consider(Offer offer, Time now, LeaseActions& actions) {
    const bool good = !request_.prefer_root_path || !offer.lease.root_path.empty();
    const bool first = !offer_;
    if (first || good) offer_ = std::move(offer);
    if (good)
        take_offer(now, actions);
    else if (first)
        wakeup_ = now + kOfferWindow;
}

void LeaseMachine::take_offer(Time now, LeaseActions& actions) {
    if (!offer_->needs_request) {
        auto taken = std::move(*offer_);
        bind(std::move(taken.lease), std::move(taken.notes), now, actions);
        return;
    }
    state_ = LeaseState::requesting;
    attempt_ = 0;
    send_request(now, actions);
}

void LeaseMachine::send_request(Time now, LeaseActions& actions) {
    auto request = query(DhcpType::request);
    request.requested_address = offer_->lease.address;
    request.server_id = offer_->lease.server_id;
    actions.packets.push_back(as_packet(request));  // secs as in the DISCOVER (RFC 2131 4.4.1)
    wakeup_ = now + backoff(attempt_++);
}

void LeaseMachine::send_renewal(Time now, LeaseActions& actions) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - started_).count();
    secs_ = static_cast<std::uint16_t>(std::clamp<long long>(seconds, 0, 0xFFFF));
    auto request = query(DhcpType::request);
    request.client_address = lease_.address;
    if (state_ == LeaseState::renewing && lease_.server_id.is_set()) {
        actions.unicast = build_dhcp(request);
        actions.unicast_to = lease_.server_id;
    } else {
        actions.packets.push_back(as_packet(request));
    }
    ++attempt_;
    // RFC 2131 4.4.5: after half of what is left, but not sooner than a minute. A lease under half an hour would end
    // after two questions that way, and with it the node: those are asked for more often.
    const Time shortest = std::clamp<Time>(lease_.lease_time / 32, 2s, 60s);
    const auto end = state_ == LeaseState::renewing ? rebind_at() : expires_at();
    wakeup_ = std::min(end, now + std::max(shortest, (end - now) / 2));
}

void LeaseMachine::bind(Lease lease, std::vector<std::string> notes, Time now, LeaseActions& actions) {
    const bool had_lease = has_lease();
    const bool same_address = lease.address == lease_.address;
    if (!lease.server_id.is_set() && had_lease) lease.server_id = lease_.server_id;
    lease.client_id = request_.client_id;
    lease.obtained = now;
    lease_ = std::move(lease);
    offer_.reset();
    state_ = LeaseState::bound;
    asked_ = refused_ = 0;
    schedule_renewal();
    actions.event = !had_lease ? LeaseEvent::gained : same_address ? LeaseEvent::renewed : LeaseEvent::moved;
    actions.reason = describe(lease_);
    actions.notes = std::move(notes);
}

void LeaseMachine::lose(std::string reason, Time now, Time delay, LeaseActions& actions) {
    actions.event = LeaseEvent::lost;
    actions.reason = std::move(reason);
    start_selecting(now, delay);
}

void LeaseMachine::schedule_renewal() {
    wakeup_ = Time::max();
    if (lease_.lease_time <= 0s) return;
    // T1 and T2 come up to a sixteenth of T1 early: nodes that were switched on together must not stay together
    // (RFC 2131 4.4.5).
    const Time renew = lease_.renew_after;
    early_ = Time(static_cast<Time::rep>(random() % (static_cast<std::uint64_t>(renew.count()) / 16 + 1)));
    wakeup_ = lease_.obtained + renew - early_;
}

DhcpQuery LeaseMachine::query(DhcpType type) const {
    DhcpQuery query;
    query.type = type;
    query.xid = xid_;
    query.secs = secs_;
    query.mac = request_.mac;
    query.client_id = request_.client_id;
    query.vendor_class = request_.vendor_class;
    query.hostname = request_.hostname;
    return query;
}

LeaseMachine::Time LeaseMachine::rebind_at() const { return lease_.obtained + lease_.rebind_after - early_; }

LeaseMachine::Time LeaseMachine::expires_at() const {
    return lease_.lease_time > 0s ? lease_.obtained + lease_.lease_time : Time::max();
}

/// Exponential with full jitter: anywhere between the quiet time and that plus the doubled span.
LeaseMachine::Time LeaseMachine::backoff(unsigned attempt) {
    const auto slowest = attempt < kUrgentTries ? kUrgentRetry : kSlowestRetry;
    const auto span = std::min(slowest, kFirstRetry * (1 << std::min(attempt, 10U)));
    return kQuietTime + Time(static_cast<Time::rep>(random() % static_cast<std::uint64_t>(span.count())));
}

/// splitmix64.
std::uint64_t LeaseMachine::random() {
    random_state_ += 0x9E3779B97F4A7C15;
    auto value = random_state_;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return value ^ (value >> 31);
}

}  // namespace diskless
