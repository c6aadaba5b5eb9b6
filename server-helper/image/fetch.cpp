// Where trees come from: rsync, debootstrap, archives.
#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>
#include <stdlib.h>

#include <algorithm>
#include <memory>

#include "common/base/text.hpp"
#include "server-helper/image/generation.hpp"

namespace diskless::server {

std::vector<std::string> rsync_arguments(const ImageRecord& record, const std::string& previous,
                                         const std::string& to) {
    // Hard links, ACLs and attributes are kept; owners by number, as they are on the golden machine; one file system.
    std::vector<std::string> arguments{"rsync", "-aHAXx", "--numeric-ids", "--delete", "--delete-excluded"};
    for (const auto& path : always_excluded()) arguments.push_back("--exclude=/" + path + "/*");
    for (const auto& path : record.exclude) arguments.push_back("--exclude=/" + path);
    arguments.push_back(fmt::format("--exclude=/{}*", kOurNames));
    if (!previous.empty()) arguments.push_back("--link-dest=" + previous);
    arguments.push_back("--");
    arguments.push_back(record.source.ends_with('/') ? record.source : record.source + "/");
    arguments.push_back(to + "/");
    return arguments;
}

std::vector<std::string> debootstrap_arguments(const ImageRecord& record, const std::string& to) {
    std::vector<std::string> arguments{"debootstrap"};
    if (!record.include.empty()) arguments.push_back("--include=" + join(record.include, ","));
    arguments.insert(arguments.end(), {record.source, to});
    if (!record.mirror.empty()) arguments.push_back(record.mirror);
    return arguments;
}

namespace {
bool leads_up(std::string_view path) {
    for (const auto part : split(path, '/'))
        if (part == "..") return true;
    return false;
}

using Reader = std::unique_ptr<archive, int (*)(archive*)>;

std::string words_of(archive* from) {
    const char* text = archive_error_string(from);
    return text ? printable(text) : "unknown error";
}

constexpr const char* kComplete = "is the archive complete?";

Failure not_opened(archive* reader, const std::string& path) {
    if (archive_errno(reader) == EILSEQ)  // ARCHIVE_ERRNO_FILE_FORMAT, which libarchive keeps to itself
        return fail(fmt::format("{} is no tar, cpio or zip archive, of any compression", path),
                    "make one of a root: tar -C /ROOT --xattrs --acls -caf FILE.tar.gz .");
    const int code = std::max(0, archive_errno(reader));  // -1: no errno, but "truncated gzip input" and the like
    return fail(fmt::format("open {}: {}", path, words_of(reader)), code == 0 ? kComplete : "", code);
}

Failure not_unpacked(archive* writer, const std::string& shown) {
    return fail(fmt::format("unpack {}: {}", shown, words_of(writer)), {}, std::max(0, archive_errno(writer)));
}

Result<> copy_entry(archive* reader, archive* writer, archive_entry* entry, const std::string& shown) {
    if (archive_write_header(writer, entry) < ARCHIVE_OK) return not_unpacked(writer, shown);
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
        const int got = archive_read_data_block(reader, &block, &size, &offset);
        if (got == ARCHIVE_EOF) break;
        if (got < ARCHIVE_OK) return fail(fmt::format("read {}: {}", shown, words_of(reader)));
        if (archive_write_data_block(writer, block, size, offset) < ARCHIVE_OK) return not_unpacked(writer, shown);
    }
    if (archive_write_finish_entry(writer) < ARCHIVE_OK) return not_unpacked(writer, shown);
    return {};
}
}  // namespace

Result<> unpack_archive(const std::string& path, const std::string& to) {
    const Reader reader(archive_read_new(), archive_read_free);
    const Reader writer(archive_write_disk_new(), archive_write_free);
    // Not every format that libarchive knows: it takes plain text for mtree.
    archive_read_support_filter_all(reader.get());
    archive_read_support_format_tar(reader.get());
    archive_read_support_format_cpio(reader.get());
    archive_read_support_format_zip(reader.get());
    // The target is put before every name, so that absolute names stay in it as well; it must itself be free of
    // symlinks, as libarchive looks at all of the path.
    archive_write_disk_set_options(writer.get(), ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                                                     ARCHIVE_EXTRACT_ACL | ARCHIVE_EXTRACT_XATTR |
                                                     ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_SYMLINKS);
    if (archive_read_open_filename(reader.get(), path.c_str(), 1 << 16) != ARCHIVE_OK)
        return not_opened(reader.get(), path);
    const std::unique_ptr<char, decltype(&free)> real(::realpath(to.c_str(), nullptr), free);
    if (!real) return fail_errno("find " + to);
    const std::string target = real.get();
    archive_entry* entry = nullptr;
    for (;;) {
        const int got = archive_read_next_header(reader.get(), &entry);
        if (got == ARCHIVE_EOF) break;
        if (got < ARCHIVE_WARN) return fail(fmt::format("read {}: {}", path, words_of(reader.get())), kComplete);
        const char* name = archive_entry_pathname(entry);
        if (!name) return fail(fmt::format("read {}: an entry has no name", path));
        const auto shown = path + ": " + printable(name);
        const char* link = archive_entry_hardlink(entry);
        if (leads_up(name) || (link && leads_up(link)))
            return fail(fmt::format("unpack {}: the name leads out of the image", shown), "do not trust that archive");
        // libarchive frees the old text when it takes the new one.
        const auto new_link = link ? target + "/" + link : std::string();
        const auto new_name = target + "/" + name;
        archive_entry_set_pathname(entry, new_name.c_str());
        if (link) archive_entry_set_hardlink(entry, new_link.c_str());
        TRY(copy_entry(reader.get(), writer.get(), entry, shown));
    }
    if (archive_write_close(writer.get()) != ARCHIVE_OK) return not_unpacked(writer.get(), path);
    return {};
}

}  // namespace diskless::server
