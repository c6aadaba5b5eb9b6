// A directory tree as the planner sees it: read only, every question asked of the server once.
//
// Paths are absolute within the tree. Symlinks are resolved within the tree: an absolute target starts at the tree's
// top,
// ".." stops there, so that nothing outside is ever looked at, whatever the tree holds.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/os/files.hpp"

namespace diskless {

class TreeView {
  public:
    TreeView(const Files& files, std::string base) : files_(files), base_(std::move(base)) {}

    /// Where a path of the tree is outside: "/sysroot" + "/var".
    std::string outside(const std::string& path) const { return path == "/" ? base_ : join_path(base_, path); }

    /// Told in advance what will be asked for: a directory in which that is many names is listed at the first question.
    void expect(const std::string& path);

    /// Of the name itself; null when it is absent or has a component that is no directory.
    const FileStatus* status(const std::string& path);
    bool is_directory(const std::string& path);
    /// Names in a directory, none when it cannot be listed.
    const std::vector<std::string>& names(const std::string& path);

    struct Resolved {
        std::string path;                    // without symlinks; where it would be when it is absent
        const FileStatus* status = nullptr;  // null: absent
        bool elsewhere = false;              // in /proc, /sys, /dev or /run, which are no part of the tree
        bool loop = false;                   // too many symlinks
    };
    Resolved resolve(const std::string& path);

    /// The first component of the path that is a symlink, empty when there is none.
    std::string symlink_in(const std::string& path);

    /// Paths that match, sorted, at most `limit`. `follow`: directories on the way may be symlinks.
    std::vector<std::string> glob(const std::string& pattern, bool follow, std::size_t limit);

    /// Names that glob() has looked at until now.
    std::size_t compared() const { return compared_; }

    /// What could not be read for another reason than being absent, in order.
    const std::vector<Error>& errors() const { return errors_; }

  private:
    const Files& files_;
    const std::string base_;
    std::map<std::string, std::optional<FileStatus>> known_;
    std::map<std::string, std::vector<std::string>> listed_;
    std::map<std::string, std::size_t> asked_;
    std::map<std::string, std::set<std::string>> expected_;  // names by directory
    std::vector<Error> errors_;
    std::size_t compared_ = 0;
};

/// Is the path `top` itself or beneath it?
bool is_beneath(std::string_view path, std::string_view top);

}  // namespace diskless
