#include "initramfs/cpio.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <memory>

namespace diskless {

namespace {
using Archive = std::unique_ptr<archive, int (*)(archive*)>;
using Entry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;

Failure archive_failure(archive* which, std::string_view what) {
    const char* text = archive_error_string(which);
    return fail(fmt::format("{}: {}", what, text ? text : "libarchive gives no reason"));
}

la_ssize_t append(archive*, void* text, const void* bytes, std::size_t size) {
    static_cast<std::string*>(text)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

mode_t type_bits(EntryKind kind) {
    switch (kind) {
        case EntryKind::directory:
            return S_IFDIR;
        case EntryKind::symlink:
            return S_IFLNK;
        case EntryKind::character_device:
            return S_IFCHR;
        case EntryKind::file:
            break;
    }
    return S_IFREG;
}

void fill(archive_entry* to, const ImageEntry& from, std::int64_t number, std::int64_t time) {
    // The kernel unpacks relative to "/"; names without a leading slash are what every other writer uses.
    archive_entry_set_pathname(to, from.path.c_str() + (from.path.starts_with('/') ? 1 : 0));
    archive_entry_set_mode(to, type_bits(from.kind) | from.mode);
    archive_entry_set_mtime(to, time, 0);
    archive_entry_set_uid(to, 0);
    archive_entry_set_gid(to, 0);
    archive_entry_set_ino64(to, number);  // the kernel tells hard links by it: each entry needs its own
    archive_entry_set_nlink(to, from.kind == EntryKind::directory ? 2 : 1);
    archive_entry_set_size(to, from.kind == EntryKind::file ? static_cast<la_int64_t>(from.content.size()) : 0);
    if (from.kind == EntryKind::symlink) archive_entry_set_symlink(to, from.content.c_str());
    if (from.kind == EntryKind::character_device) {
        archive_entry_set_rdevmajor(to, from.major);
        archive_entry_set_rdevminor(to, from.minor);
    }
}
}  // namespace

Result<std::string> write_cpio(const std::vector<ImageEntry>& entries, std::int64_t time) {
    std::string text;
    const Archive writer(archive_write_new(), archive_write_free);
    archive_write_set_format_cpio_newc(writer.get());
    archive_write_add_filter_none(writer.get());
    archive_write_set_bytes_in_last_block(writer.get(), 4);
    if (archive_write_open(writer.get(), &text, nullptr, append, nullptr) != ARCHIVE_OK)
        return archive_failure(writer.get(), "begin a cpio archive");
    std::int64_t number = 0;
    for (const auto& from : entries) {
        const Entry entry(archive_entry_new(), archive_entry_free);
        fill(entry.get(), from, ++number, time);
        if (archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK)
            return archive_failure(writer.get(), "put " + from.path + " into the archive");
        if (from.kind != EntryKind::file || from.content.empty()) continue;
        if (archive_write_data(writer.get(), from.content.data(), from.content.size()) < 0)
            return archive_failure(writer.get(), "put " + from.path + " into the archive");
    }
    if (archive_write_close(writer.get()) != ARCHIVE_OK) return archive_failure(writer.get(), "end the cpio archive");
    return text;
}

Result<std::vector<ImageEntry>> read_cpio(std::string_view image) {
    const Archive reader(archive_read_new(), archive_read_free);
    archive_read_support_filter_all(reader.get());
    archive_read_support_format_cpio(reader.get());
    if (archive_read_open_memory(reader.get(), image.data(), image.size()) != ARCHIVE_OK)
        return archive_failure(reader.get(), "not an initramfs");
    std::vector<ImageEntry> entries;
    for (;;) {
        archive_entry* header = nullptr;
        const int status = archive_read_next_header(reader.get(), &header);
        if (status == ARCHIVE_EOF) return entries;
        if (status != ARCHIVE_OK) return archive_failure(reader.get(), "not an initramfs");
        ImageEntry entry;
        const char* name = archive_entry_pathname(header);
        entry.path = std::string("/") + (name ? name : "");
        entry.mode = archive_entry_perm(header);
        switch (archive_entry_filetype(header)) {
            case AE_IFDIR:
                entry.kind = EntryKind::directory;
                break;
            case AE_IFLNK:
                entry.kind = EntryKind::symlink;
                if (const char* target = archive_entry_symlink(header)) entry.content = target;
                break;
            case AE_IFCHR:
                entry.kind = EntryKind::character_device;
                entry.major = static_cast<unsigned>(archive_entry_rdevmajor(header));
                entry.minor = static_cast<unsigned>(archive_entry_rdevminor(header));
                break;
            default:
                break;
        }
        char block[1 << 16];
        for (;;) {
            const auto got = archive_read_data(reader.get(), block, sizeof block);
            if (got < 0) return archive_failure(reader.get(), "read " + entry.path + " of the image");
            if (got == 0) break;
            entry.content.append(block, static_cast<std::size_t>(got));
        }
        entries.push_back(std::move(entry));
    }
}

}  // namespace diskless
