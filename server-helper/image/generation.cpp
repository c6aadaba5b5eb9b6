#include "server-helper/image/generation.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "common/base/text.hpp"
#include "common/os/tree_share_linux.hpp"
#include "server-helper/image/run_program.hpp"
#include "server-helper/model/apply.hpp"

namespace diskless::server {

namespace {
constexpr std::string_view kStaging = ".staging-";
constexpr std::string_view kUnpacked = ".unpacked";
constexpr std::string_view kDiscarded = ".removing-";

std::string time_name(std::int64_t now) {
    std::tm utc{};
    const auto seconds = static_cast<std::time_t>(now);
    ::gmtime_r(&seconds, &utc);
    return fmt::format("{:04}{:02}{:02}-{:02}{:02}{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                       utc.tm_min, utc.tm_sec);
}

/// Later than every generation that is there, even when the clock was set back.
std::string next_name(const Files& files, const std::string& directory, const std::string& last, std::int64_t now) {
    auto name = time_name(now);
    if (!last.empty() && name <= last) name = last + "a";
    while (files.exists(join_path(directory, name))) name += "a";
    return name;
}

/// Named by the boot: after a crash it is not known which content has reached the disk.
std::string staging_name(const Files& files) {
    const auto id = files.read("/proc/sys/kernel/random/boot_id");
    return std::string(kStaging) + std::string(id ? trim(*id) : "unknown");
}

Result<> clean(Files& files, const std::string& directory, const std::string& staging) {
    for (const auto& name : TRY(files.list(directory)))
        if ((name.starts_with(kStaging) && name != staging) || name.starts_with(kDiscarded) || name == kUnpacked)
            TRY(files.remove_tree(join_path(directory, name)));
    return {};
}

/// A source above the tree (--root /) is taken without the tree; one within it that would hold its own copy is refused.
Result<> exclude_base(const std::string& source, const std::string& base, const std::string& staging,
                      std::vector<std::string>& excluded) {
    const auto above = source == "/" ? source : source + "/";
    if (base.starts_with(above))
        excluded.push_back(base.substr(above.size()));
    else if (staging.starts_with(above))
        return fail(fmt::format("the source {} holds the image itself", source), "take another directory");
    return {};
}

Result<> share(const SyncRequest& request, const std::string& source, const std::string& previous,
               const std::string& staging, bool fetched) {
    ShareRequest share;
    share.from = source;
    share.to = staging;
    share.previous = previous;
    share.compare_content = fetched || request.compare_content;
    share.progress = request.progress;
    share.excluded = request.record.exclude;
    share.unmatched = [&](const std::string& path) {
        const auto& ours = request.record.exclude;
        if (request.unmatched && std::ranges::find(ours, path) != ours.end()) request.unmatched(path);
    };
    share.excluded.push_back(std::string(kOurNames) + "*");
    if (!fetched) TRY(exclude_base(source, request.base, staging, share.excluded));
    for (const auto& path : always_excluded()) share.excluded.push_back(path);
    return share_tree(share);
}

Result<> fill(Files& files, const SyncRequest& request, const std::string& directory, const std::string& previous,
              const std::string& staging) {
    const auto& record = request.record;
    if (record.kind == "root") return share(request, record.source, previous, staging, false);
    if (record.kind == "rsync") {
        TRY(files.make_directories(staging));
        constexpr int kFileIo = 11;  // rsync(1): it cannot write, for want of room as a rule
        return run_program(rsync_arguments(record, previous, staging), "rsync", kFileIo);
    }
    const auto unpacked = join_path(directory, kUnpacked);
    TRY(files.make_directories(unpacked));
    if (record.kind == "tar")
        TRY(unpack_archive(record.source, unpacked));
    else if (record.kind == "debootstrap")
        TRY(run_program(debootstrap_arguments(record, unpacked), "debootstrap"));
    else
        return fail(fmt::format("{}/image.toml: kind cannot be \"{}\"", directory, printable(record.kind)),
                    "values are root, tar, debootstrap, rsync");
    // Archives often have one time for all files: only the content tells what is the same.
    TRY(share(request, unpacked, previous, staging, true));
    return files.remove_tree(unpacked);
}

std::string mark_text(const SyncRequest& request, const std::string& generation) {
    return fmt::format("IMAGE={}\nGENERATION={}\nCREATED={}\nSOURCE=\"{}:{}\"\n", request.image, generation,
                       request.now, request.record.kind, request.record.source);
}
}  // namespace

const std::vector<std::string>& always_excluded() {
    static const std::vector<std::string> paths = {"proc", "sys", "run", "tmp", "var/tmp", "lost+found"};
    return paths;
}

Result<> make_current(Files& files, const std::string& directory, const std::string& generation) {
    if (!is_name(generation) || !files.is_directory(join_path(directory, generation)))
        return fail(fmt::format("{} has no generation \"{}\"", directory, printable(generation)),
                    "diskless-server image show lists them");
    return switch_link(files, join_path(directory, "current"), generation);
}

Result<> discard(Files& files, const std::string& directory, const std::string& name) {
    const auto gone = join_path(directory, std::string(kDiscarded) + name);
    TRY(files.remove_tree(gone));
    TRY(files.rename(join_path(directory, name), gone));
    return files.remove_tree(gone);
}

Result<> finish_discarding(Files& files, const std::string& directory) {
    for (const auto& name : TRY(files.list(directory)))
        if (name.starts_with(kDiscarded)) TRY(files.remove_tree(join_path(directory, name)));
    return {};
}

Result<std::vector<std::string>> left_behind(const Files& files, const std::string& directory) {
    auto names = TRY(files.list(directory));
    std::erase_if(names, [](const auto& name) {
        return !name.starts_with(kStaging) && !name.starts_with(kDiscarded) && name != kUnpacked;
    });
    return names;
}

Result<std::string> clean_exclude(std::string_view path) {
    std::vector<std::string> parts;
    for (const auto part : split(path, '/')) {
        if (part == "..")
            return fail(fmt::format("\"{}\" cannot be excluded", printable(path)), "write the path from the root on");
        if (!part.empty() && part != ".") parts.emplace_back(part);
    }
    return join(parts, "/");
}

namespace {
Result<SyncResult> make_generation(Files& files, const SyncRequest& request, const std::string& directory) {
    const auto staging_directory = staging_name(files);
    const auto staging = join_path(directory, staging_directory);
    TRY(files.make_directories(directory));
    TRY(clean(files, directory, staging_directory));

    const auto current = files.read_link(join_path(directory, "current")).value_or("");
    const auto previous =
        !current.empty() && files.is_directory(join_path(directory, current)) ? join_path(directory, current) : "";
    TRY_TO("synchronise image " + request.image, fill(files, request, directory, previous, staging));

    const auto compared = TRY(compare_shared(previous, staging, kOurNames));
    SyncResult result{current, false, compared.entries, compared.shared, compared.bytes, {}};
    if (compared.entries == 0)
        return fail("the source of image " + request.image + " is empty: " + request.record.source, "is it mounted?");
    if (!previous.empty() && compared.differences == 0) {
        TRY(files.remove_tree(staging));
        if (request.record.pack) result.packed = TRY(pack_generation(files, previous, request.quiet));
        return result;
    }
    std::string last;
    for (const auto& name : TRY(files.list(directory)))
        if (is_name(name) && name != "current" && files.is_directory(join_path(directory, name)))
            last = std::max(last, name);
    result.generation = next_name(files, directory, last, request.now);
    result.made = true;
    TRY(files.replace(join_path(staging, kGenerationMark), mark_text(request, result.generation)));
    if (request.record.pack) result.packed = TRY(pack_generation(files, staging, request.quiet));
    // Everything is on disk before it has a name that nodes may be given.
    TRY(sync_file_system(staging));
    TRY(files.rename(staging, join_path(directory, result.generation)));
    TRY(make_current(files, directory, result.generation));
    TRY(sync_file_system(directory));
    return result;
}
}  // namespace

Result<SyncResult> sync_image(Files& files, const SyncRequest& request) {
    const auto directory = join_path(join_path(request.base, "images"), request.image);
    auto cleaned = request;
    cleaned.record.exclude.clear();
    for (const auto& path : request.record.exclude)
        if (auto clean_path = TRY(clean_exclude(path)); !clean_path.empty())
            cleaned.record.exclude.push_back(std::move(clean_path));
    auto made = make_generation(files, cleaned, directory);
    if (made) return made;
    auto error = made.error();
    const bool is_full = error.code == ENOSPC || error.code == EDQUOT;
    // Trees and what rsync has brought are gone on with, when they are not what the disk is full of.
    const bool goes_on = !is_full && (request.record.kind == "root" || request.record.kind == "rsync");
    if (!goes_on)
        for (const auto& name : left_behind(files, directory).value_or(std::vector<std::string>{}))
            (void)files.remove_tree(join_path(directory, name));
    if (error.remedy.empty() && is_full)
        error.remedy = fmt::format(
            "make room: diskless-server image gc, or image remove NAME GENERATION; then: "
            "image sync {}",
            request.image);
    return Failure(error);
}

}  // namespace diskless::server
