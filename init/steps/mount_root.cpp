// mount-root: the shared root, read-only, or a root of the node's own; and what to start in it.
#include <fmt/format.h>

#include <array>

#include "common/base/pack.hpp"
#include "common/base/text.hpp"
#include "init/nfs_mount.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

/// What the kernel itself would try (init/main.c), without /bin/sh: a shell is no working node.
constexpr std::array kInits{"/sbin/init", "/etc/init", "/bin/init", "/lib/systemd/systemd", "/usr/lib/systemd/systemd"};

constexpr std::uint32_t kNobody = 65534, kNoUser = 0xFFFFFFFE;  // what NFSv4 shows for owners it cannot map

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

/// "20261121-002550" of the file that `diskless-server image` leaves in each generation; empty in other roots.
std::string generation_of(const Files& files) {
    constexpr std::string_view kKey = "GENERATION=";
    const auto text = files.read(join_path(kNewRoot, ".diskless-generation"), 4096);
    if (!text) return {};
    for (const auto line : lines(*text))
        if (line.starts_with(kKey)) return printable(line.substr(kKey.size()));
    return {};
}

/// The init that exists, what it is a link to, "nobody" when the server's owners do not reach us, and the generation:
/// packed. Looks at NFS: in a child.
Result<std::string> find_init(const Os& os, const std::string& wanted) {
    std::vector<std::string> candidates(kInits.begin(), kInits.end());
    if (!wanted.empty()) candidates = {wanted};
    for (const auto& path : candidates) {
        const auto status = os.files.status(join_path(kNewRoot, path));
        if (!status) continue;
        const auto link = status->kind == FileKind::symlink ? os.files.read_link(join_path(kNewRoot, path)) : path;
        const bool nobody = status->uid == kNobody || status->uid == kNoUser;
        return pack({path, link.value_or(path), nobody ? "nobody" : "", generation_of(os.files)});
    }
    return fail(fmt::format("the root has no {}", wanted.empty() ? "init" : wanted),
                wanted.empty() ? "install an init system into the image (systemd-sysv, sysvinit-core, busybox)"
                               : "correct init= on the command line",
                ENOENT);
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

    const auto found =
        os.processes.in_child("look for init", Deadline::after(os.clock, Seconds{20}).sooner_of(context.deadline),
                              [&] { return find_init(os, boot.config.init); });
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
    context.note(fmt::format("{}:{} by NFS {}", mounted->server.text(), path, text(mounted->version)));
    context.publish([&] {
        boot.root = {.server = mounted->server.text(),
                     .path = path,
                     .version = std::string(text(mounted->version)),
                     .options = mounted->options,
                     .mode = boot.config.root.mode == RootMode::writable ? "rw" : "ro",
                     .generation = words_of_init.at(3)};
        boot.root_server = mounted->server;
        boot.root_version = mounted->version;
        boot.location = location;
        boot.init = words_of_init.at(0);
        boot.init_is_systemd = words_of_init.at(1).find("systemd") != std::string::npos;
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
