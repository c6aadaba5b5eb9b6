// Generations of an image: made under a temporary name, complete when they have their name, current by a symlink.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/os/files.hpp"
#include "server-helper/image/pack.hpp"
#include "server-helper/model/image_list.hpp"

namespace diskless::server {

struct SyncRequest {
    std::string base, image;
    ImageRecord record;
    bool compare_content = false;  // --checksum
    std::int64_t now = 0;          // seconds since 1970: names the generation
    bool quiet = false;            // of programs that are run
    std::function<void(std::uint64_t entries, std::uint64_t bytes)> progress;
    std::function<void(const std::string& path)> unmatched;  // called with an exclude that the source has not
};

struct SyncResult {
    std::string generation;  // the current one afterwards
    bool made = false;       // false: nothing has changed since the last generation
    std::uint64_t entries = 0, shared = 0, bytes = 0;
    Packed packed;  // of the current one, where the image is to be packed
};

/// Makes a generation from the image's source and switches `current` to it. What a run that was killed has left is
/// continued (after a reboot it is made anew: what had reached the disk is not known), and so is a tree or an rsync that
/// failed; others that fail, and all for which the disk has no room, leave nothing behind. The tree must be locked.
Result<SyncResult> sync_image(Files& files, const SyncRequest& request);

/// Points `current` at a complete generation.
Result<> make_current(Files& files, const std::string& directory, const std::string& generation);

/// Takes a directory below `directory` away: it loses its name at once, its content after that.
Result<> discard(Files& files, const std::string& directory, const std::string& name);
/// Removes what runs that were killed have left of discarded directories.
Result<> finish_discarding(Files& files, const std::string& directory);
/// What runs that were killed have left in an image's directory, discarded or not finished.
Result<std::vector<std::string>> left_behind(const Files& files, const std::string& directory);

/// "/var//cache/" as it is compared: "var/cache"; "*", "?" and "[a-z]" match within a name.
Result<std::string> clean_exclude(std::string_view path);

/// What is never taken from a golden machine, besides what is mounted there: paths below its root.
const std::vector<std::string>& always_excluded();

/// Programs that fetch a tree: arguments of rsync and debootstrap, for the tests and for errors.
std::vector<std::string> rsync_arguments(const ImageRecord& record, const std::string& previous, const std::string& to);
std::vector<std::string> debootstrap_arguments(const ImageRecord& record, const std::string& to);

/// Unpacks an archive (tar, cpio or zip, any compression that libarchive knows) below an existing directory. Names that
/// lead out of it, by ".." or through symlinks, are refused.
Result<> unpack_archive(const std::string& archive, const std::string& to);

}  // namespace diskless::server
