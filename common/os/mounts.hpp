// The mount table. Linux: libmount, with its helpers off (nothing is executed).
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

struct MountRequest {
    std::string source;   // "10.9.0.1:/srv/root", "tmpfs", "/dev/sda1"
    std::string target;   // an existing directory (or file, for binds)
    std::string type;     // "nfs", "tmpfs", "proc"
    std::string options;  // as in fstab: "ro,nosuid,vers=4.2,addr=10.9.0.1"
};

struct MountEntry {
    int id = 0, parent_id = 0;
    std::string source;
    std::string target;  // unescaped
    std::string type;
    std::string root;           // path within the file system that is mounted: "/" or the bound directory
    std::string options;        // of the mount point: "ro,nosuid"
    std::string super_options;  // of the file system: "rw,vers=4.2,…"
};

enum class Unmount { normal, force, lazy };

class Mounts {
  public:
    virtual ~Mounts() = default;
    virtual Result<> mount(const MountRequest& request) = 0;
    /// Makes the file or directory `source` appear at `target`; with `read_only` writes through it fail (two calls
    /// inside: a bind cannot be made read-only at once). `options` are more mount point flags: "nosuid,nodev".
    virtual Result<> bind(const std::string& source, const std::string& target, bool read_only,
                          const std::string& options = {}) = 0;
    /// The same with all mounts below `source` (MS_REC).
    virtual Result<> bind_tree(const std::string& source, const std::string& target) = 0;
    virtual Result<> move(const std::string& from, const std::string& to) = 0;
    virtual Result<> remount(const std::string& target, const std::string& options) = 0;
    virtual Result<> unmount(const std::string& target, Unmount how = Unmount::normal) = 0;
    /// Would what is mounted read-only at `target` let this user write into its top directory? Nothing can be written
    /// there meanwhile. Over NFS this is the server's word, and the kernel mostly has it already.
    virtual Result<bool> would_let_write(const std::string& target) = 0;
    /// /proc/self/mountinfo in its order (oldest first).
    virtual Result<std::vector<MountEntry>> table() const = 0;
    /// Is the named file system type known to the running kernel (/proc/filesystems)?
    virtual bool knows_type(const std::string& type) const = 0;
};

/// What is mounted there first, by the table; nullptr: nothing.
const MountEntry* mounted_at(const std::vector<MountEntry>& table, std::string_view target);

/// "\\040" -> " ": how the kernel writes blanks, tabs, newlines and backslashes in names (mounts, swaps).
std::string unescape_octal(std::string_view field);

/// Parses the text of /proc/<pid>/mountinfo (proc(5)); lines that do not fit are skipped.
std::vector<MountEntry> parse_mountinfo(std::string_view text);

}  // namespace diskless
