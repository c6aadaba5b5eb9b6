#include "server-helper/snapshot/prepare.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "common/base/snapshot_files.hpp"
#include "common/base/text.hpp"
#include "common/os/confined_files_linux.hpp"
#include "common/os/tree_linux.hpp"
#include "common/state/seeder.hpp"
#include "common/state/tree_view.hpp"
#include "server-helper/model/cluster.hpp"
#include "server-helper/snapshot/image_part.hpp"
#include "server-helper/snapshot/overlay.hpp"
#include "server-helper/snapshot/own_files.hpp"

namespace diskless::server {

namespace {

constexpr std::size_t kBatch = 512;  // snapshots that one flush to the disk covers

class Preparation {
  public:
    Preparation(const std::vector<SnapshotJob>& jobs, const PrepareOptions& options, ConfinedFiles files)
        : jobs_(jobs), options_(options), files_(std::move(files)), results_(jobs.size()) {}

    Result<std::vector<PreparedNode>> run();

  private:
    static std::array<std::string, 3> key_of(const SnapshotJob& job) { return {job.root, job.root_mode, job.location}; }
    const ImagePart& part_of(const SnapshotJob& job) const { return parts_.at(key_of(job)); }
    Result<> read_images();
    Result<> read_overlays();

    void work_on(std::size_t index);
    Result<> grow(const SnapshotJob& job, PreparedNode& result, bool keep_identity);
    Result<> complete(const SnapshotJob& job, PreparedNode& result);
    Result<> put_in_place(const SnapshotJob& job);
    Result<> give_overlay(const SnapshotJob& job, const OwnFiles& overlay, Seeder& seeder, PreparedNode& result);
    Result<OwnFiles> kept_identity(const SnapshotJob& job) const;
    void in_parallel(std::size_t begin, std::size_t end);
    std::string snapshot(const SnapshotJob& job) const { return join_path(options_.snapshots, job.snapshot); }

