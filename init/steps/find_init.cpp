#include "init/steps/find_init.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "common/base/pack.hpp"
#include "common/base/text.hpp"
#include "common/state/tree_view.hpp"

namespace diskless::steps {

namespace {

/// What the kernel itself would try (init/main.c), without /bin/sh: a shell is no working node.
constexpr std::array kInits{"/sbin/init", "/etc/init", "/bin/init", "/lib/systemd/systemd", "/usr/lib/systemd/systemd"};

constexpr std::uint32_t kNobody = 65534, kNoUser = 0xFFFFFFFE;  // what NFSv4 shows for owners it cannot map

/// Installed in the image as its init.
constexpr std::string_view kOurName = "diskless-init";

constexpr std::string_view kGenerationFile = ".diskless-generation";

/// What the root has at its top. NFS tells with one listing about each name that any step asks for there.
class Top {
  public:
    Top(const Files& files, const std::string& root) : names_(files.list(root)) {}
    /// May the path exist? Everything may when there is no listing.
    bool may_have(std::string_view path) const {
        if (path.starts_with('/')) path.remove_prefix(1);
        const auto first = path.substr(0, path.find('/'));
        return !names_ || std::ranges::find(*names_, first) != names_->end();
    }

  private:
    Result<std::vector<std::string>> names_;
};

/// "20261121-002550" of the file that `diskless-server image` leaves in each generation; empty in other roots.
std::string generation_of(const Files& files, const std::string& root) {
    constexpr std::string_view kKey = "GENERATION=";
    const auto text = files.read(join_path(root, kGenerationFile), 4096);
    if (!text) return {};
    for (const auto line : lines(*text))
        if (line.starts_with(kKey)) return printable(line.substr(kKey.size()));
    return {};
}

Failure cannot_look(std::string_view path, const Error& error) {
    if (error.code != EACCES && error.code != EPERM) return Failure(error);
    return fail(fmt::format("the root does not let this node look at {}: {}", path, error.cause),
                "export it with no_root_squash, or chmod 755 the root's directories on the server", error.code);
}

/// Why the kernel would not run what a path leads to; empty when it would. No lookup that it does not make at exec.
std::string why_not_run(const TreeView::Resolved& found) {
    constexpr std::uint32_t kAnyExecute = 0111;
    if (found.loop) return "is a loop of symlinks";
    if (found.elsewhere) return fmt::format("leads to {}, which is no part of the root", printable(found.path));
    if (found.status == nullptr) return fmt::format("leads to {}, which is not there", printable(found.path));
    if (found.status->kind != FileKind::regular) return "is no program";
    return (found.status->mode & kAnyExecute) == 0 ? "cannot be executed by anybody" : "";
}

}  // namespace

Result<std::string> find_init(const Os& os, const std::string& root, const std::string& wanted) {
    const Top top(os.files, root);
    TreeView tree(os.files, root);
    std::optional<Error> unusable;
    const auto answer = [&](const std::string& path, const std::string& target, const FileStatus& status) {
        const bool nobody = status.uid == kNobody || status.uid == kNoUser;
        return pack({path, target, nobody ? "nobody" : "",
                     top.may_have(kGenerationFile) ? generation_of(os.files, root) : std::string()});
    };
    std::vector<std::string> candidates(kInits.begin(), kInits.end());
    if (!wanted.empty()) candidates = {wanted};
    for (const auto& path : candidates) {
        if (path == kStay) break;
        if (!top.may_have(path)) continue;
        const auto above = tree.resolve(parent_path(path));
        const auto* itself = above.elsewhere ? nullptr : tree.status(join_path(above.path, base_name(path)));
        const auto found = itself == nullptr ? TreeView::Resolved{} : tree.resolve(path);
        if (found.status == nullptr && !tree.errors().empty()) return cannot_look(path, tree.errors().front());
        if (itself == nullptr) continue;
        if (base_name(found.path) == kOurName) return answer(kProgram, found.path, *itself);
        const auto reason = why_not_run(found);
        if (reason.empty()) return answer(path, found.path, *itself);
        if (!unusable)
            unusable = Error{fmt::format("{} of the root {}", path, reason),
                             "mend it in the image, or name another one by init=", ENOENT};
    }
    if (unusable) return Failure(*unusable);
    const auto inittab = os.files.status(join_path(root, "etc/inittab"));
    if (!inittab && inittab.error().code != ENOENT && inittab.error().code != ENOTDIR)
        return cannot_look("/etc/inittab", inittab.error());
    if (wanted == kStay || (wanted.empty() && inittab))
        return answer(kProgram, kProgram, inittab ? *inittab : TRY(os.files.status(root)));
    return fail(fmt::format("the root has no {}", wanted.empty() ? "init" : wanted),
                wanted.empty() ? "install an init system into the image (systemd-sysv, sysvinit-core, busybox), or an "
                                 "/etc/inittab for this program to go by"
                               : "correct init= on the command line",
                ENOENT);
}

void take_init(Boot& boot, const std::vector<std::string>& found) {
    boot.init = found.at(0);
    boot.init_is_systemd = found.at(1).find("systemd") != std::string::npos;
    boot.root.generation = found.at(3);
}

}  // namespace diskless::steps
