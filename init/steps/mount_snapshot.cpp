// mount-snapshot: the node's own directory on the server, read-write.
#include <fmt/core.h>

#include <algorithm>

#include "common/base/snapshot_files.hpp"
#include "common/base/text.hpp"
#include "common/nfs/servers.hpp"
#include "init/identity/identity.hpp"
#include "init/network/snapshot_place.hpp"
#include "init/nfs_mount.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

constexpr Milliseconds kDetach{2000};

struct Found {
    std::string name;
    Ipv4 server;
    std::string options;
    bool location = false;
};

bool worth_another_name(const Error& error) {
    return error.code == ENOENT || error.code == EACCES || error.code == EPERM || error.code == ENOTDIR;
}

NfsMountJob job_for(StepContext& context, const Boot& boot, const SnapshotPlace& place, std::string path,
                    const char* target) {
    return {
        .source = place.source,
        .path = std::move(path),
        .target = target,
        .use = NfsUse::own_files,
        .read_only = false,
        .client = boot.lease.address,
        .earlier = {.server = boot.root_server, .version = boot.root_version, .options = {}, .ports = boot.root_ports},
        .before = [&](NfsVersion version) { load_nfs_version(context, boot, version); }};
}

/// Red Hat's layout: snapshot/ is one export with the lists and all nodes' directories in it.
Result<Found> mount_from_parent(StepContext& context, const Boot& boot, const SnapshotPlace& place,
                                const std::vector<std::string>& names) {
    Os& os = context.os;
    const auto mounted = TRY(mount_nfs(context, job_for(context, boot, place, place.source.path, kLocation)));
    TRY(os.files.make_directories(kSnapshot));
    for (const auto& name : names) {
        const auto bound =
            os.processes.in_child("bind snapshot " + name, context.deadline, [&]() -> Result<std::string> {
                const auto path = join_path(kLocation, name);
                if (!os.files.is_directory(path)) return fail_errno(path, ENOENT);
                TRY(os.mounts.bind(path, kSnapshot, false));
                return {};
            });
        if (bound) return Found{name, mounted.server, mounted.options, true};
        if (!worth_another_name(bound.error())) return tl::unexpected(bound.error());
    }
    return Found{{}, mounted.server, mounted.options, true};
}

/// Our layout: each node's directory is exported to that node alone.
Result<Found> mount_directly(StepContext& context, const Boot& boot, const SnapshotPlace& place,
                             const std::vector<std::string>& names) {
    Error last;
    for (const auto& name : names) {
        const auto mounted =
            mount_nfs(context, job_for(context, boot, place, join_path(place.source.path, name), kSnapshot));
        if (mounted) return Found{name, mounted->server, mounted->options, false};
        last = mounted.error();
        if (!worth_another_name(last)) return tl::unexpected(last);
    }
    return Found{};
}

Result<> check_writable(StepContext& context) {
    Os& os = context.os;
    const auto checked =
        os.processes.in_child("write to the snapshot", context.deadline, [&os]() -> Result<std::string> {
            // one listing answers for every name that is asked for there later, and an attempt to make it costs more
            const auto names = TRY(os.files.list(kSnapshot));
            const auto own = join_path(kSnapshot, snapshot_files::kDirectory);
            if (!std::ranges::binary_search(names, base_name(own)) || !os.files.is_directory(own))
                TRY(os.files.make_directories(own));
            if (!os.files.writable(kSnapshot)) return fail_errno("the snapshot", EACCES);
            return {};
        });
    if (!checked) return tl::unexpected(checked.error());
    return {};
}

/// Detaches what is mounted there. In a child: the path walk may ask the server.
void forget(StepContext& context, const std::vector<const char*>& targets) {
    Os& os = context.os;
    (void)os.processes.in_child("detach the snapshot", Deadline::after(os.clock, kDetach),
                                [&]() -> Result<std::string> {
                                    for (const char* target : targets) (void)os.mounts.unmount(target, Unmount::lazy);
                                    return {};
                                });
}