    const std::vector<SnapshotJob>& jobs_;
    const PrepareOptions& options_;
    ConfinedFiles files_;  // everything below the directory of snapshots
    Descriptor staging_;
    std::vector<PreparedNode> results_;
    std::vector<char> grown_;  // in staging, waits to be put in place; one byte each: threads write them
    std::map<std::array<std::string, 3>, ImagePart> parts_;
    std::map<std::string, Overlay> overlays_;
};

Result<> Preparation::read_images() {
    LinuxFiles files;
    for (const auto& job : jobs_) {
        const auto key = key_of(job);
        if (parts_.contains(key)) continue;
        // "." begins no snapshot's name
        const auto work = join_path(options_.staging, fmt::format(".image-{}", parts_.size()));
        TRY(files.make_directories(work, 0755));
        parts_.emplace(key, TRY(make_image_part(job.root, job.root_mode, job.location, job.node, work,
                                                options_.dry_run ? SeedWhat::nothing : options_.seed, files)));
    }
    return {};
}

Result<> Preparation::read_overlays() {
    LinuxFiles files;
    for (const auto& job : jobs_)
        for (const auto& name : job.overlays) {
            if (overlays_.contains(name)) continue;
            auto read = TRY(read_overlay(join_path(options_.overlays, name), files));
            overlays_.emplace(name, std::move(read.files));
            for (auto& warning : read.warnings) results_.front().warnings.push_back(std::move(warning));
        }
    return {};
}

/// What makes the node the same node after a reset; read from a tree that is not trusted.
Result<OwnFiles> Preparation::kept_identity(const SnapshotJob& job) const {
    OwnFiles kept;
    for (const auto& [path, mode] :
         std::initializer_list<std::pair<const char*, std::uint32_t>>{{"etc/machine-id", 0444},
                                                                      {"etc/ssh/ssh_host_ed25519_key", 0600},
                                                                      {"etc/ssh/ssh_host_ed25519_key.pub", 0644},
                                                                      {"files.custom", 0644}}) {
        auto text = files_.read(join_path(snapshot(job), path), 65536);
        if (text)
            kept[path] = {std::move(*text), mode, 0, 0};
        else if (text.error().code != ENOENT && text.error().code != ENOTDIR)
            return Failure(text.error());
    }
    // a private key without its public one, or the other way round, is of no use
    if (kept.contains("etc/ssh/ssh_host_ed25519_key") != kept.contains("etc/ssh/ssh_host_ed25519_key.pub")) {
        kept.erase("etc/ssh/ssh_host_ed25519_key");
        kept.erase("etc/ssh/ssh_host_ed25519_key.pub");
    }
    return kept;
}

Result<> Preparation::grow(const SnapshotJob& job, PreparedNode& result, bool keep_identity) {
    const auto& part = part_of(job);
    auto own = TRY(make_identity(job, part.has_ssh));
    if (keep_identity)
        for (auto& [path, file] : TRY(kept_identity(job))) own[path] = std::move(file);
    for (const auto& path : part.shared_keys) {
        const auto* shown = shown_by(part.plan, "/" + path);
        if (part.content.has(path) || (shown != nullptr && !part.left.contains(shown->path)))
            own[path] = {{}, 0600, 0, 0};
    }
    const auto overlay = overlay_files(job, overlays_);
    for (const auto& [path, file] : overlay) own[path] = file;
    if (auto list = list_of_overlays(overlay, part, job.root, files_, result.warnings);
        !list.empty() && !own.contains("files"))
        own["files"] = {std::move(list), 0644, 0, 0};

    auto scaffold = part.scaffold;
    for (const auto& [path, file] : own)
        for (auto above = parent_path("/" + path); above != "/"; above = parent_path(above))
            if (!part.content.has(above.substr(1))) scaffold.insert(above);
    std::string text;
    for (const auto& path : scaffold) text += path + '\0';
    if (!text.empty()) own[std::string(snapshot_files::kScaffold).substr(1)] = {std::move(text), 0644, 0, 0};

    const auto bytes = part.content.write_to(staging_.get(), job.snapshot, own);
    if (!bytes) {
        (void)remove_tree_at(staging_.get(), job.snapshot, job.snapshot);  // room for the others
        return within("prepare " + snapshot(job), bytes.error());
    }
    result.bytes = *bytes;
    result.left.assign(part.left.begin(), part.left.end());
    return {};
}

Result<> Preparation::give_overlay(const SnapshotJob& job, const OwnFiles& overlay, Seeder& seeder,
                                   PreparedNode& result) {
    for (const auto& [path, file] : overlay) {
        const auto place = join_path(snapshot(job), path);
        const auto found = files_.status(place);
        if (!found && found.error().code != ENOENT) return Failure(found.error());
        if (!found) {
            result.changes.push_back("/" + path);
            if (options_.dry_run) continue;
            StateEntry entry;
            entry.path = "/" + path;
            entry.content = file.content;
            entry.mode = file.mode;
            result.bytes += TRY(seeder.seed(entry));
        } else if (found->kind != FileKind::regular) {
            return fail(printable(place) + " is no plain file", "remove it");
        } else if (found->size != file.content.size() || found->mode != file.mode ||
                   files_.read(place, file.content.size() + 1).value_or(std::string()) != file.content) {
            result.changes.push_back("/" + path);
            if (!options_.dry_run) TRY(files_.replace(place, file.content, file.mode));
            result.bytes += file.content.size();
        }
    }
    return {};
}

/// What the snapshot lacks, by the node's own rules.
Result<> Preparation::complete(const SnapshotJob& job, PreparedNode& result) {
    auto files = TRY(ConfinedFiles::open(options_.snapshots));
    const auto& part = part_of(job);
    auto identity = TRY(make_identity(job, part.has_ssh));
    StateInput input;
    input.root = job.root;
    take_root_mode(input, job.root_mode);
    input.snapshot = snapshot(job);
    input.location = job.location;
    input.node = job.node;
    for (const auto& [path, file] : identity)
        input.generated.push_back({.path = "/" + path, .content = file.content, .mode = file.mode, .symlink = {}});
    for (const auto& path : part.shared_keys)
        input.generated.push_back({.path = "/" + path, .content = {}, .mode = 0600, .symlink = {}});
    const auto plan = plan_state(input, files);
    const bool clones = options_.seed == SeedWhat::cheap &&
                        can_clone(job.root, options_.dry_run ? options_.snapshots : options_.staging);
    for (const auto& problem : plan.problems)
        result.warnings.push_back(problem.origin.text() + ": " + problem.text + "; " + problem.remedy);

    Seeder seeder(plan, input.snapshot, job.root, files);
    for (const auto& entry : plan.entries) {
        if (entry.kind != StateKind::persistent || entry.skipped || entry.seeded) continue;
        if (!entry.content && !is_seeded_beforehand(entry, options_.seed, clones)) {
            result.left.push_back(entry.path);
            continue;
        }
        TRY(seeder.check(entry));
        result.changes.push_back(entry.path);
        if (!options_.dry_run) result.bytes += TRY(seeder.seed(entry));
    }
    for (const char* path : {"etc/ssh/ssh_host_ed25519_key", "etc/ssh/ssh_host_ed25519_key.pub"})
        if (files.exists(join_path(input.snapshot, path))) identity.erase(path);
    for (const char* path : {"etc/hostname", "etc/machine-id"})
        if (files.exists(join_path(input.snapshot, path))) identity.erase(path);
    TRY(give_overlay(job, identity, seeder, result));
    auto overlay = overlay_files(job, overlays_);
    if (auto list = list_of_overlays(overlay, part, job.root, files_, result.warnings);
        !list.empty() && !overlay.contains("files")) {
        const auto there = files.read(join_path(input.snapshot, "files"), 1 << 20);
        if (there && !there->starts_with(kFilesHeader))
            result.warnings.push_back("its list \"files\" is somebody else's: overlay files may not be shown");
        else
            overlay["files"] = {std::move(list), 0644, 0, 0};
    }
    TRY(give_overlay(job, overlay, seeder, result));
    seeder.finish();
    return {};
}

void Preparation::work_on(std::size_t index) {
    const auto& job = jobs_[index];
    auto& result = results_[index];
    result.node = job.node;
    const auto work = [&]() -> Result<> {
        if (!is_name(job.snapshot))
            return fail(fmt::format("\"{}\" is no name for a snapshot", printable(job.snapshot)));
        const auto found = files_.status(snapshot(job));
        if (!found && found.error().code != ENOENT) return Failure(found.error());
        if (found && found->kind != FileKind::directory)
            return fail(
                printable(snapshot(job)) + (found->kind == FileKind::symlink ? " is a symlink" : " is no directory"),
                job.location.empty() ? "take it away: diskless-server snapshot remove " + job.node : "remove it");
        if (found && !options_.anew) {
            TRY_TO("complete " + snapshot(job), complete(job, result));
            result.outcome = result.changes.empty() ? Prepared::unchanged : Prepared::completed;
            return {};
        }
        result.outcome = Prepared::made;
        if (options_.dry_run) return {};
        TRY(grow(job, result, found && !options_.new_identity));
        grown_[index] = 1;
        return {};
    };
    if (const auto done = work(); !done) result.error = done.error();
}

void Preparation::in_parallel(std::size_t begin, std::size_t end) {
    const auto usual = std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
    const auto count = std::min<std::size_t>(options_.threads == 0 ? usual : options_.threads, end - begin);
    std::atomic<std::size_t> next{begin};
    const auto work = [&] {
        for (auto index = next++; index < end; index = next++) work_on(index);
    };
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < count; ++i) others.emplace_back(work);
    work();
}

Result<> Preparation::put_in_place(const SnapshotJob& job) {
    const auto* name = job.snapshot.c_str();
    if (::renameat2(staging_.get(), name, files_.top(), name, RENAME_NOREPLACE) == 0) return {};
    if (errno == EEXIST && options_.anew) {
        if (::renameat2(staging_.get(), name, files_.top(), name, RENAME_EXCHANGE) != 0)
            return fail_errno("exchange " + snapshot(job));
        return remove_tree_at(staging_.get(), job.snapshot, "the old " + snapshot(job));
    }
    // NFS and some others know no flags; the tree is locked and the name was not there
    if (errno == EINVAL && ::renameat(staging_.get(), name, files_.top(), name) == 0) return {};
    return fail_errno("rename " + join_path(options_.staging, job.snapshot) + " to " + snapshot(job), errno,
                      errno == EXDEV ? "put both on one file system" : "");
}

Result<std::vector<PreparedNode>> Preparation::run() {
    if (jobs_.empty()) return results_;
    grown_.resize(jobs_.size());
    LinuxFiles files;
    TRY_TO("take away what an earlier run has left", files.remove_tree(options_.staging));
    TRY(files.make_directories(options_.staging, 0700));
    staging_ = Descriptor(::open(options_.staging.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!staging_) return fail_errno("open directory " + options_.staging);
    TRY(read_images());
    TRY(read_overlays());

    for (std::size_t begin = 0; begin < jobs_.size(); begin += kBatch) {
        const auto end = std::min(begin + kBatch, jobs_.size());
        in_parallel(begin, end);
        const auto new_ones = std::count(grown_.begin() + static_cast<std::ptrdiff_t>(begin),
                                         grown_.begin() + static_cast<std::ptrdiff_t>(end), 1);
        // content before names: after a power cut a snapshot that is there is whole
        if (new_ones > 0 && ::syncfs(staging_.get()) != 0) return fail_errno("sync " + options_.staging);
        for (auto index = begin; index < end; ++index)
            if (grown_[index])
                if (const auto done = put_in_place(jobs_[index]); !done) results_[index].error = done.error();
        if (new_ones > 0) ::fsync(files_.top());
        if (options_.progress) options_.progress(end, jobs_.size());
    }
    TRY(files.remove_tree(options_.staging));
    return std::move(results_);
}

}  // namespace

std::string_view text(Prepared outcome) {
    switch (outcome) {
        case Prepared::made:
            return "made";
        case Prepared::completed:
            return "completed";
        case Prepared::unchanged:
            break;
    }
    return "unchanged";
}

Result<std::vector<PreparedNode>> prepare_snapshots(const std::vector<SnapshotJob>& jobs,
                                                    const PrepareOptions& options) {
    auto files = TRY(ConfinedFiles::open(options.snapshots));
    return Preparation(jobs, options, std::move(files)).run();
}

}  // namespace diskless::server
