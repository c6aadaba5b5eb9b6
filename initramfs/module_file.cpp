#include "initramfs/module_file.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>

#include <memory>

namespace diskless {

Result<std::string> read_decompressed(const std::string& path) {
    const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
    archive_read_support_filter_xz(reader.get());
    archive_read_support_filter_zstd(reader.get());
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_format_raw(reader.get());
    archive_read_support_format_empty(reader.get());
    const auto problem = [&] {
        return fail(fmt::format("read {}: {}", path, archive_error_string(reader.get())), "",
                    archive_errno(reader.get()));
    };
    if (archive_read_open_filename(reader.get(), path.c_str(), 1 << 16) != ARCHIVE_OK) return problem();
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return std::string{};
    if (status != ARCHIVE_OK) return problem();
    std::string content;
    char block[1 << 16];
    for (;;) {
        const auto got = archive_read_data(reader.get(), block, sizeof block);
        if (got < 0) return problem();
        if (got == 0) return content;
        content.append(block, static_cast<std::size_t>(got));
    }
}

}  // namespace diskless
