#include "init/nfs_mount.hpp"

#include <fmt/core.h>

#include "common/nfs/mount_errors.hpp"
#include "common/nfs/servers.hpp"
#include "init/nfs_ports.hpp"

namespace diskless {

namespace {
constexpr Milliseconds kOneMount{20'000};  // the kernel's own patience with a silent server is minutes
// A firewall that swallows rpcbind's port must not hold up the versions that need only port 2049.
constexpr Milliseconds kMountWithAlternative{6'000};

/// Says something of the directory, by a version that the server serves.
bool is_about_directory(int code) { return code == EACCES || code == EPERM || code == ENOENT || code == ENOTDIR; }

/// Says that the server or this kernel has not that version: no word about the directory.
bool is_about_version(int code) {
    return code == EPROTONOSUPPORT || code == EOPNOTSUPP || code == ENODEV || code == EPROTO;
}

}  // namespace

Result<NfsMounted> mount_nfs(StepContext& context, const NfsMountJob& job) {
    Os& os = context.os;
    Error last{"no NFS server is known", "name one: nfsroot=<server>:<directory>", 0};
    TRY(os.files.make_directories(job.target));
    for (const auto server : job.source.servers) {
        NfsMountWish wish{.use = job.use,
                          .read_only = job.read_only,
                          .version = job.source.version,
                          .options = job.source.options,
                          .server = server,
                          .client = job.client};
        // A service that was started again may be elsewhere: later attempts ask anew.
        if (context.attempt == 1 && server == job.earlier.server) wish.ports = job.earlier.ports;
        auto ladder = nfs_ladder(wish);
        if (context.attempt == 1)
            for (const auto& line : ladder.ignored) context.note(line);
        const auto what = nfs_source(server, job.path);
        bool of_directory = false;  // `last` is this server's word about it
        for (std::size_t i = 0; i < ladder.attempts.size(); ++i) {
            if (wants_ports(ladder.attempts[i]) && wish.ports == NfsPorts{}) {
                wish.ports = ask_for_ports(os, server, context.deadline);
                ladder = nfs_ladder(wish);
            }
            const auto& attempt = ladder.attempts[i];
            context.waiting_for(fmt::format("{} by {}", what, attempt.label));
            const bool is_last = i + 1 == ladder.attempts.size();
            const auto patience = is_last ? kOneMount : kMountWithAlternative;
            const auto deadline = Deadline::after(os.clock, patience).sooner_of(context.deadline);
            if (job.before) job.before(attempt.version);
            const auto mounted = os.processes.in_child("mount " + what, deadline, [&]() -> Result<std::string> {
                TRY(os.mounts.mount(
                    {what, job.target, attempt.version == NfsVersion::v3 ? "nfs" : "nfs4", attempt.options}));
                return {};
            });
            if (mounted) return NfsMounted{server, attempt.version, attempt.options, wish.ports};
            auto judged =
                judge_mount_error(mounted.error().code, attempt.version, is_last, server, job.path, job.client);
            const int code = mounted.error().code;
            if (!(is_about_version(code) && of_directory))
                last = {std::move(judged.cause), std::move(judged.remedy), code};
            of_directory |= is_about_directory(code);
            if (judged.verdict != MountVerdict::try_next_version) break;
        }
    }
    return tl::unexpected(last);
}

}  // namespace diskless
