// Is the root's server there? For the agent and the way down.
#pragma once

#include "common/nfs/rpc.hpp"
#include "common/nfs/server_verdict.hpp"
#include "common/os/os.hpp"
#include "common/report/boot_report.hpp"

namespace diskless {

/// What is asked: a NFS service, as a mount uses it.
struct NfsService {
    std::string server;  // "10.9.0.1"
    std::uint16_t port = kNfsPort;
    bool tcp = true;
};
/// `options`: those of the mount, by mount(2) or /proc/mounts.
NfsService service_of(const std::string& server, const std::string& options);
inline NfsService service_of(const RootFacts& root) { return service_of(root.server, root.options); }
inline NfsService service_of(const SnapshotFacts& snapshot) { return service_of(snapshot.server, snapshot.options); }

/// An NFS NULL call over TCP (RFC 5531): is the server there? A text that is no address counts as there, and so does a
/// service that is not to be had over TCP.
bool server_answers(Os& os, const NfsService& service, Deadline deadline);
/// The same, and why not.
Result<> ask_server(Os& os, const NfsService& service, Deadline deadline);

/// Whether it is gone: server_answers() twice.
ServerVerdict verdict_on(Os& os, NfsService service);

}  // namespace diskless
