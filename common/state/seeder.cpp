#include "common/state/seeder.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/snapshot_files.hpp"
#include "common/base/text.hpp"
#include "common/state/tree_view.hpp"

namespace diskless {

Seeder::Seeder(const StatePlan& plan, std::string snapshot, std::string root, Files& files)
    : plan_(plan), snapshot_(std::move(snapshot)), root_(std::move(root)), files_(files) {}

Result<bool> Seeder::has(const std::string& path) const {
    const auto found = files_.status(outside(path));
    if (found) return true;
    if (found.error().code == ENOENT) return false;
    return Failure(found.error());
}

/// Every component is asked once; one that is absent ends the walk.
Result<> Seeder::no_symlink(const std::string& path) {
    std::string walked;
    for (const auto part : split(path, '/')) {
        if (part.empty()) continue;
        walked += '/';
        walked += part;
        if (plain_.contains(walked)) continue;
        const auto found = files_.status(outside(walked));
        if (!found && found.error().code == ENOENT) return {};
        if (!found) return Failure(found.error());
        if (found->kind == FileKind::symlink)
            return fail(fmt::format("{} is a symlink in the snapshot", printable(walked)),
                        fmt::format("remove {} on the server", printable(outside(walked))));
        if (walked != path && found->kind != FileKind::directory)
            return fail(fmt::format("{} is no directory in the snapshot", printable(walked)),
                        fmt::format("remove {} on the server", printable(outside(walked))), ENOTDIR);
        plain_.insert(walked);
    }
    return {};
}

Result<> Seeder::check(const StateEntry& entry) {
    TRY(no_symlink(entry.path));
    if (!entry.seeded) return {};
    const auto found = TRY(files_.status(entry.source));
    if ((found.kind == FileKind::directory) != entry.directory)
        return fail(fmt::format("{} is not what it was when the state was planned", printable(entry.source)));
    return {};
}

/// Once, and only when something is to be seeded: our directory, without what a killed attempt has left.
Result<> Seeder::prepare() {
    if (prepared_) return *prepared_;
    const auto work = [&]() -> Result<> {
        TRY(no_symlink(snapshot_files::kSeed));
        TRY(no_symlink(snapshot_files::kScaffold));
        TRY(files_.remove_tree(outside(snapshot_files::kSeed)));
        TRY(files_.make_directories(outside(snapshot_files::kDirectory), 0755));
        TRY(files_.make_directories(outside(snapshot_files::kSeed), 0700));
        const auto text = files_.read(outside(snapshot_files::kScaffold));
        if (!text) return text.error().code == ENOENT ? Result<>{} : Failure(text.error());
        for (const auto path : split(*text, '\0'))
            if (!path.empty()) scaffold_.emplace(path);
        return {};
    };
    prepared_ = work();
    return *prepared_;
}

Result<> Seeder::write_scaffold() {
    std::string text;
    for (const auto& path : scaffold_) text += path + '\0';
    return files_.replace(outside(snapshot_files::kScaffold), text, 0644);
}

/// Directories above the path that the snapshot lacks, each with owner and mode of the root's.
Result<> Seeder::make_parents(const std::string& path) {
    std::vector<std::string> missing;
    for (auto above = parent_path(path); above != "/"; above = parent_path(above)) {
        if (plain_.contains(above) || TRY(has(above))) break;
        missing.push_back(above);
    }
    if (missing.empty()) return {};
    for (const auto& each : missing) scaffold_.insert(each);
    TRY(write_scaffold());  // before they are made: one that is there and not in the list would pass for a copy
    for (auto each = missing.rbegin(); each != missing.rend(); ++each) {
        const auto like = files_.status(join_path(root_, *each));
        const bool usual = like && like->kind == FileKind::directory;
        TRY(place(*each, usual ? join_path(root_, *each) : "", CopyWhat::node, nullptr));
    }
    return {};
}

/// One whole copy, or a new directory or file, renamed into place. `from` empty: `entry` says what is made.
Result<std::uint64_t> Seeder::place(const std::string& path, const std::string& from, CopyWhat what,
                                    const StateEntry* entry) {
    const auto growing = outside(fmt::format("{}/{}", snapshot_files::kSeed, next_++));
    auto placed = grow(path, from, what, entry, growing);
    // what is half there would take the space of those that come after it
    if (!placed) (void)files_.remove_tree(growing);
    return placed;
}

Result<std::uint64_t> Seeder::grow(const std::string& path, const std::string& from, CopyWhat what,
                                   const StateEntry* entry, const std::string& growing) {
    std::uint64_t bytes = 0;
    if (entry != nullptr && entry->content) {
        TRY(files_.replace(growing, *entry->content, entry->mode));
        bytes = entry->content->size();
    } else if (!from.empty()) {
        bytes = TRY(files_.copy(from, growing, what)).bytes;
        // what this boot makes (host keys) takes the place of what all nodes would share, before anybody can see it
        if (what != CopyWhat::node)
            for (const auto& inner : plan_.entries)
                if (inner.content && inner.kind == StateKind::persistent && !inner.skipped && inner.path != path &&
                    is_beneath(inner.path, path)) {
                    const auto name = growing + inner.path.substr(path.size());
                    if (files_.is_directory(parent_path(name))) TRY(files_.replace(name, *inner.content, inner.mode));
                }
    } else if (entry == nullptr || entry->directory) {
        TRY(files_.make_directories(growing));
    } else {
        TRY(files_.make_file(growing));
    }
    if (TRY(has(path))) return bytes;  // somebody else was faster: theirs stays, ours goes with finish()
    TRY(files_.rename(growing, outside(path)));
    return bytes;
}

Result<std::uint64_t> Seeder::fill(const std::string& path, const std::string& from, CopyWhat what) {
    std::uint64_t bytes = 0;
    for (const auto& name : TRY(files_.list(from))) {
        const auto child = join_path(path, name), source = join_path(from, name);
        const auto own = [&](const StateEntry& entry) {
            return entry.path == child && entry.content && entry.kind == StateKind::persistent;
        };
        if (std::any_of(plan_.entries.begin(), plan_.entries.end(), own)) continue;  // made at its own turn
        if (!TRY(has(child))) {
            const auto kind = TRY(files_.status(source)).kind;
            if (what == CopyWhat::directories && kind != FileKind::directory) continue;
            bytes += TRY(place(child, source, what, nullptr));
        } else if (scaffold_.contains(child) && files_.is_directory(source)) {
            TRY(no_symlink(child));
            bytes += TRY(fill(child, source, what));
        }
    }
    scaffold_.erase(path);
    return bytes;
}

Result<std::uint64_t> Seeder::seed(const StateEntry& entry) {
    TRY_TO(fmt::format("keep {} in the snapshot", printable(entry.path)), prepare());
    const auto work = [&]() -> Result<std::uint64_t> {
        if (TRY(has(entry.path))) {
            if (!scaffold_.contains(entry.path) || entry.seed.empty()) return std::uint64_t{0};
            const auto bytes = TRY(fill(entry.path, entry.seed, entry.copy));
            TRY(write_scaffold());
            return bytes;
        }
        // left by an attempt that was killed before it made them; a whole copy is no scaffold
        if (std::erase_if(scaffold_, [&](const auto& path) { return is_beneath(path, entry.path); }) > 0)
            TRY(write_scaffold());
        TRY(make_parents(entry.path));
        return place(entry.path, entry.seed, entry.copy, &entry);
    };
    const auto bytes = work();
    if (!bytes) return within(fmt::format("keep {} in the snapshot", printable(entry.path)), bytes.error());
    return bytes;
}

void Seeder::finish() {
    if (prepared_)
        (void)files_.remove_tree(outside(snapshot_files::kSeed));  // what stays is taken away at the next boot
}

}  // namespace diskless
