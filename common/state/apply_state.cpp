#include "common/state/apply_state.hpp"

#include <fmt/core.h>

#include <map>
#include <optional>
#include <set>

#include "common/base/text.hpp"
#include "common/state/path_order.hpp"
#include "common/state/seeder.hpp"
#include "common/state/tree_view.hpp"

namespace diskless {

namespace {

constexpr const char* kRecord = "mounted";              // in scratch: what undo_state has to take away
constexpr int kMostLayers = 16;                         // of mounts on one name
constexpr std::size_t kLargestPart = 16 * 1024 * 1024;  // of a concatenated file, bytes

class Application {
  public:
    Application(const StatePlan& plan, const StateTarget& target, Files& files, Mounts& mounts)
        : plan_(plan),
          target_(target),
          files_(files),
          mounts_(mounts),
          seeder_(plan, target.snapshot, target.root, files) {}

    Result<std::vector<StateFacts>> run();

  private:
    /// One entry on its way: content first, for all entries; then mounts. A mounted parent hides what its children are
    /// copied from, so nothing is mounted before everything is copied.
    struct Work {
        const StateEntry* entry;
        StateFacts facts;
        std::string content;     // what is mounted; empty: nothing is
        bool read_only = false;  // the mount
        bool in_ram = false;     // a change to it is lost, so that names beneath may be made and replaced
        bool mounted = false;
    };

    void prepare(Work& work, std::size_t number);
    Result<> make_content(Work& work, const std::string& scratch);
    Result<> seed(Work& work, const std::string& scratch);
    Result<> attach(Work& work);
    Result<> make_mount_point(const Work& work);
    const Work* parent_of(const Work& work) const;
    std::string outside(const std::string& path) const { return join_path(target_.root, path); }

