#include "common/os/mounts_linux.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <libmount.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <array>
#include <memory>

#include "common/base/text.hpp"
#include "common/os/descriptor.hpp"

namespace diskless {

namespace {

using Context = std::unique_ptr<libmnt_context, decltype(&mnt_free_context)>;

bool is_nfs(std::string_view type) { return type == "nfs" || type == "nfs4"; }

std::string remedy_for(int code, const std::string& type) {
    switch (code) {
        case ENODEV:
            return fmt::format("the running kernel has no file system '{0}': put the module '{0}' into the image",
                               type);
        case EPERM:
            return "this needs root privileges";
        case EBUSY:
            return "something is mounted there already, or still in use";
        case EINVAL:
            return is_nfs(type) ? "check the NFS options; the kernel log names the one it refused"
                                : "check the options; the kernel log may name the one it refused";
        default:
            break;
    }
    if (!is_nfs(type)) return code == ENOENT ? "the source or the target does not exist" : "";
    switch (code) {
        case EACCES:
            return "the server does not export this directory to this node: check its exports";
        case ENOENT:
            return "the server has no such directory (an NFSv4 path starts at the pseudo root), or no target";
        case ECONNREFUSED:
            return "no NFS service answers there: is the server's NFS service started?";
        case ETIMEDOUT:
        case EHOSTUNREACH:
        case ENETUNREACH:
            return "the server cannot be reached: check address, routes and firewall";
        case EPROTONOSUPPORT:
            return "the server does not speak this NFS version: try another vers=";
        case ESTALE:
            return "the exported directory was replaced on the server: export it again";
        default:
            return "";
    }
}

/// What libmount says about a failure that happened before any system call.
std::string complaint(libmnt_context* context, int result) {
    char words[256] = "";
    mnt_context_get_excode(context, result, words, sizeof words);
    if (words[0] != '\0') return printable(words);
    return result < 0 ? error_text(-result) : "refused";
}

/// Behind an open quote libmount reads no option, and mounts without the rest: it must not drop a "ro" silently.
bool is_readable(std::string_view options) {
    bool open = false;
    for (std::size_t i = 0; i < options.size(); ++i)
        if (options[i] == '"' && (i == 0 || options[i - 1] != '\\')) open = !open;
    return !open;
}

/// libmount splits fstab options into flags, the file system's own data (NFS: verbatim, addr= included) and what only
/// user space means (_netdev, nofail, user, x-*), and makes the one or two mount(2) calls they need.
///
/// Switched off: helpers (it would run mount.nfs), utab, looking the source up, and resolving paths. What remains
/// opens no file, so it works before /proc is mounted.
Result<> mount_by_libmount(const std::string& what, const MountRequest& request) {
    if (!is_readable(request.options))
        return fail(fmt::format("{}: unreadable options '{}'", what, printable(request.options)),
                    "quote option values as in a=\"b,c\"", EINVAL);
    const Context context(mnt_new_context(), &mnt_free_context);
    if (!context) return fail_errno(what, ENOMEM);
    mnt_context_disable_helpers(context.get(), 1);
    mnt_context_disable_mtab(context.get(), 1);
    mnt_context_disable_swapmatch(context.get(), 1);
    mnt_context_disable_canonicalize(context.get(), 1);
    mnt_context_set_optsmode(context.get(), MNT_OMODE_NOTAB);

    int result = mnt_context_set_target(context.get(), request.target.c_str());
    if (result == 0 && !request.source.empty()) result = mnt_context_set_source(context.get(), request.source.c_str());
    if (result == 0 && !request.type.empty()) result = mnt_context_set_fstype(context.get(), request.type.c_str());
    if (result == 0 && !request.options.empty())
        result = mnt_context_set_options(context.get(), request.options.c_str());
    if (result < 0) return fail(fmt::format("{}: {}", what, error_text(-result)), "check the options", -result);

    result = mnt_context_mount(context.get());
    if (result == 0) return {};
    const int code = mnt_context_syscall_called(context.get()) ? mnt_context_get_syscall_errno(context.get()) : 0;
    if (code != 0) return fail_errno(what, code, remedy_for(code, request.type));
    return fail(fmt::format("{}: {}", what, complaint(context.get(), result)), "check the options", EINVAL);
}

/// Adds flags to a mount point and keeps those it has (a bind inherits its source's nosuid). False with errno.
bool add_flags(const std::string& target, unsigned long flags) {
    struct Flag {
        unsigned long mount, status, attribute;
    };
    static constexpr std::array<Flag, 4> kFlags{{{MS_RDONLY, ST_RDONLY, MOUNT_ATTR_RDONLY},
                                                 {MS_NOSUID, ST_NOSUID, MOUNT_ATTR_NOSUID},
                                                 {MS_NODEV, ST_NODEV, MOUNT_ATTR_NODEV},
                                                 {MS_NOEXEC, ST_NOEXEC, MOUNT_ATTR_NOEXEC}}};
    mount_attr change{};
    for (const auto& flag : kFlags)
        if ((flags & flag.mount) != 0) change.attr_set |= flag.attribute;
    if ((flags & (MS_NOATIME | MS_STRICTATIME)) != 0) {
        change.attr_clr |= MOUNT_ATTR__ATIME;
        change.attr_set |= (flags & MS_NOATIME) != 0 ? MOUNT_ATTR_NOATIME : MOUNT_ATTR_STRICTATIME;
    }
    if ((flags & MS_NODIRATIME) != 0) change.attr_set |= MOUNT_ATTR_NODIRATIME;
    if (mount_setattr(AT_FDCWD, target.c_str(), AT_SYMLINK_NOFOLLOW, &change, sizeof change) == 0) return true;
    if (errno != ENOSYS) return false;

    // Before Linux 5.12 a remount replaces all flags, so those that stand must be given again.
    struct statvfs standing {};
    if (statvfs(target.c_str(), &standing) != 0) return false;
    for (const auto& flag : kFlags)
        if ((standing.f_flag & flag.status) != 0) flags |= flag.mount;
    return ::mount("none", target.c_str(), nullptr, MS_REMOUNT | MS_BIND | flags, nullptr) == 0;
}

/// Of the file system (FSCONFIG_SET_FLAG "ro" or "rw"); the flags of its mounts stay. False with errno.
bool set_file_system_flag(const Descriptor& file_system, const char* flag) {
    return fsconfig(file_system.get(), FSCONFIG_SET_FLAG, flag, nullptr, 0) == 0 &&
           fsconfig(file_system.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0) == 0;
}

std::string with(std::string options, std::string_view more) {
    if (!options.empty() && !more.empty()) options += ',';
    return options.append(more);
}

}  // namespace

Result<> LinuxMounts::mount(const MountRequest& request) {
    return mount_by_libmount(
        printable(
            fmt::format("mount {} on {}", request.source.empty() ? request.type : request.source, request.target)),
        request);
}

Result<> LinuxMounts::bind(const std::string& source, const std::string& target, bool read_only,
                           const std::string& options) {
    const auto what = printable(fmt::format("bind {} on {}", source, target));
    unsigned long flags = read_only ? MS_RDONLY : 0;
    if (!options.empty()) {
        const int parsed = mnt_optstr_get_flags(options.c_str(), &flags, mnt_get_builtin_optmap(MNT_LINUX_MAP));
        if (parsed < 0) return fail_errno(what + ", options " + printable(options), -parsed);
    }
    if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0)
        return fail_errno(what, errno, remedy_for(errno, ""));
    if (flags == 0 || add_flags(target, flags)) return {};

