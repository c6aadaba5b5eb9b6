#include "init/network/network_search.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/nfs/mount_options.hpp"
#include "common/nfs/rpc.hpp"
#include "common/nfs/servers.hpp"
#include "init/nfs_ports.hpp"

namespace diskless {

namespace {
constexpr std::uint16_t kClientPort = 68;
constexpr std::uint16_t kEtherTypeRarp = 0x8035;
constexpr Milliseconds kProbeDeadline{3000};
constexpr Milliseconds kCarrierPoll{20}, kSlowCarrierPoll{250};
constexpr Seconds kCarrierSoon{10};
// A link that gets its carrier while it is up drops what is sent until the kernel's link watch has opened its queue, at
// once but not in the same moment; one that has it when it is set up sends from the first.
constexpr Milliseconds kQueueOpens{20};
constexpr Seconds kPreferredAppears{4}, kPreferredAnswers{60};  // before other interfaces are tried as well
constexpr Seconds kDriversAreThere{4};  // by now an interface that is there has carrier, a lease and an answer
constexpr Seconds kSetUpAgain{1};
constexpr Milliseconds kAfresh{10'000};  // and up to as much again: what was wrong may be put right on a server
constexpr Retry kProbeRetry{0, Milliseconds{250}, Milliseconds{5000}};

Result<RpcReply> ask(Os& os, Ipv4 server, std::uint16_t port, Deadline deadline) {
    const auto xid = static_cast<std::uint32_t>(os.machine.random());
    return parse_rpc_reply(
        TRY(os.sockets.tcp_exchange(server, port, build_rpc_null_call(xid, kNfsProgram, 3), deadline)), xid);
}

/// A NULL call where the mount will look for the service.
Result<RpcReply> ask_service(Os& os, Ipv4 server, const NfsSource& source, Deadline deadline) {
    const auto port = nfs_listener(source.options).port;
    auto answer = ask(os, server, port != 0 ? port : kNfsPort, deadline);
    // NFS 3 is where the port mapper says.
    if (answer || port != 0 || (source.version != NfsVersion::automatic && source.version != NfsVersion::v3))
        return answer;
    const auto mapped = ask_for_ports(os, server, deadline).nfs;
    return mapped == 0 || mapped == kNfsPort ? answer : ask(os, server, mapped, deadline);
}

/// A fixed address of a named device is meant for the running node, too (dracut's second ip=).
bool is_written_down(const InterfaceConfig& how) {
    return how.method == AddressMethod::fixed && (!how.name.empty() || how.mac);
}
}  // namespace

struct NetworkSearch::Attempt {
    enum class State { no_carrier, asking, leased, hopeless, answered };

    Candidate candidate;
    State state = State::no_carrier;
    bool was_dark = false;                 // up without carrier, at some look
    std::optional<Nanoseconds> lit_since;  // carrier, while there is one
    std::optional<LeaseMachine> machine;
    std::unique_ptr<Channel> packets, frames;
    Lease lease;
    std::optional<NfsSource> root;
    std::string problem;  // why it has not won yet
    Nanoseconds probe_at{0};
    Nanoseconds afresh_at{0};  // hopeless only
    int probes = 0;

    const std::string& name() const { return candidate.link.name; }