    const StatePlan& plan_;
    const StateTarget& target_;
    Files& files_;
    Mounts& mounts_;
    Seeder seeder_;
    std::vector<Work> works_;
    std::map<std::string, std::size_t> by_path_;
};

std::string words_of(const Error& error) {
    return error.remedy.empty() ? error.cause : error.cause + "; " + error.remedy;
}

Result<> Application::make_content(Work& work, const std::string& scratch) {
    const auto& entry = *work.entry;
    work.content = scratch;
    work.in_ram = true;
    if (entry.kind == StateKind::concatenated) {
        std::string whole;
        for (const auto& part : entry.parts) whole += TRY(files_.read(part, kLargestPart));
        TRY(files_.replace(scratch, whole, 0644));
        work.facts.bytes = whole.size();
    } else if (entry.content) {
        TRY(files_.replace(scratch, *entry.content, entry.mode));
        work.facts.bytes = entry.content->size();
    } else if (entry.source.empty()) {
        TRY(entry.directory ? files_.make_directories(scratch) : files_.make_file(scratch));
    } else {
        const auto copied = files_.copy(entry.source, scratch, entry.copy);
        // RAM that is full of half a copy is none for the entries after it
        if (!copied) (void)files_.remove_tree(scratch);
        work.facts.bytes = TRY(copied).bytes;
    }
    return {};
}

/// Into the snapshot; when that cannot be written, into RAM, so that the system still finds the path writable.
Result<> Application::seed(Work& work, const std::string& scratch) {
    const auto& entry = *work.entry;
    TRY(seeder_.check(entry));
    if (entry.seeded) {
        if (!entry.covered) work.content = entry.source;
        return {};
    }
    const auto seeded = seeder_.seed(entry);
    if (seeded) {
        work.facts.bytes = *seeded;
        if (!entry.covered) work.content = entry.source;
        return {};
    }
    work.facts.problem = words_of(seeded.error());
    if (entry.covered) return {};  // what its parent shows there must do
    StateEntry in_ram = entry;
    in_ram.source = entry.seed;
    Work instead{&in_ram, {}, {}, false, true, false};
    if (entry.content || !entry.seed.empty() || entry.directory) {
        TRY_TO("keep it in RAM instead", make_content(instead, scratch));
        work.content = instead.content;
        work.in_ram = true;
        work.facts.bytes = instead.facts.bytes;
        work.facts.kind = text(entry.content ? StateKind::generated : StateKind::volatile_copy);
        work.facts.problem += "; kept in RAM, lost at the next boot";
    }
    return {};
}

void Application::prepare(Work& work, std::size_t number) {
    const auto& entry = *work.entry;
    work.facts.path = entry.path;
    work.facts.source = entry.source;
    work.facts.kind = text(entry.kind);
    if (entry.degraded) work.facts.problem = "no snapshot: lost at the next boot";
    if (entry.skipped) {
        work.facts.kind = "skipped";
        work.facts.source = entry.notes.empty() ? "" : entry.notes.back();
        work.facts.problem = entry.problem;
        return;
    }
    std::string name = entry.path.substr(1, 100);
    for (char& c : name)
        if (c == '/') c = '-';
    const auto scratch = join_path(target_.scratch, fmt::format("{:03}-{}", number, name));
    Result<> done;
    if (entry.kind == StateKind::persistent) {
        done = seed(work, scratch);
    } else if (entry.kind == StateKind::read_only) {
        work.content = entry.source;
        work.read_only = true;
    } else if (entry.symlink.empty()) {
        done = make_content(work, scratch);
    }
    if (!done) {
        work.content.clear();
        if (!work.facts.problem.empty()) work.facts.problem += "; ";
        work.facts.problem += words_of(done.error());
    }
}

const Application::Work* Application::parent_of(const Work& work) const {
    if (work.entry->parent.empty()) return nullptr;
    const auto found = by_path_.find(work.entry->parent);
    return found != by_path_.end() && works_[found->second].mounted ? &works_[found->second] : nullptr;
}

/// The name to mount on, made in the parent's content, or in a root that may be written, when it is missing. A
/// snapshot's names are not trusted: one that is a symlink would lead the mount elsewhere.
Result<> Application::make_mount_point(const Work& work) {
    const auto* parent = parent_of(work);
    const auto& entry = *work.entry;
    const auto name = outside(entry.path);
    if (parent == nullptr) {  // planned by the names of the root
        if (plan_.root_names == RootNames::fixed || files_.exists(name)) return {};
    } else {
        TreeView walked(files_, outside(parent->entry->path));
        const auto beneath = entry.path.substr(parent->entry->path.size());
        if (const auto link = walked.symlink_in(beneath); !link.empty())
            return fail(fmt::format("{} is a symlink", printable(walked.outside(link))),
                        fmt::format("remove {} on the server", printable(join_path(parent->content, link))));
        if (walked.status(beneath) != nullptr) return {};
    }
    const bool directory = entry.kind == StateKind::link ? false : entry.directory;
    TRY_TO("make the mount point", files_.make_directories(directory ? name : parent_path(name)));
    if (!directory) TRY_TO("make the mount point", files_.make_file(name));
    return {};
}

Result<> Application::attach(Work& work) {
    const auto& entry = *work.entry;
    const auto name = outside(entry.path);
    const auto* parent = parent_of(work);
    const bool replaceable = parent == nullptr ? plan_.root_names == RootNames::in_memory && entry.parent.empty()
                                               : parent->in_ram && !parent->read_only;
    if (replaceable && (entry.kind == StateKind::link || !entry.symlink.empty())) {
        TRY(make_mount_point(work));
        TRY(files_.remove_tree(name));
        return files_.make_symlink(entry.symlink.empty() ? work.content : entry.symlink, name);
    }
    if (work.content.empty()) return {};
    TRY(make_mount_point(work));
    if (replaceable && entry.kind == StateKind::generated && entry.content)
        return files_.replace(name, *entry.content, entry.mode);  // a mount less, and programs may rename over it
    TRY(mounts_.bind(work.content, name, work.read_only));
    work.mounted = true;
    return {};
}

Result<std::vector<StateFacts>> Application::run() {
    TRY_TO("keep state in RAM", files_.make_directories(target_.scratch));
    if (files_.exists(join_path(target_.scratch, kRecord)))
        return fail(target_.scratch + " holds the mounts of an earlier attempt", "undo that first", EEXIST);
    std::string record;
    for (const auto& entry : plan_.entries)
        if (!entry.skipped && !entry.covered) record += outside(entry.path) + '\0';
    TRY_TO("keep state in RAM", files_.replace(join_path(target_.scratch, kRecord), record, 0600));

    for (const auto& entry : plan_.entries) {
        by_path_[entry.path] = works_.size();
        works_.push_back({&entry, {}, {}, false, false, false});
    }
    for (std::size_t i = 0; i < works_.size(); ++i) prepare(works_[i], i);
    seeder_.finish();
    for (auto& work : works_) {
        if (work.entry->skipped) continue;
        if (const auto done = attach(work); !done) {
            if (!work.facts.problem.empty()) work.facts.problem += "; ";
            work.facts.problem += words_of(done.error());
        }
    }
    std::vector<StateFacts> facts;
    for (auto& work : works_) facts.push_back(std::move(work.facts));
    return facts;
}

}  // namespace

Result<std::vector<StateFacts>> apply_state(const StatePlan& plan, const StateTarget& target, Files& files,
                                            Mounts& mounts) {
    return Application(plan, target, files, mounts).run();
}

Result<> undo_state(const StateTarget& target, Files& files, Mounts& mounts) {
    const auto record = join_path(target.scratch, kRecord);
    const auto text = files.read(record);
    if (!text) return text.error().code == ENOENT ? Result<>{} : Failure(text.error());
    const auto targets = split(*text, '\0');
    for (auto mounted = targets.rbegin(); mounted != targets.rend(); ++mounted) {
        if (mounted->empty()) continue;
        const std::string path(*mounted);
        for (int layer = 0; layer < kMostLayers; ++layer) {
            const auto done = mounts.unmount(path);
            if (done) continue;
            // not mounted, or gone with its parent: what is wanted
            if (done.error().code == EINVAL || done.error().code == ENOENT || done.error().code == ENOTDIR) break;
            TRY_TO("undo an earlier attempt", mounts.unmount(path, Unmount::lazy));
        }
    }
    for (const auto& name : TRY(files.list(target.scratch)))
        if (name != kRecord) TRY(files.remove_tree(join_path(target.scratch, name)));
    return files.remove(record);
}

}  // namespace diskless