/// What the root's /etc/hosts calls this node; not looked at when somebody has told the name.
std::string name_in_root(StepContext& context, const Boot& boot) {
    if (!boot.config.snapshot.name.empty() || !boot.config.hostname.empty() || !boot.lease.hostname.empty()) return {};
    const auto& files = context.os.files;
    const auto hosts = context.os.processes.in_child("read /etc/hosts of the root", context.deadline, [&] {
        return Result<std::string>(files.read(join_path(kNewRoot, "etc/hosts"), 1 << 18).value_or(std::string()));
    });
    return hosts ? name_in_hosts(*hosts, boot.lease.address) : std::string();
}

/// Without a usable snapshot: what the policy says.
Result<> without_snapshot(StepContext& context, Boot& boot, Error problem) {
    if (boot.config.snapshot.policy != SnapshotPolicy::volatile_state) {
        // The next attempt mounts afresh; what stayed would pile up beneath it.
        forget(context, {kSnapshot, kLocation});
        context.publish([&] {
            boot.snapshot.state = "volatile";
            boot.has_location_lists = false;
        });
        return tl::unexpected(std::move(problem));
    }
    context.publish([&] { boot.snapshot.state = "volatile"; });
    problem.cause += ", continuing with volatile state";
    context.degrade(std::move(problem));
    return {};
}

Result<> run(StepContext& context, Boot& boot) {
    const auto place = snapshot_place(boot.config, boot.root_version, boot.root_server, boot.root.path, boot.location);
    if (!place) {
        context.publish([&] { boot.snapshot.state = "none"; });
        context.note("no snapshot is configured: all state is volatile");
        return {};
    }
    const auto names = snapshot_names(boot.config, boot.lease, boot.link.mac, name_in_root(context, boot));
    if (names.empty())
        return without_snapshot(
            context, boot,
            {fmt::format("SNAPSHOT={} is no name of a directory", printable(boot.config.snapshot.name)),
             "give a name without slashes and blanks", EINVAL});
    auto found = place->shared_parent ? mount_from_parent(context, boot, *place, names)
                                      : mount_directly(context, boot, *place, names);
    if (found && found->location) context.publish([&] { boot.has_location_lists = true; });
    if (!found) return without_snapshot(context, boot, found.error());
    if (found->name.empty())
        return without_snapshot(context, boot,
                                {fmt::format("no snapshot {} in {}", join(names, " or "),
                                             nfs_source(place->source.servers.front(), place->source.path)),
                                 fmt::format("on the server: mkdir {} and export it rw to {}",
                                             join_path(place->source.path, names.front()), boot.lease.address.text()),
                                 ENOENT});
    if (auto writable = check_writable(context); !writable) {
        auto problem = writable.error();
        forget(context, {kSnapshot});  // the lists of all nodes beside it stay in use
        problem.cause = fmt::format("snapshot {} cannot be written: {}", found->name, problem.cause);
        problem.remedy = fmt::format("export {} rw,no_root_squash to {}", join_path(place->source.path, found->name),
                                     boot.lease.address.text());
        return without_snapshot(context, boot, std::move(problem));
    }
    context.note(fmt::format("{} of {}", found->name, nfs_source(found->server, place->source.path)));
    context.publish([&] {
        boot.snapshot = {.name = found->name,
                         .server = found->server.text(),
                         .path = join_path(place->source.path, found->name),
                         .state = "mounted",
                         .options = found->options};
    });
    return {};
}

}  // namespace

Step mount_snapshot(Boot& boot) {
    const auto policy = boot.config.snapshot.policy;
    const bool wait = policy == SnapshotPolicy::wait;
    // Where snapshots are may follow from where the root turned out to be.
    return {.id = "mount-snapshot",
            .sentence = "mount the node's snapshot",
            .needs = {root_for(boot)},
            .deadline = Milliseconds{60'000},
            .retry = {.attempts = wait                             ? 0
                                  : policy == SnapshotPolicy::fail ? 3
                                                                   : 1},
            .failure = FailureMeans::abort,
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
