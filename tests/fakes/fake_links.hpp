// Interfaces that behave: carrier comes some time after a link was set up, an address needs a link that is up, a route
// needs an address to reach its router.
#pragma once

#include <algorithm>
#include <map>

#include "common/os/links.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace diskless {

class FakeLinks : public Links {
  public:
    struct FakeLink {
        Link link;
        Nanoseconds carrier_delay{0};  // from set_up
        Nanoseconds appears_at{0};     // driver loaded late
        Nanoseconds up_since{Nanoseconds::max()};
        std::vector<std::pair<Ipv4, int>> addresses;
        std::vector<Route> routes;
        std::map<Ipv4, Nanoseconds> lives_until;  // addresses that leave by themselves
        bool unplugged = false;
        int refuses_up = 0;                   // an errno
        bool can_wake = true, wakes = false;  // by a magic packet
    };

    explicit FakeLinks(FakeClock& clock) : clock_(clock) {}

    FakeLink& add(std::string name, Mac mac, Nanoseconds carrier_delay = Milliseconds{20}) {
        FakeLink link;
        link.link.index = static_cast<int>(links.size()) + 2;
        link.link.name = std::move(name);
        link.link.mac = mac;
        link.link.mtu = 1500;
        link.carrier_delay = carrier_delay;
        return links.emplace_back(link);
    }

    Result<std::vector<Link>> list() override {
        std::vector<Link> found;
        for (auto& fake : links) {
            if (clock_.now() < fake.appears_at) continue;
            fake.link.carrier = fake.link.up && !fake.unplugged && clock_.now() - fake.up_since >= fake.carrier_delay;
            found.push_back(fake.link);
        }
        return found;
    }
    Result<> set_up(int index) override {
        FakeLink& fake = TRY(find(index));
        if (fake.refuses_up != 0) return fail_errno("set interface " + std::to_string(index) + " up", fake.refuses_up);
        if (!fake.link.up) fake.up_since = clock_.now();
        fake.link.up = true;
        return {};
    }
    Result<> set_down(int index) override {
        FakeLink& fake = TRY(find(index));
        fake.link.up = false;
        fake.addresses.clear();
        fake.routes.clear();
        return {};
    }
    Result<> set_mtu(int index, std::uint32_t bytes) override {
        FakeLink& fake = TRY(find(index));
        if (bytes < 68 || bytes > 9000) return fail_errno("set mtu of " + fake.link.name, EINVAL);
        fake.link.mtu = bytes;
        return {};
    }
    Result<> rename(int index, const std::string& name) override {
        FakeLink& fake = TRY(find(index));
        if (fake.link.up) return fail_errno("rename " + fake.link.name, EBUSY);
        for (const auto& other : links)
            if (other.link.name == name && other.link.index != index) return fail_errno("rename to " + name, EEXIST);
        fake.link.name = name;
        return {};
    }
    Result<> add_address(int index, Ipv4 address, std::uint8_t prefix, Seconds valid_for) override {
        FakeLink& fake = TRY(find(index));
        if (!fake.link.up) return fail_errno("add address to " + fake.link.name, ENETDOWN);
        fake.lives_until.erase(address);
        if (valid_for.count() != 0) fake.lives_until[address] = clock_.now() + valid_for;
        const std::pair<Ipv4, int> entry(address, prefix);
        if (std::ranges::find(fake.addresses, entry) == fake.addresses.end()) fake.addresses.push_back(entry);
        return {};
    }
    Result<> remove_address(int index, Ipv4 address, std::uint8_t prefix) override {
        FakeLink& fake = TRY(find(index));
        const auto found = std::ranges::find(fake.addresses, std::pair<Ipv4, int>(address, prefix));
        if (found == fake.addresses.end()) return {};
        // The first address of a network takes the others with it, and the last of the link takes all routes. Until
        // then routes stay, even those whose router no address reaches any more.
        const bool primary = std::none_of(fake.addresses.begin(), found, [&](const auto& a) {
            return a.second == prefix && same_network(a.first, address, prefix);
        });
        fake.addresses.erase(found);
        if (!primary) return {};
        std::erase_if(fake.addresses,
                      [&](const auto& a) { return a.second == prefix && same_network(a.first, address, prefix); });
        if (fake.addresses.empty()) fake.routes.clear();
        return {};
    }
    Result<std::vector<LinkAddress>> addresses(int index) override {
        FakeLink& fake = TRY(find(index));
        std::erase_if(fake.addresses, [&](const auto& a) {
            const auto life = fake.lives_until.find(a.first);
            return life != fake.lives_until.end() && life->second <= clock_.now();
        });
        std::vector<LinkAddress> found;
        for (const auto& [address, prefix] : fake.addresses) {
            const auto life = fake.lives_until.find(address);
            const auto left = life == fake.lives_until.end() ? Nanoseconds{0} : life->second - clock_.now();
            found.push_back({address, static_cast<std::uint8_t>(prefix), std::chrono::ceil<Seconds>(left)});
        }
        return found;
    }
    Result<std::vector<Route>> routes(int index) override {
        FakeLink& fake = TRY(find(index));
        return fake.routes;
    }
    Result<> remove_addresses(int index) override {
        FakeLink& fake = TRY(find(index));
        fake.addresses.clear();
        fake.routes.clear();
        return {};
    }
    Result<> add_route(int index, const Route& route) override {
        FakeLink& fake = TRY(find(index));
        const bool reachable = !route.router.is_set() || std::ranges::any_of(fake.addresses, [&](const auto& a) {
            return same_network(a.first, route.router, static_cast<unsigned>(a.second));
        }) || std::ranges::any_of(fake.routes, [&](const Route& r) {
            return !r.router.is_set() && same_network(r.destination, route.router, r.prefix);
        });
        if (!reachable) return fail_errno("add route via " + route.router.text(), ENETUNREACH);
        // NLM_F_REPLACE: there is one routing table for all links.
        const auto network = network_of(route.destination, route.prefix);
        for (auto& other : links)
            std::erase_if(other.routes, [&](const Route& known) {
                return known.destination == network && known.prefix == route.prefix;
            });
        fake.routes.push_back({network, route.prefix, route.router});
        return {};
    }
    Result<> remove_route(int index, const Route& route) override {
        FakeLink& fake = TRY(find(index));
        std::erase(fake.routes, Route{network_of(route.destination, route.prefix), route.prefix, route.router});
        return {};
    }
    Result<> set_wake_on_lan(const std::string& name, bool armed) override {
        for (auto& fake : links) {
            if (fake.link.name != name) continue;
            if (!fake.can_wake && !armed) return {};
            if (!fake.can_wake) return fail_errno("arm Wake-on-LAN of " + name, EOPNOTSUPP);
            fake.wakes = armed;
            return {};
        }
        return fail_errno("arm Wake-on-LAN of " + name, ENODEV);
    }
    bool wait_for_change(Deadline deadline) override {
        clock_.advance(std::min<Nanoseconds>(deadline.left(clock_), Milliseconds{10}));
        return !deadline.passed(clock_);
    }

    std::vector<FakeLink> links;

  private:
    Result<std::reference_wrapper<FakeLink>> find(int index) {
        for (auto& fake : links)
            if (fake.link.index == index) return std::ref(fake);
        return fail_errno("interface " + std::to_string(index), ENODEV);
    }
    FakeClock& clock_;
};

}  // namespace diskless
