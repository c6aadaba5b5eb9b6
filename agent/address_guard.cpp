#include "agent/address_guard.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace diskless {

namespace {

std::string with_prefix(const Lease& lease) {
    return fmt::format("{}/{}", lease.address.text(), unsigned{lease.prefix});
}

std::string way_text(const Route& route) {
    return route.router.is_set() ? "via " + route.router.text() : "on the link";
}

std::string route_text(const Route& route) {
    const auto to = route.prefix == 0 ? "default" : fmt::format("{}/{}", route.destination.text(), route.prefix);
    return fmt::format("route {}{}", to, route.router.is_set() ? " " + way_text(route) : "");
}

bool is_to_the_same(const Route& a, const Route& b) { return a.destination == b.destination && a.prefix == b.prefix; }

}  // namespace

void AddressGuard::look(const Lease& lease) {
    const auto gone = put_back(lease);
    next_look_ = world_.clock.now() + kLookEvery;
    if (!gone) return say_problem(gone.error());
    problem_.clear();
    if (!gone->empty()) say_put_back(*gone);
}

void AddressGuard::move(const Lease& old, const Lease& fresh) {
    next_look_ = world_.clock.now() + kLookEvery;
    if (const auto done = move_over(old, fresh); !done) say_problem(done.error());
}

Result<> AddressGuard::move_over(const Lease& old, const Lease& fresh) {
    TRY(put_back(fresh));
    const auto rerouted = reroute(old, fresh);
    if (old.address != fresh.address) {
        TRY(world_.links.remove_address(link_->index, old.address, old.prefix));
        TRY(put_back(fresh));  // in the same network the old one took the new one along
    }
    return rerouted;
}

/// Routes that the old lease asked for would be taken for somebody's decision from now on: in another network they
/// even outlive their address.
Result<> AddressGuard::reroute(const Lease& old, const Lease& fresh) {
    const auto before = wanted_routes(old), now = wanted_routes(fresh);
    std::vector<std::string> done;
    std::optional<Error> first;
    for (const auto& known : TRY(world_.links.routes(link_->index))) {
        if (std::ranges::find(before, known) == before.end() || std::ranges::find(now, known) != now.end()) continue;
        // Of two to the same destination the last counts, as at boot.
        const auto instead =
            std::find_if(now.rbegin(), now.rend(), [&](const Route& r) { return is_to_the_same(r, known); });
        // A server that leaves its router out of an answer must not cut a node from its root.
        const bool default_still_leads = known.prefix == 0 && same_network(known.router, fresh.address, fresh.prefix);
        if (instead == now.rend() && default_still_leads) continue;
        auto changed = instead == now.rend() ? world_.links.remove_route(link_->index, known)
                                             : world_.links.add_route(link_->index, *instead);
        if (changed)
            done.push_back(instead == now.rend()
                               ? route_text(known) + " is gone"
                               : fmt::format("{} instead of {}", route_text(*instead), way_text(known)));
        else if (!first)
            first = std::move(changed.error());
    }
    if (!done.empty())
        world_.machine.say(
            5, fmt::format("diskless-agent: {}: {}, as the DHCP server says now", interface_.name, join(done, ", ")));
    if (first) return Failure(*first);
    return {};
}

std::vector<Route> AddressGuard::wanted_routes(const Lease& lease) const {
    auto routes = routes_ ? routes_(lease) : std::vector<Route>();
    for (auto& route : routes) route.destination = network_of(route.destination, route.prefix);  // as the kernel has it
    return routes;
}

Result<> AddressGuard::find_link() {
    const auto links = TRY(world_.links.list());
    // Bridges, bonds and VLANs carry the hardware address of what they are made of, so the name counts as well; once
    // found, only the index does.
    const auto matches = [this](const Link& link) { return !interface_.mac.is_set() || link.mac == interface_.mac; };
    const Link* found = nullptr;
    for (const auto& link : links)
        if (link_ && link.index == link_->index) found = &link;
    for (const auto& link : links)
        if (found == nullptr && link.name == interface_.name && matches(link)) found = &link;
    for (const auto& link : links)
        if (found == nullptr && interface_.mac.is_set() && link.mac == interface_.mac) found = &link;
    if (found == nullptr) {
        link_.reset();
        return fail(fmt::format("interface {} is gone, and the root with it", interface_.name),
                    "load its driver again, or reboot", ENODEV);
    }
    link_ = *found;
    interface_.name = found->name;
    return {};
}

Result<std::vector<std::string>> AddressGuard::put_back(const Lease& lease) {
    TRY(find_link());
    std::vector<std::string> gone;
    if (!link_->up) {
        TRY(world_.links.set_up(link_->index));
        link_->up = true;
        gone.push_back("it was down");
    }
    const auto addresses = TRY(world_.links.addresses(link_->index));
    const auto there = std::ranges::find(addresses, lease.address, &LinkAddress::address);
    if (there == addresses.end()) {
        TRY(world_.links.add_address(link_->index, lease.address, lease.prefix, Seconds{0}));
        gone.push_back("address " + with_prefix(lease));
    } else if (there->valid_for.count() != 0) {
        // Another DHCP client got the same address, and would let it run out when it stops.
        TRY(world_.links.add_address(link_->index, lease.address, there->prefix, Seconds{0}));
    }
    auto routes = TRY(put_back_routes(lease));
    for (auto& route : routes) gone.push_back(std::move(route));
    return gone;
}

Result<std::vector<std::string>> AddressGuard::put_back_routes(const Lease& lease) {
    const auto wanted = wanted_routes(lease);
    std::vector<std::string> gone;
    if (wanted.empty()) return gone;
    const auto routes = TRY(world_.links.routes(link_->index));
    std::optional<Error> first;
    for (const auto& route : wanted) {
        // One through another router is somebody's decision.
        if (std::ranges::any_of(routes, [&](const Route& known) { return is_to_the_same(known, route); })) continue;
        if (const auto added = world_.links.add_route(link_->index, route); added)
            gone.push_back(route_text(route));
        else if (!first)
            first = added.error();
    }
    if (first && gone.empty()) return Failure(*first);
    return gone;
}

void AddressGuard::say_put_back(const std::vector<std::string>& gone) {
    ++unsaid_;
    ++times_put_back_;
    const auto now = world_.clock.now();
    if (said_at_ && now - *said_at_ < kSayAgain) return;
    const auto times = unsaid_ == 1 ? std::string() : fmt::format(" ({} times so far)", unsaid_);
    world_.machine.say(4, fmt::format("diskless-agent: somebody changed {}, put back what the root needs: {}{}",
                                      interface_.name, join(gone, ", "), times));
    said_at_ = now;
}

void AddressGuard::say_problem(const Error& problem) {
    if (problem.cause == problem_) return;
    problem_ = problem.cause;
    world_.machine.say(3, fmt::format("diskless-agent: {}: {}, trying again every {} s", interface_.name, problem.cause,
                                      std::chrono::duration_cast<Seconds>(kLookEvery).count()));
}

}  // namespace diskless
