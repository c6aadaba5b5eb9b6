#include "common/state/state_plan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/base/snapshot_files.hpp"
#include "common/base/text.hpp"
#include "common/state/fstab.hpp"
#include "common/state/list_files.hpp"
#include "common/state/path_order.hpp"
#include "common/state/pattern.hpp"
#include "common/state/tree_view.hpp"

namespace diskless {

namespace {

constexpr std::size_t kMostMatches = 2000;  // of one glob: more is a mistake, and would be so many mounts
// By all globs of a plan: lists are the nodes' to write, and a server plans for all of them.
constexpr std::size_t kMostCompared = 1'000'000;

bool in_ram(StateKind kind) {
    return kind == StateKind::volatile_empty || kind == StateKind::volatile_tree || kind == StateKind::volatile_copy;
}

class Planner {
  public:
    Planner(const StateInput& input, const Files& files)
        : input_(input), files_(files), root_(files, input.root), snapshot_(files, input.snapshot) {}

    StatePlan run();

  private:
    struct Candidate {
        StateEntry entry;
        bool from_litefile = false;
        bool by_default = false;
    };
    using Table = std::map<std::string, Candidate, PathOrder>;

    void open_snapshot();
    void add_list_entry(const RankedEntry& ranked);
    void add_candidate(const ListEntry& wish, const std::string& path, bool from_litefile);
    void expect_names(const std::vector<RankedEntry>& entries);
    void read_fstab();
    void add_default(const DefaultEntry& row);
    void leave_to(const NetworkMount& mount);
    void add_generated(const GeneratedFile& file);
    void add_room_for_generated();

    void settle(Candidate& candidate);
    void settle_persistent(StateEntry& entry, const FileStatus* in_root, bool from_litefile);
    void settle_volatile(StateEntry& entry, const FileStatus* in_root, bool from_litefile);
    void settle_concatenated(StateEntry& entry, const FileStatus* in_root);
    void settle_read_only(StateEntry& entry);
    void settle_generated(StateEntry& entry, const FileStatus* in_root);
    bool can_be_mounted(StateEntry& entry, const FileStatus* in_root);

    const StateEntry* nearest(const std::string& path) const;
    /// Where the root has no such name: is it made on the way?
    bool may_be_made(const std::string& path) const {
        return nearest(path) != nullptr || input_.root_names != RootNames::fixed;
    }
    bool has_entry_at_or_above(const std::string& path) const;
    std::vector<std::pair<std::string, FileStatus>> in_litetree(const std::string& path) const;
    std::string first_content_of(const std::string& path, const FileStatus* in_root, bool from_litefile,
                                 const FileStatus*& status);

    static void skip(StateEntry& entry, std::string note) {
        entry.skipped = true;
        entry.notes.push_back(std::move(note));
    }
    void refuse(StateEntry& entry, std::string problem, std::string remedy) {
        entry.skipped = true;
        entry.problem = problem;
        plan_.problems.push_back({entry.origin, std::move(problem), std::move(remedy)});
    }

