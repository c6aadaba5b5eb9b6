// A tree of files in memory that behaves: symlinks, modes, hard links, file systems that are full or read-only, and
// mounts (put there by FakeMounts). Every call passes a hook, so that a test can fail or "kill" the n-th one.
//
//   FakeFiles files;
//   files.tree({{"/etc/hosts", file("127.0.0.1 localhost\n")}, {"/var/run", symlink("/run")}, {"/tmp",
//   directory(01777)}});
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/os/files.hpp"

namespace diskless {

struct FakeFileSystem {
    std::uint64_t id = 1;
    bool read_only = false;             // writes: EROFS
    bool forbidden = false;             // writes: EACCES
    std::optional<std::uint64_t> room;  // bytes left, then ENOSPC; nothing: no limit
};

struct FakeNode {
    FileKind kind = FileKind::regular;
    std::uint32_t mode = 0644, uid = 0, gid = 0;
    std::int64_t modified = 0;
    std::uint64_t inode = 0;
    std::string content;  // of a regular file; target of a symlink
    unsigned major_number = 0, minor_number = 0;
    std::map<std::string, std::string> attributes;  // xattrs
    std::map<std::string, std::shared_ptr<FakeNode>> children;
    std::shared_ptr<FakeFileSystem> file_system;
};

/// What a test writes down for one path of a tree.
FakeNode file(std::string content = {}, std::uint32_t mode = 0644, std::uint32_t uid = 0, std::uint32_t gid = 0);
FakeNode directory(std::uint32_t mode = 0755, std::uint32_t uid = 0, std::uint32_t gid = 0);
FakeNode symlink(std::string target);
FakeNode device(FileKind kind, unsigned major_number, unsigned minor_number, std::uint32_t mode = 0600);

struct FakeCall {
    std::string name;  // "read", "copy" (once for every node of the tree), …
    std::string path;
};

/// Thrown by kill_at(): the process is gone, what it did so far stays.
struct FakeKilled {};

class FakeFiles : public Files {
  public:
    FakeFiles();

    /// Adds paths in order, missing parents as directories 0755.
    void tree(const std::vector<std::pair<std::string, FakeNode>>& entries);
    /// Mounts a new, empty file system at the path (made when missing); keep the pointer to fill it up or lock it.
    std::shared_ptr<FakeFileSystem> file_system(const std::string& path);
    /// One line for every name beneath the path, sorted: "/etc/hosts 644 0:0 text". Mounts are shown as seen.
    std::string dump(const std::string& path) const;
    /// Content of a regular file, "<absent>" or "<not a file>": for expectations in one line.
    std::string text(const std::string& path) const;

    /// Called before every call does anything: an Error makes it fail, an exception leaves through it.
    std::function<std::optional<Error>(const FakeCall&)> hook;
    /// From now on the n-th call (1 is the next) throws FakeKilled, as all later ones do; 0: never.
    void kill_at(std::size_t n);
    /// Calls so far, oldest first.
    mutable std::vector<FakeCall> calls;
    std::int64_t now = 1'700'000'000;  // seconds: time stamp of what is made

    Result<std::string> read(const std::string& path, std::size_t limit = 1 << 20) const override;
    Result<> write(const std::string& path, std::string_view content) override;
    Result<> replace(const std::string& path, std::string_view content, std::uint32_t mode = 0644) override;
    bool writable(const std::string& path) const override;
    Result<FileStatus> status(const std::string& path) const override;
    Result<std::string> read_link(const std::string& path) const override;
    Result<std::vector<std::string>> list(const std::string& path) const override;
    Result<> make_directories(const std::string& path, std::uint32_t mode = 0755) override;
    Result<> make_symlink(const std::string& target, const std::string& path) override;
    Result<> make_device(const std::string& path, FileKind kind, unsigned major_number, unsigned minor_number,
                         std::uint32_t mode) override;
    Result<> make_file(const std::string& path, std::uint32_t mode = 0644) override;
    Result<> link(const std::string& existing, const std::string& path) override;
    Result<> rename(const std::string& from, const std::string& to) override;
    Result<> set_mode(const std::string& path, std::uint32_t mode) override;
    Result<> remove(const std::string& path) override;
    Result<> remove_tree(const std::string& path) override;
    Result<CopyResult> copy(const std::string& from, const std::string& to, CopyWhat what,
                            bool cross_mounts = false) override;

    using NodePtr = std::shared_ptr<FakeNode>;

    /// A mounted file system or bind. The same directory can be seen through several mounts: children are looked up by
    /// mount and directory, as the kernel does.
    struct Mounted {
        int id = 0, parent = -1;
        NodePtr at, root;
        bool read_only = false;
        std::string source, target, type, root_path = "/", options;
    };
    /// A name as the kernel sees it.
    struct Place {
        int mount = 0;
        NodePtr node;
        std::string path;  // with symlinks resolved
    };
    std::vector<Mounted> mounted;  // [0] is "/"; oldest first. For FakeMounts.
    Result<Place> find(const std::string& path, bool follow) const;
    NodePtr make_node(FakeNode like, std::shared_ptr<FakeFileSystem> where);
    std::shared_ptr<FakeFileSystem> new_file_system();
    int next_mount = 1;

  private:
    struct Slot;  // a name in a directory, existing or not
    std::optional<Error> enter(std::string name, const std::string& path) const;
    Result<Slot> slot(const std::string& path) const;
    Place cross(Place place) const;
    std::optional<Error> denied(const Place& place, std::uint64_t bytes = 0) const;
    const Mounted& mount_of(int id) const;
    Result<> add(const std::string& path, FakeNode node);
    Result<> copy_node(const Place& from, const Place& directory, const std::string& name, CopyWhat what,
                       bool cross_mounts, std::map<FakeNode*, NodePtr>& links, CopyResult& result);
    Result<> remove_beneath(const Place& place);

    std::uint64_t next_inode_ = 1, next_file_system_ = 1;
    std::size_t kill_at_ = 0;
};

}  // namespace diskless