    bool frames_can_leave(Nanoseconds now) {
        if (!candidate.link.carrier) {
            was_dark = true;
            lit_since.reset();
            return false;
        }
        if (!lit_since) lit_since = now;
        return !was_dark || now - *lit_since >= kQueueOpens;
    }
};

NetworkSearch::NetworkSearch(StepContext& context, const BootConfig& config, std::function<bool()> load_drivers)
    : context_(context),
      os_(context.os),
      config_(config),
      load_drivers_(std::move(load_drivers)),
      started_(context.os.clock.now()) {}
NetworkSearch::~NetworkSearch() = default;

Result<FoundNetwork> NetworkSearch::run() {
    while (!context_.deadline.passed(os_.clock)) {
        look_for_links();
        for (auto& attempt : attempts_) {
            if (attempt->state == Attempt::State::hopeless) {
                if (os_.clock.now() >= attempt->afresh_at) begin_afresh(*attempt);
                continue;
            }
            if (attempt->machine && attempt->machine->next_wakeup() <= os_.clock.now())
                act(*attempt, attempt->machine->on_time(os_.clock.now()));
            receive(*attempt);
            if (attempt->state == Attempt::State::leased && os_.clock.now() >= attempt->probe_at) probe(*attempt);
            if (attempt->state == Attempt::State::answered) return finish(*attempt);
        }
        context_.waiting_for(waiting_text());
        wait();
    }
    const bool no_firmware = std::ranges::any_of(broken_, [](const auto& each) { return each.second.no_firmware; });
    return fail("no interface leads to the root: " + waiting_text(),
                attempts_.empty() && no_firmware
                    ? "build the image with --firmware from a root that has the firmware of this NIC's driver; the "
                      "kernel's log names the file"
                : attempts_.empty() && broken_.empty()
                    ? "the image may lack the driver of this machine's NIC: see load-drivers"
                    : "check cable and switch port, the DHCP server's log, and that the NFS server is up");
}

/// New links appear while drivers load; carrier comes seconds (a switch that runs spanning tree: half a minute) after
/// up.
void NetworkSearch::look_for_links() {
    if (os_.clock.now() < look_again_) return;
    const auto elapsed = os_.clock.now() - started_;
    look_again_ = os_.clock.now() + (all_have_carrier_        ? Nanoseconds(Seconds{1})
                                     : elapsed < kCarrierSoon ? Nanoseconds(kCarrierPoll)
                                                              : Nanoseconds(kSlowCarrierPoll));
    auto links = os_.links.list();
    if (!links) return;
    for (const auto& wanted : config_.network.names)
        for (auto& link : *links)
            if (link.mac == wanted.mac && link.name != wanted.name && !link.up) {
                if (const auto renamed = os_.links.rename(link.index, wanted.name); renamed)
                    link.name = wanted.name;
                else
                    context_.note(renamed.error().cause);
            }
    all_have_carrier_ = true;
    for (auto& candidate : choose_candidates(config_.network, *links, preferred_only(elapsed))) {
        const auto known = std::ranges::find_if(
            attempts_, [&](const auto& attempt) { return attempt->candidate.link.index == candidate.link.index; });
        if (known == attempts_.end()) {
            if (!set_up(candidate.link)) continue;
            attempts_.push_back(std::make_unique<Attempt>());
            attempts_.back()->candidate = candidate;
            all_have_carrier_ = false;
            look_again_ = os_.clock.now();
            continue;
        }
        (*known)->candidate.link = candidate.link;
        const bool ready = (*known)->frames_can_leave(os_.clock.now());
        if (!ready) all_have_carrier_ = false;
        if (candidate.link.carrier && !ready) look_again_ = std::min(look_again_, os_.clock.now() + kQueueOpens);
        if (ready && (*known)->state == Attempt::State::no_carrier) begin(**known);
    }
    if (attempts_.empty()) all_have_carrier_ = false;
    look_for_drivers(elapsed);
}

/// A hub tells of a NIC that is plugged into it long after the driver of its bus was loaded. Where an interface is
/// there, as usual, nothing is looked for while it may still lead to the root.
void NetworkSearch::look_for_drivers(Nanoseconds elapsed) {
    if (!load_drivers_ || (!attempts_.empty() && elapsed < kDriversAreThere)) return;
    if (load_drivers_()) look_again_ = os_.clock.now();
}

bool NetworkSearch::set_up(const Link& link) {
    const auto known = broken_.find(link.index);
    if (known != broken_.end() && os_.clock.now() < known->second.again) return false;
    const auto up = os_.links.set_up(link.index);
    if (up) {
        broken_.erase(link.index);
        return true;
    }
    const bool no_firmware = up.error().code == ENOENT;  // request_firmware() of the kernel, which the driver hands on
    auto problem =
        fmt::format("{}: {}{}", link.name, up.error().cause, no_firmware ? ": its driver lacks firmware" : "");
    if (known == broken_.end() || known->second.problem != problem) context_.note(problem);
    broken_[link.index] = {std::move(problem), no_firmware, os_.clock.now() + kSetUpAgain};
    return false;
}

/// The firmware booted from that interface, so the server is there: others are tried when it does not come up, or leads
/// nowhere.
bool NetworkSearch::preferred_only(Nanoseconds elapsed) {
    if (!has_preference(config_.network) || preference_given_up_) return false;
    if (elapsed < (attempts_.empty() ? kPreferredAppears : kPreferredAnswers)) return true;
    preference_given_up_ = true;
    context_.note(attempts_.empty() ? "the interface that BOOTIF= or bootdev= names is not there: trying all"
                                    : "the interface that BOOTIF= or bootdev= names leads nowhere: trying all");
    return false;
}

void NetworkSearch::begin(Attempt& attempt) {
    if (attempt.candidate.how.method == AddressMethod::fixed) {
        attempt.lease = fixed_lease(attempt.candidate.how);
        attempt.lease.obtained = os_.clock.now();
        configure(attempt);
        return;
    }
    const auto index = attempt.candidate.link.index;
    const auto request = lease_request(config_.network, attempt.candidate, config_.hostname, config_.root.from_lease,
                                       os_.machine.random());
    auto packets = os_.sockets.open_packets(index, kClientPort);
    if (!packets) {
        attempt.problem = packets.error().cause;
        give_up_for_now(attempt);
        return;
    }
    attempt.packets = std::move(*packets);
    if (request.methods.rarp) {
        if (auto frames = os_.sockets.open_frames(index, kEtherTypeRarp))
            attempt.frames = std::move(*frames);
        else
            context_.note(frames.error().cause);
    }
    attempt.machine.emplace(request, os_.clock.now());
    attempt.state = Attempt::State::asking;
    act(attempt, attempt.machine->on_time(os_.clock.now()));
}

/// Nothing to be done with what this interface was told, until it is told something else.
void NetworkSearch::give_up_for_now(Attempt& attempt) {
    attempt.state = Attempt::State::hopeless;
    const auto jitter = Milliseconds(static_cast<std::int64_t>(os_.machine.random() % kAfresh.count()));
    attempt.afresh_at = os_.clock.now() + kAfresh + jitter;
}

void NetworkSearch::begin_afresh(Attempt& attempt) {
    (void)os_.links.remove_addresses(attempt.candidate.link.index);
    attempt.machine.reset();
    attempt.packets.reset();
    attempt.frames.reset();
    attempt.problem.clear();
    begin(attempt);
}

void NetworkSearch::act(Attempt& attempt, LeaseActions actions) {
    for (const auto& packet : actions.packets)
        if (const auto sent = attempt.packets->send(packet); !sent) attempt.problem = sent.error().cause;
    for (const auto& frame : actions.rarp_frames)
        if (attempt.frames)
            if (const auto sent = attempt.frames->send(frame); !sent) attempt.problem = sent.error().cause;
    for (auto& line : actions.notes) context_.note(attempt.name() + ": " + line);
    switch (actions.event) {
        case LeaseEvent::gained:
        case LeaseEvent::moved:
            if (actions.event == LeaseEvent::moved) (void)os_.links.remove_addresses(attempt.candidate.link.index);
            context_.note(attempt.name() + ": " + actions.reason);
            attempt.lease = attempt.machine->lease();
            attempt.lease.obtained = os_.clock.now();
            configure(attempt);
            break;
        case LeaseEvent::lost:
            context_.note(attempt.name() + ": " + actions.reason);
            (void)os_.links.remove_addresses(attempt.candidate.link.index);
            attempt.state = Attempt::State::asking;
            break;
        default:
            break;
    }
}

void NetworkSearch::receive(Attempt& attempt) {
    if (!attempt.machine) return;
    for (Channel* channel : {attempt.packets.get(), attempt.frames.get()}) {
        if (channel == nullptr) continue;
        while (const auto bytes = channel->receive())
            act(attempt, channel == attempt.packets.get() ? attempt.machine->on_packet(*bytes, os_.clock.now())
                                                          : attempt.machine->on_rarp(*bytes, os_.clock.now()));
    }
}

void NetworkSearch::configure(Attempt& attempt) {
    const auto index = attempt.candidate.link.index;
    const auto& lease = attempt.lease;
    const auto note_failure = [&](const Result<>& result) {
        if (!result) context_.note(attempt.name() + ": " + result.error().cause);
    };
    if (lease.mtu != 0) note_failure(os_.links.set_mtu(index, lease.mtu));
    if (const auto added = os_.links.add_address(index, lease.address, lease.prefix, Seconds{0}); !added) {
        attempt.problem = added.error().cause;
        give_up_for_now(attempt);
        return;
    }
    note_failure(set_routes(attempt));
    auto root = resolve_root(config_, attempt.candidate.how, lease);
    if (!root) {
        attempt.problem = root.error().cause;
        give_up_for_now(attempt);
        context_.note(attempt.name() + ": " + root.error().cause);
        return;
    }
    // Every node begins with another server, so that all together they spread over all.
    root->servers = rotate_servers(root->servers, attempt.candidate.link.mac);
    attempt.root = std::move(*root);
    attempt.state = Attempt::State::leased;
    attempt.probe_at = os_.clock.now();
}

/// The first that cannot be set is the error; the others are set all the same.
Result<> NetworkSearch::set_routes(const Attempt& attempt) {
    Result<> all;
    for (const auto& route : routes_for(config_.network, attempt.candidate.link, attempt.lease))
        if (auto added = os_.links.add_route(attempt.candidate.link.index, route); !added && all) all = added;
    return all;
}

/// A NULL call to each server: the answer proves address, routes and server at once. With one interface and one server
/// there is nothing to choose, and the mount itself is the probe, as it is where NFS does not go over TCP.
void NetworkSearch::probe(Attempt& attempt) {
    auto& servers = attempt.root->servers;
    if ((attempts_.size() == 1 && servers.size() == 1) || !nfs_listener(attempt.root->options).tcp) {
        attempt.state = Attempt::State::answered;
        return;
    }
    if (attempts_.size() > 1) (void)set_routes(attempt);  // there is one default route, and another one may have set it
    std::string problem;
    for (std::size_t i = 0; i < servers.size(); ++i) {
        const auto answer = ask_service(os_, servers[i], *attempt.root,
                                        Deadline::after(os_.clock, kProbeDeadline).sooner_of(context_.deadline));
        if (answer) {
            if (i > 0) context_.note(fmt::format("server {} is skipped: {}", servers[0].text(), problem));
            std::rotate(servers.begin(), servers.begin() + static_cast<std::ptrdiff_t>(i), servers.end());
            attempt.state = Attempt::State::answered;
            return;
        }
        problem = answer.error().cause;
    }
    attempt.problem = problem;
    attempt.probe_at = os_.clock.now() + backoff_delay(kProbeRetry, attempt.probes++, os_.machine.random());
}

void NetworkSearch::wait() {
    Deadline until = context_.deadline.sooner_of({look_again_});
    std::vector<Channel*> channels;
    for (auto& attempt : attempts_) {
        if (attempt->state == Attempt::State::hopeless) {
            until = until.sooner_of({attempt->afresh_at});
            continue;
        }
        if (attempt->machine) until = until.sooner_of({attempt->machine->next_wakeup()});
        if (attempt->state == Attempt::State::leased) until = until.sooner_of({attempt->probe_at});
        for (auto* channel : {attempt->packets.get(), attempt->frames.get()})
            if (channel != nullptr) channels.push_back(channel);
    }
    if (channels.empty())
        os_.links.wait_for_change(until);
    else
        os_.sockets.wait(channels, until);
}

std::string NetworkSearch::waiting_text() const {
    if (attempts_.empty() && broken_.empty()) return "no network interface yet";
    std::vector<std::string> parts;
    for (const auto& [index, broken] : broken_) parts.push_back(broken.problem);
    for (const auto& attempt : attempts_) {
        std::string what;
        switch (attempt->state) {
            case Attempt::State::no_carrier:
                what = "no carrier";
                break;
            case Attempt::State::asking:
                what = attempt->machine->progress(os_.clock.now());
                break;
            case Attempt::State::leased:
                what = "the NFS server does not answer";
                break;
            default:
                break;
        }
        if (!attempt->problem.empty()) what += (what.empty() ? "" : ": ") + attempt->problem;
        parts.push_back(attempt->name() + ": " + what);
    }
    return join(parts, "; ");
}

FoundNetwork NetworkSearch::finish(Attempt& winner) {
    for (auto& attempt : attempts_) {
        if (attempt.get() == &winner) continue;
        // With live-boot's ethdevice= several devices are tried with one address.
        if (is_written_down(attempt->candidate.how) && attempt->candidate.how.address != winner.lease.address) {
            if (attempt->state == Attempt::State::no_carrier) begin(*attempt);
            continue;
        }
        (void)os_.links.remove_addresses(attempt->candidate.link.index);
        (void)os_.links.set_down(attempt->candidate.link.index);
        context_.note(attempt->name() + " is put back: " + winner.name() + " leads to the root");
    }
    if (attempts_.size() > 1)  // what the others have replaced has gone with them
        if (const auto set = set_routes(winner); !set) context_.note(winner.name() + ": " + set.error().cause);
    return {winner.candidate.link, winner.lease, *winner.root};
}

}  // namespace diskless
