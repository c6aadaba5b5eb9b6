#include "agent/address_guard.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace diskless {

namespace {

std::string with_prefix(const Lease& lease) {
    return fmt::format("{}/{}", lease.address.text(), unsigned{lease.prefix});
}

std::string route_text(const Route& route) {
    const auto to = route.prefix == 0 ? "default" : fmt::format("{}/{}", route.destination.text(), route.prefix);
    return fmt::format("route {}{}", to, route.router.is_set() ? " via " + route.router.text() : "");
}

}  // namespace

void AddressGuard::look(const Lease& lease) {
    const auto gone = put_back(lease);
    next_look_ = world_.clock.now() + kLookEvery;
    if (!gone) return say_problem(gone.error());
    problem_.clear();
    if (!gone->empty()) say_put_back(*gone);
}

void AddressGuard::move(const Lease& old, const Lease& fresh) {
    auto done = put_back(fresh);
    if (done && link_ && old.address != fresh.address) {
        if (const auto removed = world_.links.remove_address(link_->index, old.address, old.prefix); !removed)
            done = Failure(removed.error());
        else
            done = put_back(fresh);  // in the same network the old one took the new one along
    }
    next_look_ = world_.clock.now() + kLookEvery;
    if (!done) say_problem(done.error());
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
    const auto wanted = routes_ ? routes_(lease) : std::vector<Route>();
    std::vector<std::string> gone;
    if (wanted.empty()) return gone;
    const auto routes = TRY(world_.links.routes(link_->index));
    std::optional<Error> first;
    for (const auto& route : wanted) {
        // One through another router is somebody's decision.
        const Ipv4 network(route.destination.value & netmask(route.prefix).value);
        const bool there = std::ranges::any_of(
            routes, [&](const Route& known) { return known.destination == network && known.prefix == route.prefix; });
        if (there) continue;
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
