#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "common/base/text.hpp"
#include "server-helper/snapshot/snapshot_tree.hpp"

namespace diskless::server {

namespace {

/// A part of a file that has content; the rest is holes.
struct Piece {
    off_t from, length;  // bytes
};

/// Of a file that is one piece, or whose file system does not tell: everything. `most`: pieces that are worth telling.
std::vector<Piece> pieces_of(int file, off_t size, std::size_t most = 4096) {
    std::vector<Piece> pieces;
    for (off_t at = 0; at < size;) {
        const auto data = ::lseek(file, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;  // only a hole is left
        const auto hole = data < 0 ? data : ::lseek(file, data, SEEK_HOLE);
        if (hole < 0 || pieces.size() == most) return {{0, size}};
        if (data >= size) break;
        pieces.push_back({data, std::min(hole, size) - data});
        at = hole;
    }
    return pieces;
}

class TarFile {
  public:
    explicit TarFile(int fd) : archive_(::archive_write_new(), ::archive_write_free) {
        ::archive_write_set_format_pax_restricted(archive_.get());
        good_ = ::archive_write_add_filter_zstd(archive_.get()) == ARCHIVE_OK &&
                ::archive_write_open_fd(archive_.get(), fd) == ARCHIVE_OK;
    }

    Result<> add(const WalkedEntry& walked, std::vector<std::string>& left_behind);
    Result<> finish() {
        if (!good_ || ::archive_write_close(archive_.get()) != ARCHIVE_OK) return failed("write archive");
        return {};
    }

  private:
    Result<> content(int file, const WalkedEntry& walked, const std::vector<Piece>& pieces);
    Result<> zeros(off_t length);
    Failure failed(const std::string& what) const {
        const char* why = ::archive_error_string(archive_.get());
        return fail(what + ": " + (why != nullptr ? why : "it cannot be opened"), {},
                    std::max(0, ::archive_errno(archive_.get())));  // -1 is no errno
    }

    std::unique_ptr<::archive, int (*)(::archive*)> archive_;
    bool good_ = false;
};

Result<> TarFile::add(const WalkedEntry& walked, std::vector<std::string>& left_behind) {
    const auto mode = walked.status.st_mode;
    if (!S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode)) {
        left_behind.push_back(printable(walked.path) + " (special file)");
        return {};
    }
    if (S_ISREG(mode) && (mode & 06000) != 0) left_behind.push_back("set-id bits of " + printable(walked.path));
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(::archive_entry_new(), ::archive_entry_free);
    ::archive_entry_copy_pathname(entry.get(), walked.path.c_str());
    ::archive_entry_copy_stat(entry.get(), &walked.status);
    ::archive_entry_set_perm(entry.get(), mode & 01777);
    ::archive_entry_set_nlink(entry.get(), 1);
    if (S_ISLNK(mode)) {
        std::string target(4096, '\0');
        const auto length = ::readlinkat(walked.directory, walked.name.c_str(), target.data(), target.size() - 1);
        if (length < 0) return {};  // gone meanwhile
        target.resize(static_cast<std::size_t>(length));
        ::archive_entry_copy_symlink(entry.get(), target.c_str());
        ::archive_entry_set_size(entry.get(), 0);
    }
    Descriptor file;
    std::vector<Piece> pieces;
    if (S_ISREG(mode)) {
        file =
            Descriptor(::openat(walked.directory, walked.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        struct stat now {};
        if (!file || ::fstat(file.get(), &now) != 0 || !S_ISREG(now.st_mode)) return {};  // changed meanwhile
        pieces = pieces_of(file.get(), walked.status.st_size);
        // lastlog of large user ids, or what a node has made on purpose: terabytes that are not there
        const bool whole = pieces.size() == 1 && pieces[0].length == walked.status.st_size;
        if (pieces.empty() && walked.status.st_size > 0) pieces.push_back({walked.status.st_size, 0});
        if (!whole)
            for (const auto& piece : pieces) ::archive_entry_sparse_add_entry(entry.get(), piece.from, piece.length);
    }
    if (!good_ || ::archive_write_header(archive_.get(), entry.get()) < ARCHIVE_WARN)
        return failed("write archive entry " + printable(walked.path));
    return S_ISREG(mode) ? content(file.get(), walked, pieces) : Result<>{};
}

/// What lies in a hole is taken note of, and not written.
Result<> TarFile::zeros(off_t length) {
    static const std::vector<char> nothing(std::size_t{1} << 24);
    while (length > 0) {
        const auto now = std::min(length, static_cast<off_t>(nothing.size()));
        if (::archive_write_data(archive_.get(), nothing.data(), static_cast<std::size_t>(now)) != now)
            return failed("write archive");
        length -= now;
    }
    return {};
}

/// The size in the header holds: a file that grows is cut, one that shrinks is filled by libarchive with zeros.
Result<> TarFile::content(int file, const WalkedEntry& walked, const std::vector<Piece>& pieces) {
    std::array<char, 65536> buffer;
    off_t at = 0;
    for (const auto& piece : pieces) {
        TRY(zeros(piece.from - at));
        at = piece.from;
        for (auto left = piece.length; left > 0;) {
            const auto got =
                ::pread(file, buffer.data(), std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(left)), at);
            if (got < 0) return fail_errno("read " + printable(walked.path));
            if (got == 0) return {};
            if (::archive_write_data(archive_.get(), buffer.data(), static_cast<std::size_t>(got)) != got)
                return failed("write archive");
            left -= got;
            at += got;
        }
    }
    return zeros(walked.status.st_size - at);
}

}  // namespace

Result<std::vector<std::string>> archive_snapshot(const ConfinedFiles& snapshots, const std::string& snapshot,
                                                  const std::string& out) {
    const auto growing = out + ".new";
    ::unlink(growing.c_str());  // of a run that was killed
    Descriptor file(::open(growing.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file)
        return fail_errno("create " + growing, errno,
                          errno == ENOENT || errno == ENOTDIR ? "make that directory, or name another by --out" : "");
    std::vector<std::string> left_behind;
    const auto work = [&]() -> Result<> {
        TarFile tar(file.get());
        TRY(walk_snapshot(snapshots, snapshot,
                          [&](const WalkedEntry& walked) { return tar.add(walked, left_behind); }));
        TRY(tar.finish());
        if (::fsync(file.get()) != 0 || !file.close()) return fail_errno("write " + growing);
        if (::rename(growing.c_str(), out.c_str()) != 0) return fail_errno("rename " + growing + " to " + out);
        return {};
    };
    if (const auto done = work(); !done) {
        ::unlink(growing.c_str());
        return within("archive snapshot " + snapshot, done.error());
    }
    return left_behind;
}

}  // namespace diskless::server