    const StateInput& input_;
    const Files& files_;
    TreeView root_, snapshot_;
    bool has_snapshot_ = false;
    std::set<std::string> scaffold_;
    std::vector<std::string> litetree_;
    std::vector<NetworkMount> fstab_;
    Table table_;
    StatePlan plan_;
    std::vector<std::string> above_;  // of the entry being settled: mounted ancestors, outermost first
    FileStatus found_elsewhere_;
};

void Planner::open_snapshot() {
    if (input_.snapshot.empty()) return;
    has_snapshot_ = snapshot_.is_directory("/");
    if (!has_snapshot_) {
        const auto reason =
            snapshot_.errors().empty() ? input_.snapshot + " is no directory" : snapshot_.errors()[0].cause;
        plan_.problems.push_back({{"snapshot"},
                                  "the snapshot cannot be used: " + printable(reason),
                                  "make the node's directory on the server"});
        return;
    }
    snapshot_.names("/");
    const auto* list =
        snapshot_.symlink_in(snapshot_files::kScaffold).empty() ? snapshot_.status(snapshot_files::kScaffold) : nullptr;
    if (list == nullptr || list->kind != FileKind::regular) return;
    if (const auto text = files_.read(snapshot_.outside(snapshot_files::kScaffold)))
        for (const auto path : split(*text, '\0'))
            if (!path.empty()) scaffold_.emplace(path);
}

const StateEntry* Planner::nearest(const std::string& path) const {
    for (auto above = parent_path(path); above != "/" && above != "."; above = parent_path(above)) {
        const auto found = table_.find(above);
        if (found != table_.end() && !found->second.entry.skipped && !found->second.entry.covered)
            return &found->second.entry;
    }
    return nullptr;
}

bool Planner::has_entry_at_or_above(const std::string& path) const {
    return table_.contains(path) || nearest(path) != nullptr;
}

void Planner::add_candidate(const ListEntry& wish, const std::string& path, bool from_litefile) {
    StateEntry entry;
    entry.kind = wish.kind;
    entry.origin = wish.origin;
    entry.directory = wish.directory;

    const auto resolved = root_.resolve(path);
    entry.path = resolved.path;
    if (resolved.path != path) entry.notes.push_back(fmt::format("written as {}", printable(path)));
    if (resolved.loop) {
        refuse(entry, fmt::format("{} is a loop of symlinks", printable(path)), "mend the symlink in the image");
    } else if (resolved.path == "/") {
        entry.path = path;
        refuse(entry, fmt::format("{} is a symlink to the root itself", printable(path)),
               "mend the symlink in the image");
    } else if (resolved.elsewhere) {
        skip(entry, "leads to " + printable(resolved.path) + ", which is no part of the root: left alone");
    }

    const auto [at, is_new] = table_.try_emplace(entry.path, Candidate{entry, from_litefile, false});
    if (is_new) return;
    auto& winner = at->second.entry;
    if (winner.skipped && !entry.skipped) {
        at->second = {entry, from_litefile, false};
    } else {
        winner.notes.push_back(wish.kind == winner.kind
                                   ? fmt::format("duplicate in {}", printable(wish.origin.text()))
                                   : fmt::format("overrides {} ({})", printable(wish.origin.text()), text(wish.kind)));
    }
}

void Planner::add_list_entry(const RankedEntry& ranked) {
    const auto& wish = ranked.entry;
    if (!has_pattern(wish.path)) return add_candidate(wish, wish.path, ranked.from_litefile);
    const auto compared = [this] { return root_.compared() + snapshot_.compared(); };
    if (compared() > kMostCompared) return;  // told already
    std::set<std::string> matches;
    for (auto& path : root_.glob(wish.path, true, kMostMatches + 1)) matches.insert(std::move(path));
    if (wish.kind == StateKind::persistent && has_snapshot_)
        for (auto& path : snapshot_.glob(wish.path, false, kMostMatches + 1)) matches.insert(std::move(path));
    if (compared() > kMostCompared)
        plan_.problems.push_back(
            {wish.origin,
             fmt::format(
                 "{} and the patterns before it were compared with more than {} names: further patterns are left "
                 "out",
                 printable(wish.path), kMostCompared),
             "name directories instead"});
    if (matches.size() > kMostMatches) {
        plan_.problems.push_back({wish.origin,
                                  fmt::format("{} matches more than {} names", printable(wish.path), kMostMatches),
                                  "name the directory instead"});
        return;
    }
    for (const auto& path : matches)
        if (refused_path(path).empty()) add_candidate(wish, path, ranked.from_litefile);
    if (matches.empty()) {
        StateEntry entry;
        entry.path = wish.path;
        entry.kind = wish.kind;
        entry.origin = wish.origin;
        skip(entry, "matches nothing");
        table_.try_emplace(wish.path, Candidate{entry, false, false});
    }
}

/// So that a directory of many names is listed, and not asked for each.
void Planner::expect_names(const std::vector<RankedEntry>& entries) {
    const auto expect = [this](std::string_view path) {
        if (!has_pattern(path)) root_.expect(std::string(path));
    };
    for (const auto& ranked : entries) expect(ranked.entry.path);
    if (input_.defaults)
        for (const auto& row : state_defaults()) expect(row.path);
}

/// As the node will see it: its own, when a list keeps that in the snapshot.
void Planner::read_fstab() {
    const std::string path = "/etc/fstab";
    const bool own = has_snapshot_ && has_entry_at_or_above(path) && snapshot_.symlink_in(path).empty() &&
                     snapshot_.status(path) != nullptr;
    const auto in_root = root_.resolve(path);
    if (!own && (in_root.elsewhere || in_root.status == nullptr)) return;
    const auto text = files_.read(own ? snapshot_.outside(path) : root_.outside(in_root.path));
    if (!text) return;
    for (auto& mount : network_mounts(*text)) {
        const auto target = root_.resolve(mount.target);
        if (target.elsewhere || target.status == nullptr) continue;
        mount.target = target.path;
        fstab_.push_back(std::move(mount));
    }
}

/// A default beneath would be covered when the mount is made, and in its way when that is taken down. One at the same
/// place (/tmp) serves until then where the init mounts over it; for others it would be the mount that fstab means.
void Planner::leave_to(const NetworkMount& mount) {
    StateEntry entry;
    entry.path = mount.target;
    entry.origin = {"/etc/fstab", mount.line};
    entry.directory = true;
    skip(entry, fmt::format("mounted from {}: no built-in default there", printable(mount.source)));
    table_.try_emplace(mount.target, Candidate{std::move(entry), false, true});
}

void Planner::add_default(const DefaultEntry& row) {
    const std::string path(row.path);
    const auto resolved = root_.resolve(path);
    if (resolved.elsewhere || resolved.loop || resolved.status == nullptr) return;
    if (has_entry_at_or_above(resolved.path)) return;
    for (const auto& mount : fstab_)
        if (is_beneath(resolved.path, mount.target) && !(input_.init_mounts_over && resolved.path == mount.target))
            return leave_to(mount);
    // under its own name the list may have it as a skipped wish: what the administrator wrote down stays what counts
    Candidate candidate{{}, false, true};
    candidate.entry.path = resolved.path;
    candidate.entry.kind = row.kind;
    candidate.entry.origin = {"default"};
    candidate.entry.copy = row.seed;
    table_.emplace(resolved.path, std::move(candidate));
}

void Planner::add_generated(const GeneratedFile& file) {
    StateEntry entry;
    entry.kind = StateKind::generated;
    entry.origin = {"generated"};
    entry.content = file.content;
    entry.mode = file.mode;
    entry.symlink = file.symlink;

    const auto written = clean_path(file.path);
    entry.path = written;
    if (const auto reason = refused_path(written); !reason.empty())
        return plan_.problems.push_back(
            {entry.origin, fmt::format("path \"{}\" {}", printable(file.path), reason), {}});
    const auto resolved = root_.resolve(written);
    const auto above = root_.resolve(parent_path(written));
    const auto own_name = join_path(above.path, base_name(written));
    const auto* itself = above.elsewhere ? nullptr : root_.status(own_name);
    const bool is_symlink = itself != nullptr && itself->kind == FileKind::symlink;
    if (!file.symlink.empty()) {
        entry.path = own_name;
        if (is_symlink) skip(entry, "is a symlink already");
    } else if (is_symlink && (resolved.elsewhere || resolved.status == nullptr)) {
        skip(entry, fmt::format("is a symlink to {}: left alone", printable(resolved.path)));
    } else if (resolved.elsewhere) {
        skip(entry, "is no part of the root: left alone");
    } else {
        entry.path = resolved.path;
    }

    if (const auto found = table_.find(entry.path); found != table_.end() && !entry.skipped) {
        auto& listed = found->second.entry;
        if (listed.kind == StateKind::persistent && has_snapshot_ && file.symlink.empty()) {
            listed.content = file.content;
            listed.mode = file.mode;
            listed.skipped = false;
            return;
        }
        if (listed.kind == StateKind::read_only || listed.directory) {
            listed.notes.push_back("hides what the boot has made for it");
            return;
        }
        entry.notes.push_back(fmt::format("overrides {} ({})", printable(listed.origin.text()), text(listed.kind)));
        entry.degraded = listed.kind == StateKind::persistent;
        found->second = {std::move(entry), false, false};
        return;
    }
    if (has_snapshot_ && !entry.skipped && file.symlink.empty()) {
        for (const auto& row : state_defaults()) {
            if (row.when != DefaultEntry::When::if_generated) continue;
            if (!matches_path(row.path, written)) continue;
            entry.kind = row.kind;
            entry.origin = {"default"};
        }
    }
    table_.try_emplace(entry.path, Candidate{entry, false, false});
}

void Planner::add_room_for_generated() {
    std::set<std::string> wanted;
    for (const auto& [path, candidate] : table_) {
        const auto& entry = candidate.entry;
        if (!entry.content || entry.skipped || root_.status(path) != nullptr) continue;
        for (const auto& row : state_defaults())
            if (row.when == DefaultEntry::When::if_unmountable && is_beneath(path, row.path)) wanted.emplace(row.path);
    }
    for (const auto& row : state_defaults())
        if (row.when == DefaultEntry::When::if_unmountable && wanted.contains(std::string(row.path))) add_default(row);
}

std::vector<std::pair<std::string, FileStatus>> Planner::in_litetree(const std::string& path) const {
    std::vector<std::pair<std::string, FileStatus>> hits;
    for (const auto& directory : litetree_)
        if (const auto found = files_.status(join_path(directory, path));
            found && (found->kind == FileKind::regular || found->kind == FileKind::directory))
            hits.emplace_back(join_path(directory, path), *found);
    return hits;
}

/// Litetree directories by priority, then /.default of the image, then the path itself: xCAT's order of search.
std::string Planner::first_content_of(const std::string& path, const FileStatus* in_root, bool from_litefile,
                                      const FileStatus*& status) {
    status = in_root;
    if (from_litefile) {
        if (const auto hits = in_litetree(path); !hits.empty()) {
            found_elsewhere_ = hits.front().second;
            status = &found_elsewhere_;
            return hits.front().first;
        }
        const auto usual = join_path("/.default", path);
        if (const auto* found = root_.status(usual); found != nullptr && found->kind != FileKind::symlink) {
            status = found;
            return root_.outside(usual);
        }
    }
    return in_root != nullptr ? root_.outside(path) : std::string();
}

/// Is there a name to mount on, or may one be made? Says so when not.
bool Planner::can_be_mounted(StateEntry& entry, const FileStatus* in_root) {
    const auto* above = nearest(entry.path);
    if (above == nullptr) {
        if (in_root != nullptr || input_.root_names != RootNames::fixed) return true;
        refuse(entry, fmt::format("{} is not in the root, so there is nothing to mount on", printable(entry.path)),
               fmt::format("create it in the image: {} {}", entry.directory ? "mkdir -p" : "touch",
                           printable(entry.path)));
        return false;
    }
    if (!above->directory) {
        refuse(entry,
               fmt::format("{} is beneath {}, which is no directory", printable(entry.path), printable(above->path)),
               "take one of the two from the lists");
        return false;
    }
    if (above->kind != StateKind::read_only) return true;
    const auto beneath = join_path(above->source, entry.path.substr(above->path.size()));
    if (files_.exists(beneath)) return true;
    refuse(entry, fmt::format("{} is not in {}, which is read-only", printable(entry.path), printable(above->source)),
           fmt::format("create {}", printable(beneath)));
    return false;
}

void Planner::settle_persistent(StateEntry& entry, const FileStatus* in_root, bool from_litefile) {
    const FileStatus* first = nullptr;
    const auto first_content = first_content_of(entry.path, in_root, from_litefile, first);
    if (!has_snapshot_) {
        entry.degraded = true;
        entry.notes.push_back("no snapshot: lost at the next boot");
        entry.kind = entry.content                                            ? StateKind::generated
                     : entry.copy == CopyWhat::directories && entry.directory ? StateKind::volatile_tree
                                                                              : StateKind::volatile_copy;
        if (first == nullptr && !entry.content && !entry.directory) return skip(entry, "not in the root");
        if (entry.content) return settle_generated(entry, in_root);
        return settle_volatile(entry, in_root, from_litefile);
    }
    entry.source = snapshot_.outside(entry.path);
    if (const auto link = snapshot_.symlink_in(entry.path); !link.empty())
        return refuse(entry, fmt::format("{} is a symlink in the snapshot", printable(link)),
                      fmt::format("remove {} on the server: the snapshot is never followed through symlinks",
                                  printable(snapshot_.outside(link))));
    const auto* kept = snapshot_.status(entry.path);
    if (kept != nullptr) {
        entry.seeded = !scaffold_.contains(entry.path);
        entry.directory = kept->kind == FileKind::directory;
        const bool alike = first != nullptr ? (first->kind == FileKind::directory) == entry.directory : true;
        if (!alike ||
            (!entry.directory && kept->kind != FileKind::regular && (first == nullptr || first->kind != kept->kind)))
            return refuse(entry,
                          fmt::format("{} is {} in the snapshot, but not in the root", printable(entry.path),
                                      entry.directory                   ? "a directory"
                                      : kept->kind == FileKind::regular ? "a file"
                                                                        : "a special file"),
                          fmt::format("move {} away: it is made anew at the next boot", printable(entry.source)));
        if (!entry.seeded) entry.seed = first_content;
    } else if (entry.content) {
        entry.directory = false;
    } else if (first != nullptr) {
        if (first->kind == FileKind::socket) return skip(entry, "is a socket: made by its program");
        entry.directory = first->kind == FileKind::directory;
        entry.seed = first_content;
    } else if (!entry.directory || !may_be_made(entry.path)) {
        return skip(entry, "neither in the root nor in the snapshot");
    } else {
        entry.notes.push_back("is in neither root nor snapshot: made empty");
    }
    if (entry.directory) entry.content.reset();
    const auto* above = nearest(entry.path);
    if (above != nullptr && above->kind == StateKind::persistent) {
        entry.covered = true;
        entry.notes.push_back(fmt::format("covered by {}", printable(above->path)));
        return;
    }
    can_be_mounted(entry, in_root);
}

void Planner::settle_volatile(StateEntry& entry, const FileStatus* in_root, bool from_litefile) {
    const FileStatus* first = nullptr;
    entry.source = first_content_of(entry.path, in_root, from_litefile, first);
    if (first != nullptr) {
        if (first->kind == FileKind::socket) return skip(entry, "is a socket: made by its program");
        if (entry.directory && first->kind != FileKind::directory) entry.notes.push_back("is no directory in the root");
        entry.directory = first->kind == FileKind::directory;
    } else if (!entry.directory || !may_be_made(entry.path)) {
        return skip(entry, "not in the root");
    } else {
        entry.notes.push_back("is not in the root: made empty");
    }
    const auto* above = nearest(entry.path);
    if (entry.kind == StateKind::link && (above == nullptr || !in_ram(above->kind))) {
        entry.kind = StateKind::volatile_copy;
        entry.notes.push_back("bound instead of linked: its directory is not in RAM");
    }
    entry.copy = entry.kind == StateKind::volatile_empty  ? CopyWhat::node
                 : entry.kind == StateKind::volatile_tree ? CopyWhat::directories
                                                          : CopyWhat::everything;
    can_be_mounted(entry, in_root);
}

void Planner::settle_concatenated(StateEntry& entry, const FileStatus* in_root) {
    for (auto& [path, status] : in_litetree(entry.path))
        if (status.kind == FileKind::regular) entry.parts.push_back(std::move(path));
    if (in_root != nullptr && in_root->kind == FileKind::regular) entry.parts.push_back(root_.outside(entry.path));
    if (in_root != nullptr && in_root->kind == FileKind::directory)
        return refuse(entry, fmt::format("{} is a directory: only files can be concatenated", printable(entry.path)),
                      "use tmpfs, persistent or ro");
    entry.directory = false;
    if (entry.parts.empty()) return skip(entry, "neither in the root nor in a litetree directory");
    can_be_mounted(entry, in_root);
}

void Planner::settle_read_only(StateEntry& entry) {
    const auto* in_root = root_.status(entry.path);
    const auto hits = in_litetree(entry.path);
    if (hits.empty()) return skip(entry, "in no litetree directory: the image's own stays, read-only");
    entry.source = hits.front().first;
    entry.directory = hits.front().second.kind == FileKind::directory;
    if (in_root != nullptr && (in_root->kind == FileKind::directory) != entry.directory)
        return refuse(entry,
                      fmt::format("{} is a directory in one of {} and the root, but not in both", printable(entry.path),
                                  printable(entry.source)),
                      "make them alike");
    can_be_mounted(entry, in_root);
}

void Planner::settle_generated(StateEntry& entry, const FileStatus* in_root) {
    entry.kind = StateKind::generated;
    entry.directory = false;
    const auto* above = nearest(entry.path);
    const bool may_make = above == nullptr ? input_.root_names != RootNames::fixed
                                           : above->directory && above->kind != StateKind::read_only;
    if (in_root != nullptr && in_root->kind == FileKind::directory)
        return refuse(entry, fmt::format("{} is a directory in the root", printable(entry.path)),
                      "make it a file in the image");
    const bool in_memory = above == nullptr ? input_.root_names == RootNames::in_memory : in_ram(above->kind);
    if (!entry.symlink.empty() && !in_memory)
        return skip(entry, "no symlink can be made here: its directory is not in RAM");
    if (in_root == nullptr && !may_make) {
        skip(entry, fmt::format("not in the root: create it in the image (touch {})", printable(entry.path)));
    }
}

void Planner::settle(Candidate& candidate) {
    auto& entry = candidate.entry;
    if (entry.skipped) return;
    const auto* in_root = root_.status(entry.path);
    if (in_root != nullptr && entry.kind != StateKind::concatenated)
        entry.directory |= in_root->kind == FileKind::directory;
    switch (entry.kind) {
        case StateKind::persistent:
            settle_persistent(entry, in_root, candidate.from_litefile);
            break;
        case StateKind::volatile_empty:
        case StateKind::volatile_tree:
        case StateKind::volatile_copy:
        case StateKind::link:
            settle_volatile(entry, in_root, candidate.from_litefile);
            break;
        case StateKind::read_only:
            settle_read_only(entry);
            break;
        case StateKind::concatenated:
            settle_concatenated(entry, in_root);
            break;
        case StateKind::generated:
            settle_generated(entry, in_root);
            break;
    }
    if (entry.skipped) return;
    if (const auto* above = nearest(entry.path)) entry.parent = above->path;
}

StatePlan Planner::run() {
    plan_.root_names = input_.root_names;
    open_snapshot();
    TreeView location(files_, input_.location);
    const bool has_location = !input_.location.empty() && location.is_directory("/");
    auto lists =
        read_lists(input_, files_, root_, has_snapshot_ ? &snapshot_ : nullptr, has_location ? &location : nullptr);
    plan_.lists = std::move(lists.files);
    for (auto& problem : lists.problems) plan_.problems.push_back(std::move(problem));
    litetree_ = std::move(lists.litetree);
    expect_names(lists.entries);
    for (const auto& ranked : lists.entries) add_list_entry(ranked);
    if (input_.defaults) {
        read_fstab();
        for (const auto& row : state_defaults())
            if (row.when == DefaultEntry::When::always) add_default(row);
    }
    for (const auto& file : input_.generated) add_generated(file);
    if (input_.root_names == RootNames::fixed) add_room_for_generated();

    for (const auto& [path, candidate] : table_)
        if (candidate.entry.kind == StateKind::persistent && !candidate.entry.skipped) snapshot_.expect(path);
    for (auto& [path, candidate] : table_) settle(candidate);  // parents first: children ask what became of them
    for (auto& [path, candidate] : table_) plan_.entries.push_back(std::move(candidate.entry));
    for (const auto* view : {&root_, &snapshot_})
        for (const auto& error : view->errors())
            plan_.problems.push_back({{view == &root_ ? "root" : "snapshot"}, printable(error.cause), error.remedy});
    return std::move(plan_);
}

}  // namespace

void take_root_mode(StateInput& input, std::string_view mode) {
    input.defaults = mode != "rw";
    input.root_names = mode == "rw" ? RootNames::lasting : mode == "overlay" ? RootNames::in_memory : RootNames::fixed;
}

StatePlan plan_state(const StateInput& input, const Files& files) { return Planner(input, files).run(); }

}  // namespace diskless
