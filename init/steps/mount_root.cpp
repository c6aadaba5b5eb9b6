// mount-root: the shared root, read-only, or a root of the node's own; and what to start in it.
#include <fmt/core.h>

#include "common/base/pack.hpp"
#include "common/base/text.hpp"
#include "init/nfs_mount.hpp"
#include "init/steps/find_init.hpp"
#include "init/steps/look_at_root.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

Result<NfsMounted> mount_at(StepContext& context, const Boot& boot, const std::string& path) {
    const bool own = boot.config.root.mode == RootMode::writable;
    return mount_nfs(context, {.source = boot.root_source,
                               .path = path,
                               .target = kNewRoot,
                               .use = own ? NfsUse::own_files : NfsUse::shared_root,
                               .read_only = !own,
                               .client = boot.lease.address,
                               .before = [&](NfsVersion version) { load_nfs_version(context, boot, version); }});
}

Result<> run(StepContext& context, Boot& boot) {
    Os& os = context.os;
    std::string location;
    std::string path = boot.root_source.path;
    auto mounted = Result<NfsMounted>(fail(""));
    if (boot.config.root.layout == RootLayout::red_hat) {
        // NFSROOT= names the directory that holds root/ and snapshot/, or the root itself: both are in use.
        location = path;
        mounted = mount_at(context, boot, join_path(path, "root"));
        if (mounted) {
            path = join_path(path, "root");
        } else if (mounted.error().code == ENOENT || mounted.error().code == EACCES ||
                   mounted.error().code == ENOTDIR) {
            location = parent_path(path);
            mounted = mount_at(context, boot, path);
        }
    } else {
        mounted = mount_at(context, boot, path);
    }
    if (!mounted) return tl::unexpected(mounted.error());

    const bool shared = boot.config.root.mode != RootMode::writable;
    const auto found =
        os.processes.in_child("look for init", Deadline::after(os.clock, Seconds{20}).sooner_of(context.deadline),
                              [&] { return look_at_root(os, boot, shared); });
    if (!found) {
        (void)os.processes.in_child("detach the root", Deadline::after(os.clock, Seconds{2}),
                                    [&]() -> Result<std::string> {
                                        TRY(os.mounts.unmount(kNewRoot, Unmount::lazy));
                                        return {};
                                    });
        return tl::unexpected(found.error());
    }
    const auto words_of_init = TRY(unpack(*found));
    if (!words_of_init.at(2).empty())
        context.degrade({fmt::format("the files of the root belong to nobody here: {} names owners by words",
                                     mounted->server.text()),
                         "let the server send numbers (Ganesha: Only_Numeric_Owners = true), or mount with vers=3", 0});
    tell_of_export(context, words_of_init, mounted->server.text(), path);
    context.note(fmt::format("{}:{} by NFS {}", mounted->server.text(), path, text(mounted->version)));
    context.publish([&] {
        boot.root = {.server = mounted->server.text(),
                     .path = path,
                     .version = std::string(text(mounted->version)),
                     .options = mounted->options,
                     .mode = std::string(word(shared ? RootMode::read_only : RootMode::writable))};
        boot.root_server = mounted->server;
        boot.root_version = mounted->version;
        boot.root_ports = mounted->ports;
        boot.location = location;
        take_init(boot, words_of_init);
    });
    return {};
}

}  // namespace

Step mount_root(Boot& boot) {
    const auto& source = boot.config.root.source;
    std::vector<std::string> servers;
    for (const auto server : source.servers) servers.push_back(server.text());
    const auto from = fmt::format("{}:{}", servers.empty() ? "<server of the lease>" : join(servers, ","),
                                  source.path.empty() ? "<root-path of the lease>" : source.path);
    return {.id = "mount-root",
            .sentence = fmt::format("mount {} on {}, {}", from, kNewRoot,
                                    boot.config.root.mode == RootMode::writable ? "rw" : "ro"),
            .needs = {"configure-network", "load-nfs"},
            .deadline = Milliseconds{120'000},
            .retry = {.attempts = 0, .first = Milliseconds{250}, .cap = Milliseconds{10'000}},
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
