#include "server-helper/stage/stage.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "common/base/text.hpp"
#include "common/os/file_batch.hpp"
#include "common/os/files_linux.hpp"
#include "server-helper/render/boot_program.hpp"
#include "server-helper/render/nfs_exports.hpp"
#include "server-helper/stage/loaders.hpp"

namespace diskless::server {

namespace {
constexpr std::size_t kMostBytes = std::size_t{16} << 20;
constexpr std::string_view kRecord = ".staged";
constexpr std::string_view kHead =
    "# What \"diskless-server boot apply\" put below this directory: fingerprint, path.\n";
constexpr std::string_view kUnfinished = "-";  // in place of a fingerprint: to be made anew

using Record = std::map<std::string, std::string>;  // path below boot -> fingerprint

bool stays_below(std::string_view path) {
    return std::ranges::none_of(split(path, '/'),
                                [](auto part) { return part.empty() || part == "." || part == ".."; });
}

Result<Record> read_record(const Files& files, const std::string& boot) {
    const auto path = join_path(boot, kRecord);
    const auto text = files.read(path, kMostBytes);
    if (!text && text.error().code == ENOENT) return Record{};
    if (!text) return within("read what was staged before", text.error());
    Record record;
    for (const auto line : lines(*text)) {
        if (line.empty() || line.front() == '#') continue;
        const auto tab = line.find('\t');
        if (tab == std::string_view::npos || !stays_below(line.substr(tab + 1)))
            return fail(fmt::format("{}: \"{}\" is not \"fingerprint<tab>path\"", path, printable(line)),
                        "remove the line, or the file: boot apply --force then takes over what it finds");
        record.emplace(line.substr(tab + 1), line.substr(0, tab));
    }
    return record;
}

Result<> write_record(Files& files, const std::string& boot, const Record& record) {
    std::string text(kHead);
    for (const auto& [path, fingerprint] : record) text += fingerprint + '\t' + path + '\n';
    return files.replace(join_path(boot, kRecord), text);
}

class Stager {
  public:
    Stager(const std::string& boot, const StageOptions& options, Record record)
        : boot_(boot), options_(options), record_(std::move(record)) {}

    void choose(const StagePlan& plan) {
        for (const auto& file : plan.files) {
            const auto known = record_.find(file.path);
            const bool there = files_.exists(join_path(boot_, file.path));
            const bool ours = known != record_.end();
            // What somebody else has put there is what he wants.
            const bool good = there && (ours ? known->second == file.fingerprint : !options_.force);
            if (good)
                ++result_.unchanged;
            else
                wanted_.push_back(&file);
        }
        for (const auto& lacking : plan.lacking)
            if (!files_.exists(join_path(boot_, lacking.path))) result_.lacking.push_back(lacking);
    }

    Result<Staged> carry_out() {
        for (const auto* file : wanted_) result_.made.push_back(join_path(boot_, file->path));
        if (options_.dry_run || wanted_.empty()) return std::move(result_);
        // The record names what follows before it exists: a process that is killed leaves nothing unknown.
        for (const auto* file : wanted_) record_[file->path] = kUnfinished;
        TRY(write_record(files_, boot_, record_));
        for (const auto* file : wanted_) {
            if (auto done = make(*file); !done) {
                (void)write_record(files_, boot_, record_);  // what came before it is not made again
                return Failure(done.error());
            }
            record_[file->path] = file->fingerprint;
            if (file->make) TRY(write_record(files_, boot_, record_));  // took long: not again when we are killed now
        }
        TRY(write_record(files_, boot_, record_));
        return std::move(result_);
    }

  private:
    Result<> make(const BootFile& file) {
        const auto to = join_path(boot_, file.path);
        TRY(files_.make_directories(parent_path(to)));
        if (!file.make) {
            TRY(place_file(file.source, to, file.may_link));
            return {};
        }
        // Another generation may have the same kernel and modules: one build is enough.
        for (const auto& [path, fingerprint] : record_)
            if (fingerprint == file.fingerprint && path != file.path && place_file({boot_, path}, to, true)) return {};
        if (options_.working && !file.slow.empty()) options_.working(file.slow);
        const auto content = TRY(file.make());
        TRY_TO("stage " + to, files_.replace(to, content));
        return {};
    }

    const std::string& boot_;
    const StageOptions& options_;
    LinuxFiles files_;
    Record record_;
    std::vector<const BootFile*> wanted_;
    Staged result_;
};

/// Does anybody need the file, that was staged once?
class Needs {
  public:
    explicit Needs(const Site& site) : site_(site) {
        for (const auto& node : site.nodes)
            for (const auto& file : {node.kernel, node.initramfs}) named_.insert("tftp/" + file);
        for (const auto& path : loader_paths(site.cluster)) named_.insert(path);
    }

    bool need(const std::string& path) const {
        if (named_.contains(path)) return true;
        const auto parts = split(path, '/');  // tftp/IMAGE/GENERATION/FILE
        const auto* image = parts.size() == 4 ? site_.cluster.find_image(parts[1]) : nullptr;
        return image && std::ranges::find(image->generations, parts[2]) != image->generations.end();
    }

  private:
    const Site& site_;
    std::set<std::string> named_;
};
}  // namespace

std::string file_fingerprint(const FileInRoot& file) {
    const auto status = status_in_root(file);
    return status ? fmt::format("{}:{}", status->size, status->modified) : "absent";
}

Result<Staged> stage_files(const std::string& boot, const StagePlan& plan, const StageOptions& options) {
    LinuxFiles files;
    if (!options.dry_run) TRY(files.make_directories(boot));
    Stager stager(boot, options, TRY(read_record(files, boot)));
    stager.choose(plan);
    return stager.carry_out();
}

Result<std::vector<std::string>> remove_unused_boot_files(const Site& site, bool dry_run) {
    LinuxFiles files;
    const auto boot = boot_path(site.cluster, "");
    auto record = TRY(read_record(files, boot));
    const Needs needs(site);
    std::vector<std::string> removed;
    for (auto at = record.begin(); at != record.end();) {
        if (needs.need(at->first)) {
            ++at;
            continue;
        }
        const auto path = join_path(boot, at->first);
        removed.push_back(path);
        if (!dry_run) {
            TRY(files.remove(FileBatch::staging_path(path)));
            TRY(files.remove(path));
            (void)files.remove(parent_path(path));  // only when nothing is left in it
        }
        at = record.erase(at);
    }
    if (!dry_run && !removed.empty()) TRY(write_record(files, boot, record));
    return removed;
}

}  // namespace diskless::server
