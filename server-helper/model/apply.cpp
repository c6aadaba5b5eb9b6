#include "server-helper/model/apply.hpp"

#include <fmt/core.h>

#include <cerrno>

namespace diskless::server {

namespace {
constexpr std::size_t kMaxFile = 256u << 20;  // bytes; rendered files of 10,000 nodes have a few million

bool is_secret(std::uint32_t mode) { return (mode & 0077) == 0; }

/// How the file differs from what is wanted; nothing when it does not.
Result<std::vector<FileChange>> compare(Files& files, const std::string& path, const WantedFile& wanted) {
    const auto status = files.status(path);
    if (!status && status.error().code != ENOENT && status.error().code != ENOTDIR)
        return within("look at " + path, status.error());
    if (status && status->kind == FileKind::directory)
        return fail(path + " is a directory and should be a file", "move it away");
    FileChange change{path, status ? ChangeKind::changed : ChangeKind::created, {}};
    std::string before;
    if (status && status->kind == FileKind::regular) {
        before = TRY_TO("compare " + path, files.read(path, kMaxFile));
        if (before == wanted.content && status->mode == wanted.mode) return std::vector<FileChange>{};
    }
    if (is_secret(wanted.mode) || (status && is_secret(status->mode)))
        change.diff = fmt::format("--- {0}\n+++ {0}\n(secret: not shown)\n", path);
    else if (before != wanted.content || !status)
        change.diff = unified_diff(path, before, wanted.content);
    if (status && status->mode != wanted.mode)
        change.diff += fmt::format("mode of {}: {:04o} becomes {:04o}\n", path, status->mode, wanted.mode);
    return std::vector{change};
}
}  // namespace

Result<std::vector<FileChange>> apply_files(Files& files, const WantedFiles& wanted,
                                            const std::vector<std::string>& unwanted, bool dry_run) {
    std::vector<FileChange> changes;
    for (const auto& [path, file] : wanted)
        for (auto& change : TRY(compare(files, path, file))) changes.push_back(std::move(change));
    const auto written = changes.size();
    for (const auto& path : unwanted)
        if (!wanted.contains(path) && files.exists(path))
            changes.push_back({path, ChangeKind::removed, fmt::format("--- {}\n+++ /dev/null\n", path)});
    if (dry_run) return changes;

    for (std::size_t at = 0; at < written; ++at) {
        const auto& path = changes[at].path;
        const auto& file = wanted.at(path);
        TRY_TO("write " + path, files.make_directories(parent_path(path)));
        TRY_TO("write " + path, files.replace(path, file.content, file.mode));
    }
    for (std::size_t at = written; at < changes.size(); ++at) TRY(files.remove(changes[at].path));
    return changes;
}

std::string diff_text(const std::vector<FileChange>& changes) {
    std::string text;
    for (const auto& change : changes) text += change.diff;
    return text;
}

Result<> switch_link(Files& files, const std::string& path, const std::string& target) {
    if (const auto now = files.read_link(path); now && *now == target) return {};
    const auto temporary = path + ".new";
    TRY(files.remove(temporary));  // of a run that was killed
    TRY(files.make_symlink(target, temporary));
    if (auto renamed = files.rename(temporary, path); !renamed) {
        (void)files.remove(temporary);
        return within(fmt::format("point {} at {}", path, target), renamed.error());
    }
    return {};
}

}  // namespace diskless::server
