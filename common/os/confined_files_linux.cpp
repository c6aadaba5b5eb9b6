#include "common/os/confined_files_linux.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/base/text.hpp"

namespace diskless {

namespace {

/// An error of a call on a held path, in the caller's words.
template <class T>
Result<T> renamed(Result<T> result, std::string_view held, std::string_view shown) {
    if (result || held == shown) return result;
    auto& cause = result.error().cause;
    for (std::size_t at = 0; (at = cause.find(held, at)) != std::string::npos; at += shown.size())
        cause.replace(at, held.size(), shown);
    return result;
}

}  // namespace

Descriptor open_beneath(int directory, const std::string& path, int flags, unsigned mode) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    for (;;) {
        const auto fd = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how);
        // EAGAIN: something was renamed while the kernel looked, so it cannot tell
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return Descriptor(static_cast<int>(fd));
    }
}

Result<ConfinedFiles> ConfinedFiles::open(const std::string& top) {
    Descriptor directory(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return fail_errno("open directory " + top);
    return ConfinedFiles(top, std::move(directory));
}

bool ConfinedFiles::relative(const std::string& path, std::string& rest) const {
    if (path == top_) {
        rest = ".";
        return true;
    }
    if (!path.starts_with(top_) || path[top_.size()] != '/') return false;
    rest = path.substr(top_.size() + 1);
    return true;
}

Result<ConfinedFiles::Held> ConfinedFiles::hold(const std::string& path) const {
    Held held{{}, path, path};
    std::string rest;
    if (!relative(path, rest)) return held;
    const auto slash = rest.rfind('/');
    const auto name = slash == std::string::npos ? rest : rest.substr(slash + 1);
    if (name.empty() || name == "..") return fail_errno("use " + printable(path), EXDEV);
    held.parent =
        open_beneath(directory_.get(), slash == std::string::npos ? "." : rest.substr(0, slash), O_PATH | O_DIRECTORY);
    if (!held.parent)
        return fail_errno("open directory of " + printable(path), errno,
                          errno == ELOOP ? "a symlink in a snapshot is not followed: remove it" : "");
    held.path = fmt::format("/proc/self/fd/{}/{}", held.parent.get(), name);
    return held;
}

Result<ConfinedFiles::Held> ConfinedFiles::hold_itself(const std::string& path, mode_t wanted_type) const {
    Held held{{}, path, path};
    std::string rest;
    if (!relative(path, rest)) return held;
    held.parent = open_beneath(directory_.get(), rest, O_PATH);
    if (!held.parent) return fail_errno("open " + printable(path));
    struct stat found {};
    if (::fstat(held.parent.get(), &found) != 0) return fail_errno("stat " + printable(path));
    // opening a device or a fifo does something; opening a directory as a file does not work
    if (wanted_type != 0 && (found.st_mode & S_IFMT) != wanted_type)
        return fail_errno("open " + printable(path), wanted_type == S_IFDIR ? ENOTDIR : EINVAL,
                          wanted_type == S_IFDIR ? "" : "it is no regular file: remove it");
    held.path = fmt::format("/proc/self/fd/{}", held.parent.get());
    return held;
}

Result<std::string> ConfinedFiles::read(const std::string& path, std::size_t limit) const {
    const auto held = TRY(hold_itself(path, S_IFREG));
    return renamed(LinuxFiles::read(held.path, limit), held.path, held.shown);
}

Result<> ConfinedFiles::write(const std::string& path, std::string_view content) {
    const auto held = TRY(hold_itself(path, S_IFREG));
    return renamed(LinuxFiles::write(held.path, content), held.path, held.shown);
}

Result<> ConfinedFiles::replace(const std::string& path, std::string_view content, std::uint32_t mode) {
    const auto held = TRY(hold(path));
    return renamed(LinuxFiles::replace(held.path, content, mode), parent_path(held.path), parent_path(held.shown));
}

bool ConfinedFiles::writable(const std::string& path) const {
    const auto held = hold_itself(path, 0);
    return held && LinuxFiles::writable(held->path);
}

Result<FileStatus> ConfinedFiles::status(const std::string& path) const {
    if (path == top_) return LinuxFiles::status(path);
    const auto held = TRY(hold(path));
    return renamed(LinuxFiles::status(held.path), held.path, held.shown);
}

Result<std::string> ConfinedFiles::read_link(const std::string& path) const {
    const auto held = TRY(hold(path));
    return renamed(LinuxFiles::read_link(held.path), held.path, held.shown);
}

Result<std::vector<std::string>> ConfinedFiles::list(const std::string& path) const {
    const auto held = TRY(hold_itself(path, S_IFDIR));
    return renamed(LinuxFiles::list(held.path), held.path, held.shown);
}

Result<> ConfinedFiles::make_directories(const std::string& path, std::uint32_t mode) {
    std::string rest;
    if (!relative(path, rest)) return LinuxFiles::make_directories(path, mode);
    std::string walked = top_;
    for (const auto part : split(rest, '/')) {
        if (part.empty() || part == ".") continue;
        walked = join_path(walked, part);
        const auto held = TRY(hold(walked));
        TRY(renamed(LinuxFiles::make_directories(held.path, mode), held.path, held.shown));
    }
    TRY(hold_itself(path, S_IFDIR));  // what was there already may be a symlink
    return {};
}

Result<> ConfinedFiles::make_symlink(const std::string& target, const std::string& path) {
    const auto held = TRY(hold(path));
    return renamed(LinuxFiles::make_symlink(target, held.path), held.path, held.shown);
}

Result<> ConfinedFiles::make_device(const std::string& path, FileKind, unsigned, unsigned, std::uint32_t) {
    return fail("a device is not made in a snapshot: " + printable(path), {}, EPERM);
}

Result<> ConfinedFiles::make_file(const std::string& path, std::uint32_t mode) {
    const auto held = TRY(hold(path));
    return renamed(LinuxFiles::make_file(held.path, mode), held.path, held.shown);
}

Result<> ConfinedFiles::link(const std::string& existing, const std::string& path) {
    const auto from = TRY(hold(existing));
    const auto to = TRY(hold(path));
    return renamed(LinuxFiles::link(from.path, to.path), to.path, to.shown);
}

Result<> ConfinedFiles::rename(const std::string& from, const std::string& to) {
    const auto old_name = TRY(hold(from));
    const auto new_name = TRY(hold(to));
    return renamed(renamed(LinuxFiles::rename(old_name.path, new_name.path), old_name.path, old_name.shown),
                   new_name.path, new_name.shown);
}

Result<> ConfinedFiles::set_mode(const std::string& path, std::uint32_t mode) {
    const auto held = TRY(hold_itself(path, 0));
    return renamed(LinuxFiles::set_mode(held.path, mode), held.path, held.shown);
}

Result<> ConfinedFiles::remove(const std::string& path) {
    const auto held = hold(path);
    if (!held) return held.error().code == ENOENT ? Result<>{} : Failure(held.error());
    return renamed(LinuxFiles::remove(held->path), held->path, held->shown);
}

Result<> ConfinedFiles::remove_tree(const std::string& path) {
    const auto held = hold(path);
    if (!held) return held.error().code == ENOENT ? Result<>{} : Failure(held.error());
    return renamed(LinuxFiles::remove_tree(held->path), held->path, held->shown);
}

Result<CopyResult> ConfinedFiles::copy(const std::string& from, const std::string& to, CopyWhat what,
                                       bool cross_mounts) {
    const auto source = TRY(hold(from));
    const auto target = TRY(hold(to));
    return renamed(renamed(LinuxFiles::copy(source.path, target.path, what, cross_mounts), source.path, source.shown),
                   target.path, target.shown);
}

}  // namespace diskless
