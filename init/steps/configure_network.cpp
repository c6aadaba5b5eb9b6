// configure-network: an address on the interface that leads to the root.
#include <fmt/core.h>

#include "init/network/network_search.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

Result<> run(StepContext& context, Boot& boot) {
    if (const auto links = context.os.links.list())
        for (const auto& link : *links)
            if (link.name == "lo") (void)context.os.links.set_up(link.index);
    auto loaded = boot.drivers;
    const auto look_for_drivers = [&] { return load_late_drivers(context, boot, loaded); };
    auto found = TRY(NetworkSearch(context, boot.config, look_for_drivers).run());
    context.note(fmt::format("{} has {}/{}", found.link.name, found.lease.address.text(), found.lease.prefix));
    context.publish([&] {
        boot.link = std::move(found.link);
        boot.lease = std::move(found.lease);
        boot.root_source = std::move(found.root);
    });
    return {};
}

}  // namespace

Step configure_network(Boot& boot) {
    const auto timeout = boot.config.network.timeout;
    return {.id = "configure-network",
            .sentence = "get an address on the interface that leads to the root",
            .needs = {"load-drivers"},
            .deadline = timeout.count() > 0 ? timeout : Milliseconds{std::chrono::hours{1}},
            .retry = {.attempts = timeout.count() > 0 ? 1 : 0},
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
