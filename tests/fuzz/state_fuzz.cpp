// Any text as any list: planned over a small tree with symlinks, and applied. Nothing may crash, no entry may leave the
// root, parents must stand before their children, and what the node has in its snapshot must survive.
#include <cstdint>
#include <cstdlib>
#include <set>

#include "common/state/apply_state.hpp"
#include "common/state/state_plan.hpp"
#include "common/state/tree_view.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fakes/fake_mounts.hpp"

using namespace diskless;

namespace {
void require(bool holds) {
    if (!holds) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 4096) return 0;
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    static constexpr const char* kLists[] = {
        "/snap/files",           "/snap/files.custom",    "/sysroot/etc/rwtab",      "/sysroot/etc/statetab",
        "/sysroot/etc/litefile", "/sysroot/etc/litetree", "/snap/.diskless/scaffold"};
    FakeFiles files;
    FakeMounts mounts(files);
    files.tree({{"/sysroot/etc/hosts", file("h")},
                {"/sysroot/etc/mtab", symlink("../proc/self/mounts")},
                {"/sysroot/etc/up", symlink("../../../snap")},
                {"/sysroot/etc/loop", symlink("loop")},
                {"/sysroot/var/run", symlink("/run")},
                {"/sysroot/var/lib/a/b", file("b")},
                {"/sysroot/bin", symlink("usr/bin")},
                {"/sysroot/usr/bin/x", file()},
                {"/sysroot/tree/etc/hosts", file("t")},
                {"/snap/var/lib/evil", symlink("/etc")},
                {"/snap/var/lib/a/b", file("mine")},
                {"/run/diskless/state", directory()},
                {"/outside", file("untouched")},
                {kLists[data[0] % std::size(kLists)], file(text)}});
    StateInput input;
    input.snapshot = (data[0] & 0x80) != 0 ? "" : "/snap";
    input.node = "n1";
    input.generated = {{"/etc/hosts", "made", 0644, {}}, {"/etc/new", "made", 0600, {}}};
    const auto plan = plan_state(input, files);
    std::set<std::string> seen;
    std::string previous;
    for (const auto& entry : plan.entries) {
        require(seen.insert(entry.path).second);
        for (const auto& earlier : seen) require(earlier == entry.path || !is_beneath(earlier, entry.path));
        if (!entry.skipped) require(refused_path(entry.path).empty());
    }
    (void)describe(plan);
    StateTarget target;
    target.snapshot = input.snapshot;
    require(apply_state(plan, target, files, mounts).has_value());
    for (const auto& mount : files.mounted) require(mount.id == 0 || mount.target.starts_with("/sysroot/"));
    require(undo_state(target, files, mounts).has_value());
    require(files.text("/snap/var/lib/a/b") == "mine");
    require(files.text("/outside") == "untouched");
    return 0;
}
