// mount-api: the file systems that are the kernel's own interface. The very first step: nothing is there yet, perhaps
// not even /dev/console.
#include <fmt/core.h>

#include <array>

#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

struct ApiMount {
    const char* type;
    const char* target;
    const char* options;
    bool needed;
};

// systemd mounts what else it wants (cgroup2, hugetlbfs, …) by itself; other inits expect pts and shm to be there.
constexpr std::array kApiMounts{
    ApiMount{"proc", "/proc", "nosuid,nodev,noexec", true},
    ApiMount{"sysfs", "/sys", "nosuid,nodev,noexec", true},
    ApiMount{"devtmpfs", "/dev", "nosuid,mode=0755", false},
    ApiMount{"devpts", "/dev/pts", "nosuid,noexec,gid=5,mode=0620,ptmxmode=0666", false},
    ApiMount{"tmpfs", "/dev/shm", "nosuid,nodev,mode=1777", false},
    ApiMount{"tmpfs", "/run", "nosuid,nodev,mode=0755", true},
};

/// A kernel without devtmpfs: a tmpfs with the nodes that programs cannot do without.
Result<> make_static_dev(Os& os) {
    struct Node {
        const char* name;
        unsigned major_number, minor_number, mode;
    };
    static constexpr std::array kNodes{
        Node{"console", 5, 1, 0600}, Node{"null", 1, 3, 0666},    Node{"zero", 1, 5, 0666},  Node{"full", 1, 7, 0666},
        Node{"random", 1, 8, 0666},  Node{"urandom", 1, 9, 0666}, Node{"kmsg", 1, 11, 0644}, Node{"tty", 5, 0, 0666},
        Node{"tty0", 4, 0, 0620},    Node{"ttyS0", 4, 64, 0660},  Node{"ptmx", 5, 2, 0666}};
    TRY(os.mounts.mount({"tmpfs", "/dev", "tmpfs", "nosuid,mode=0755,size=1M"}));
    for (const auto& node : kNodes)
        TRY(os.files.make_device(join_path("/dev", node.name), FileKind::character_device, node.major_number,
                                 node.minor_number, node.mode));
    return {};
}

Result<> run(StepContext& context) {
    Os& os = context.os;
    // What an outer initramfs has mounted: a tmpfs would be mounted over another. /proc is what the table is read from.
    auto before = os.mounts.table();
    for (const auto& api : kApiMounts) {
        if (!before) before = os.mounts.table();
        if (before && mounted_at(*before, api.target) != nullptr) continue;
        TRY(os.files.make_directories(api.target));
        auto mounted = os.mounts.mount({api.type, api.target, api.type, api.options});
        if (mounted || mounted.error().code == EBUSY) continue;  // EBUSY: an outer initramfs has mounted it already
        if (std::string_view(api.type) == "devtmpfs") mounted = make_static_dev(os);
        if (mounted) {
            context.note("no devtmpfs in this kernel: made a static /dev");
            continue;
        }
        if (api.needed) return tl::unexpected(mounted.error());
        context.degrade(mounted.error());
    }
    struct Link {
        const char* path;
        const char* target;
    };
    static constexpr std::array kLinks{Link{"/dev/fd", "/proc/self/fd"}, Link{"/dev/stdin", "/proc/self/fd/0"},
                                       Link{"/dev/stdout", "/proc/self/fd/1"}, Link{"/dev/stderr", "/proc/self/fd/2"}};
    for (const auto& link : kLinks)
        if (auto made = os.files.make_symlink(link.target, link.path); !made && made.error().code != EEXIST)
            context.degrade(made.error());
    // A tmpfs of our own: init scripts remount /run noexec, and what is called from there must be executable.
    TRY(os.files.make_directories(kRunDirectory));
    return os.mounts.mount({"diskless-run", kRunDirectory, "tmpfs", "nosuid,nodev,mode=0755"});
}

}  // namespace

Step mount_api(Boot&) {
    return {.id = "mount-api", .sentence = "mount proc, sys, dev and run", .deadline = Milliseconds{5000}, .run = run};
}

}  // namespace diskless::steps
