#include "common/nfs/mount_errors.hpp"

#include <fmt/core.h>

#include <cerrno>

#include "common/base/result.hpp"

namespace diskless {

namespace {
// Once the ladder is used up, what the last attempt said decides.
constexpr auto kNext = MountVerdict::try_next_version;
constexpr auto kLater = MountVerdict::retry_later;
constexpr auto kFinal = MountVerdict::give_up;

/// Placeholders: {0} server, {1} path, {2} client, {3} version, {4} the error's own words.
struct Row {
    int code;
    MountVerdict v4, v3, last;
    const char* cause;
    const char* remedy;
};

// EACCES, EPERM and ENOENT go on: v4 paths start at the server's pseudo root, where a directory that v3 mounts may be
// missing or closed, and the other way round. v3 goes on after ECONNREFUSED and ETIMEDOUT, which are what a server
// without rpcbind and mountd says that serves v4 alone.
constexpr Row kRows[] = {
    {EACCES, kNext, kNext, kFinal, "the server does not export {0}:{1} to {2}",
     "check /etc/exports (and exportfs -r) on {0}"},
    {EPERM, kNext, kNext, kFinal, "{0} does not permit {2} to mount {1} by NFS {3}",
     "check sec= and secure/insecure of the export on {0}"},
    {ENOENT, kNext, kNext, kFinal, "{0} has no directory {1} for NFS {3}",
     "check the path, and that it is exported, on {0}"},
    {ENOTDIR, kFinal, kFinal, kFinal, "{1} on {0} is not a directory", "name the directory that holds the root"},
    {EPROTONOSUPPORT, kNext, kNext, kFinal, "{0} does not serve NFS {3}",
     "enable the version on {0}, or allow another one with vers="},
    {EPROTO, kNext, kNext, kFinal, "{0} and this kernel do not understand each other in NFS {3}",
     "try another version with vers="},
    {EOPNOTSUPP, kNext, kNext, kFinal, "{0} does not serve NFS {3}",
     "enable the version on {0}, or allow another one with vers="},
    {EINVAL, kNext, kNext, kFinal, "the kernel or {0} refuses the mount options for NFS {3}",
     "check the NFS options; the kernel's log may name the wrong one"},
    {ENODEV, kNext, kNext, kFinal, "this kernel has no NFS {3} client",
     "build the image with the modules nfs, nfsv3 and nfsv4 of this kernel"},
    {EIO, kNext, kLater, kLater, "{0} fails to serve {1}: {4}", "look at the log of the NFS server on {0}"},
    {ESTALE, kLater, kLater, kLater, "{0} replaced {1} while it was being mounted", "check the export on {0}"},
    {ECONNREFUSED, kLater, kNext, kLater, "no NFS {3} service answers on {0}",
     "start the NFS server on {0} (NFS 3 needs rpcbind and mountd there too)"},
    {ETIMEDOUT, kLater, kNext, kLater, "{0} does not answer", "check that {0} is up and that no firewall is between"},
    {EHOSTUNREACH, kLater, kLater, kLater, "{0} cannot be reached from {2}", "check routes and cables between them"},
    {EHOSTDOWN, kLater, kLater, kLater, "{0} is down", "start {0}"},
    {ENETUNREACH, kLater, kLater, kLater, "{2} has no route to {0}",
     "check the gateway given by the DHCP server or by ip="},
    {ENETDOWN, kLater, kLater, kLater, "the network of {2} is down", "check the cable and the switch port"},
    {ECONNRESET, kLater, kLater, kLater, "{0} closed the connection", "look at the log of the NFS server on {0}"},
    {ECONNABORTED, kLater, kLater, kLater, "{0} closed the connection", "look at the log of the NFS server on {0}"},
    {EPIPE, kLater, kLater, kLater, "{0} closed the connection", "look at the log of the NFS server on {0}"},
    {ENOTCONN, kLater, kLater, kLater, "the connection to {0} broke", "look at the log of the NFS server on {0}"},
    {EREMOTEIO, kLater, kLater, kLater, "{0} has an internal error", "look at the log of the NFS server on {0}"},
    {EAGAIN, kLater, kLater, kLater, "{0} is busy", ""},
    {EINTR, kLater, kLater, kLater, "mounting {0}:{1} was interrupted", ""},
    {ENOMEM, kLater, kLater, kLater, "no memory left to mount {0}:{1}", "give the node more memory"},
    {EBUSY, kFinal, kFinal, kFinal, "something is mounted where {0}:{1} should be", ""},
};
}  // namespace

MountJudgement judge_mount_error(int code, NfsVersion version, bool last, Ipv4 server, std::string_view path,
                                 Ipv4 client) {
    const auto words = [&](const char* pattern) {
        return fmt::format(fmt::runtime(pattern), server.text(), path,
                           client.is_set() ? client.text() : std::string("this node"), text(version), error_text(code));
    };
    for (const auto& row : kRows) {
        if (row.code != code) continue;
        const auto verdict = last ? row.last : version == NfsVersion::v3 ? row.v3 : row.v4;
        return {verdict, words(row.cause), words(row.remedy)};
    }
    return {kFinal, words("mounting {0}:{1} by NFS {3} failed: {4}"), {}};
}

}  // namespace diskless
