// probe-export: a shared root that any node may write is an accident that waits. Looked at once per boot, by permission
// only: nothing is ever written.
#include "init/nfs_mount.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

constexpr const char* kProbe = "/run/diskless/probe";

Result<> run(StepContext& context, Boot& boot) {
    Os& os = context.os;
    auto source = boot.root_source;
    source.servers = {boot.root_server};
    source.version = boot.root_version;
    source.options += ",noacl";  // NFS 3: one call less, "is there an ACL protocol?"
    const auto mounted = mount_nfs(context, {.source = source,
                                             .path = boot.root.path,
                                             .target = kProbe,
                                             .use = NfsUse::own_files,
                                             .read_only = false,
                                             .client = boot.lease.address});
    if (!mounted) return {};  // not even mountable rw: as it should be
    const auto writable = os.processes.in_child("look at the export", context.deadline, [&]() -> Result<std::string> {
        return os.files.writable(kProbe) ? "yes" : "no";
    });
    (void)os.mounts.unmount(kProbe, Unmount::lazy);
    if (!writable || *writable != "yes") return {};
    return fail(
        boot.root.server + ":" + boot.root.path + " is exported read-write: any node can change the root of all",
        "export it ro: \"" + boot.root.path + " <network>(ro,no_root_squash)\" in /etc/exports");
}

}  // namespace

Step probe_export(Boot& boot) {
    return {.id = "probe-export",
            .sentence = "see whether the server lets nodes write to the shared root",
            .needs = {"mount-root"},
            .deadline = Milliseconds{3000},
            .failure = FailureMeans::degrade,
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