    // What should be read-only must not stay writable.
    const int code = errno;
    umount2(target.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    return fail_errno(what + ", set its flags", code, remedy_for(code, ""));
}

Result<> LinuxMounts::bind_tree(const std::string& source, const std::string& target) {
    if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0) return {};
    return fail_errno(printable(fmt::format("bind all of {} on {}", source, target)), errno, remedy_for(errno, ""));
}

Result<> LinuxMounts::move(const std::string& from, const std::string& to) {
    if (::mount(from.c_str(), to.c_str(), nullptr, MS_MOVE, nullptr) == 0) return {};
    const int code = errno;
    return fail_errno(printable(fmt::format("move mount {} to {}", from, to)), code,
                      code == EINVAL ? "the source must be a mount point below a private one" : remedy_for(code, ""));
}

Result<> LinuxMounts::remount(const std::string& target, const std::string& options) {
    return mount_by_libmount(printable(fmt::format("remount {} with {}", target, options)),
                             {.source = "none", .target = target, .type = "", .options = with("remount", options)});
}

Result<> LinuxMounts::unmount(const std::string& target, Unmount how) {
    // Not by libmount: it looks the target up first, which hangs when its server is gone.
    const int flags = how == Unmount::force ? MNT_FORCE : how == Unmount::lazy ? MNT_DETACH : 0;
    if (umount2(target.c_str(), flags | UMOUNT_NOFOLLOW) == 0) return {};
    return fail_errno(printable("unmount " + target), errno, errno == EBUSY ? "something still uses it" : "");
}

/// The kernel asks a file system for permission only when that is writable as a whole, so it becomes so for the moment
/// of the question. The mount stays read-only and is what the kernel looks at last: EROFS means that all else agreed.
Result<bool> LinuxMounts::would_let_write(const std::string& target) {
    const auto what = printable("ask whether " + target + " lets us write");
    const Descriptor file_system(fspick(AT_FDCWD, target.c_str(), FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT));
    if (!file_system || !set_file_system_flag(file_system, "rw")) return fail_errno(what);
    const int code = ::faccessat(AT_FDCWD, target.c_str(), W_OK, 0) == 0 ? 0 : errno;
    // a context serves for one change
    const Descriptor again(fspick(AT_FDCWD, target.c_str(), FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT));
    if (!again || !set_file_system_flag(again, "ro")) return fail_errno(what + ", make it read-only again");
    if (code == 0 || code == EROFS) return true;
    if (code == EACCES || code == EPERM) return false;
    return fail_errno(what, code);
}

Result<std::vector<MountEntry>> LinuxMounts::table() const {
    return parse_mountinfo(TRY(read_kernel_file("/proc/self/mountinfo")));
}

bool LinuxMounts::knows_type(const std::string& type) const {
    const auto types = read_kernel_file("/proc/filesystems");
    if (!types || type.empty()) return false;
    for (const auto line : lines(*types))
        if (const auto parts = words(line); !parts.empty() && parts.back() == type) return true;
    return false;
}

}  // namespace diskless
