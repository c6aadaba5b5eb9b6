// A directory tree read once and written many times: what a thousand snapshots have in common.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.hpp"

namespace diskless::server {

/// A file that one node has for itself: in place of what the template has under that name.
struct OwnFile {
    std::string content;
    std::uint32_t mode = 0644;
    std::uint32_t uid = 0, gid = 0;
    bool operator==(const OwnFile&) const = default;
};
/// By path from the top of the snapshot, without a leading slash: "etc/hostname".
using OwnFiles = std::map<std::string, OwnFile>;

class TreeTemplate {
  public:
    struct Entry {
        std::string path;                           // from the top; empty: the top itself
        std::uint32_t mode = 0, uid = 0, gid = 0;   // mode with its type
        std::int64_t seconds = 0, nanoseconds = 0;  // of modification
        std::uint64_t device = 0;                   // of a device node
        std::uint64_t size = 0;
        std::string content;  // of a small file, target of a symlink
        std::string link;     // path of an earlier entry that this is another name of
        std::vector<std::pair<std::string, std::string>> attributes;
    };

    /// Reads all that is below `top`, a directory that nobody else can write to. Large files stay on disk: `top` must
    /// stay as it is for as long as the template is written.
    static Result<TreeTemplate> read(const std::string& top);

    /// A tree of nothing but its top.

    /// Makes `name`, which must not exist, in `directory`: everything of the template but what `own` replaces, and
    /// `own`. Missing directories above an own file are made 0755,
    /// root's. Content is cloned where the file system can (FICLONE), else copied. May run in many threads.
    /// On failure what has been made stays, for the caller to remove. Bytes written or cloned.
    Result<std::uint64_t> write_to(int directory, const std::string& name, const OwnFiles& own) const;

    bool has(const std::string& path) const { return index_.contains(path); }
    const std::vector<Entry>& entries() const { return entries_; }

  private:
    std::string top_;
    std::vector<Entry> entries_;  // a directory stands before what is in it
    std::map<std::string, std::size_t> index_;
};

}  // namespace diskless::server
