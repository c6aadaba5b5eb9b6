#include "server-helper/render/install.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <unordered_set>

#include "common/base/text.hpp"
#include "common/os/file_batch.hpp"
#include "common/os/files_linux.hpp"

namespace diskless::server {

namespace {
constexpr std::size_t kMostBytes = std::size_t{256} << 20;
constexpr std::string_view kRecord = ".rendered";
constexpr std::string_view kHead = "# What \"diskless-server boot apply\" made below this directory: dialect, path.\n";
constexpr std::string_view kUnfinished = "unfinished\n";

/// The record of what was made here.
struct Record {
    std::map<std::string, std::string> dialect_of;  // by path below boot
    bool unfinished = false;                        // the run that wrote it did not come to its end
};

/// A path of the record must stay below boot, whoever wrote the record.
bool is_below(std::string_view path) {
    const auto parts = split(path, '/');
    return std::none_of(parts.begin(), parts.end(),
                        [](auto part) { return part.empty() || part == "." || part == ".."; });
}

Result<Record> read_record(const Files& files, const std::string& boot) {
    Record record;
    const auto path = join_path(boot, kRecord);
    const auto text = files.read(path, kMostBytes);
    if (!text && text.error().code == ENOENT) return record;
    if (!text) return within("read what boot apply made before", text.error());
    for (const auto line : lines(*text)) {
        if (line.empty() || line.front() == '#') continue;
        if (line == trim(kUnfinished)) {
            record.unfinished = true;
            continue;
        }
        const auto tab = line.find('\t');
        if (tab == std::string_view::npos || !is_below(line.substr(tab + 1)))
            return fail(fmt::format("{}: \"{}\" is not \"dialect<tab>path\"", path, printable(line)),
                        "remove the line, or the file: boot apply --force then takes over what it finds");
        record.dialect_of.emplace(line.substr(tab + 1), line.substr(0, tab));
    }
    return record;
}

Result<> write_record(Files& files, const std::string& boot, const Record& record) {
    std::string text(kHead);
    if (record.unfinished) text += kUnfinished;
    for (const auto& [path, dialect] : record.dialect_of) text += dialect + '\t' + path + '\n';
    return files.replace(join_path(boot, kRecord), text);
}

struct Found {
    bool exists = false, same = false;
    std::string content;
};

/// What is at the place of a wanted file.
Result<Found> look(const Files& files, const std::string& path, const RenderedFile& wanted) {
    const auto status = files.status(path);
    if (!status && (status.error().code == ENOENT || status.error().code == ENOTDIR)) return Found{};
    if (!status) return tl::unexpected(status.error());
    Found found{true, false, {}};
    if (status->kind == FileKind::directory) return fail(path + " is a directory", "move it away");
    if (status->kind == FileKind::symlink) {
        const auto target = TRY(files.read_link(path));
        found.same = target == wanted.link_target;
        found.content = "link to " + target + "\n";
    } else if (status->kind == FileKind::regular) {
        found.content = TRY(files.read(path, kMostBytes));
        found.same = wanted.link_target.empty() && status->mode == 0644 && found.content == wanted.content;
    }
    return found;
}

class Installation {
  public:
    Installation(const std::string& boot, const InstallOptions& options, Record record)
        : boot_(boot), options_(options), record_(std::move(record)) {}

    Result<> plan(const std::vector<RenderedDialect>& rendered) {
        for (const auto& dialect : rendered) {
            in_scope_.insert(dialect.name);
            for (const auto& file : dialect.files) TRY(plan(dialect.name, file));
        }
        for (const auto& [path, dialect] : record_.dialect_of) {
            const bool concerned = options_.everything || in_scope_.contains(dialect);
            if (concerned && !wanted_.contains(path)) gone_.push_back(path);
        }
        for (const auto& path : gone_)
            if (const auto full = join_path(boot_, path); files_.exists(full))
                result_.changes.push_back({full, ChangeKind::removed, "--- " + full + "\n+++ /dev/null\n"});
        return {};
    }

    Result<Installed> carry_out() {
        if (options_.dry_run) return std::move(result_);
        if (record_.unfinished)
            for (const auto& [path, dialect] : record_.dialect_of)
                TRY(files_.remove(FileBatch::staging_path(join_path(boot_, path))));
        if (changed_.empty() && gone_.empty() && !record_.unfinished) return std::move(result_);
        for (const auto& [dialect, file] : changed_) record_.dialect_of[file->path] = dialect;
        record_.unfinished = true;
        TRY(write_record(files_, boot_, record_));
        TRY(write());
        for (const auto& path : gone_) {
            TRY(files_.remove(join_path(boot_, path)));
            record_.dialect_of.erase(path);
        }
        record_.unfinished = false;
        TRY(write_record(files_, boot_, record_));
        return std::move(result_);
    }

  private:
    Result<> plan(const std::string& dialect, const RenderedFile& file) {
        if (!wanted_.insert(file.path).second)
            return fail(fmt::format("two nodes want the file {}", file.path),
                        "give each its own MAC and address; diskless-server check names them");
        if (!file.node.empty() && options_.left.contains(file.node)) return {};
        if (!file.node.empty() && !options_.nodes.empty() && !options_.nodes.contains(file.node)) return {};
        const auto path = join_path(boot_, file.path);
        const auto found = TRY(look(files_, path, file));
        const bool ours = record_.dialect_of.contains(file.path);
        if (found.same && ours) {
            ++result_.unchanged;
            return {};
        }
        if (found.exists && !found.same && !ours && !options_.force)
            return fail(path + " was not made by boot apply", "move it away, or replace it with --force");
        FileChange change{path, found.exists ? ChangeKind::changed : ChangeKind::created, {}};
        if (options_.dry_run) {
            const auto content = file.link_target.empty() ? file.content : "link to " + file.link_target + "\n";
            change.diff = unified_diff(path, found.content, content);
        }
        result_.changes.push_back(std::move(change));
        changed_.emplace_back(dialect, &file);
        return {};
    }

    Result<> write() {
        FileBatch batch;
        std::string made;
        for (const auto& [dialect, file] : changed_) {
            const auto path = join_path(boot_, file->path);
            if (const auto directory = parent_path(path); directory != made) {
                TRY(files_.make_directories(directory));
                made = directory;
            }
            TRY(file->link_target.empty() ? batch.stage(path, file->content, 0644)
                                          : batch.stage_link(path, file->link_target));
        }
        return batch.commit();
    }

    const std::string& boot_;
    const InstallOptions& options_;
    LinuxFiles files_;
    Record record_;
    std::set<std::string> in_scope_;
    std::unordered_set<std::string> wanted_;                            // paths below boot
    std::vector<std::pair<std::string, const RenderedFile*>> changed_;  // dialect, file
    std::vector<std::string> gone_;
    Installed result_;
};
}  // namespace

Result<Installed> install_rendered(const std::string& boot, const std::vector<RenderedDialect>& rendered,
                                   const InstallOptions& options) {
    LinuxFiles files;
    if (!options.dry_run) TRY(files.make_directories(boot));
    Installation installation(boot, options, TRY(read_record(files, boot)));
    TRY(installation.plan(rendered));
    return installation.carry_out();
}

}  // namespace diskless::server
