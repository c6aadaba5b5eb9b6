// Keeps the root's address on its interface, whatever the distribution's tools do to it: looks every few seconds, and
// puts back what is gone (up, address, routes). Asks netlink only, so it never blocks, and goes on until reboot(2).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/net/lease.hpp"
#include "common/os/links.hpp"
#include "common/os/machine.hpp"

namespace diskless {

class AddressGuard {
  public:
    static constexpr Nanoseconds kLookEvery = Seconds{3};
    /// Somebody who takes the address again and again is spoken of this often.
    static constexpr Nanoseconds kSayAgain = Seconds{600};

    struct World {
        Clock& clock;
        Links& links;
        Machine& machine;
    };
    struct Interface {
        std::string name;
        Mac mac;  // not set: known by its name alone
    };
    /// What the routing table must hold for a lease, on-link routes first.
    using RoutesOf = std::function<std::vector<Route>(const Lease&)>;

    AddressGuard(World world, Interface interface, RoutesOf routes)
        : world_(world), interface_(std::move(interface)), routes_(std::move(routes)) {}

    /// CLOCK_BOOTTIME of the next look.
    Nanoseconds next_look() const { return next_look_; }
    /// Looks, and puts back what is gone.
    void look(const Lease& lease);
    /// The fresh lease's address and routes first, those of the old one's routes that are still there in their place,
    /// then the old address goes.
    void move(const Lease& old, const Lease& fresh);

    /// Of the last look; nothing while there is no such interface.
    const std::optional<Link>& link() const { return link_; }
    const std::string& name() const { return interface_.name; }
    /// How often something was gone and put back.
    std::uint64_t times_put_back() const { return times_put_back_; }

  private:
    /// What it put back, in words; empty when all was there. An error: it could not.
    Result<std::vector<std::string>> put_back(const Lease& lease);
    Result<std::vector<std::string>> put_back_routes(const Lease& lease);
    Result<> move_over(const Lease& old, const Lease& fresh);
    Result<> reroute(const Lease& old, const Lease& fresh);
    /// As the kernel will list them.
    std::vector<Route> wanted_routes(const Lease& lease) const;
    Result<> find_link();
    void say_put_back(const std::vector<std::string>& gone);
    void say_problem(const Error& problem);

    World world_;
    Interface interface_;
    RoutesOf routes_;
    std::optional<Link> link_;
    Nanoseconds next_look_{0};
    std::optional<Nanoseconds> said_at_;  // that something was put back
    unsigned unsaid_ = 0;                 // times it was put back since
    std::uint64_t times_put_back_ = 0;
    std::string problem_;  // said last; empty: all is well
};

}  // namespace diskless
