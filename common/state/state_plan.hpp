// StatePlan: every list and default as one ordered list of what will be mounted where.
//
// The plan is made from the mounted root and snapshot by reading only; it can be printed before anything is changed.
// Entries are sorted so that parents stand before their children: mounting them in order gives any nesting of any
// kinds. An entry's path has no symlink left in it: symlinks are followed within the root, never out of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/os/files.hpp"
#include "common/state/state_list.hpp"

namespace diskless {

/// A file whose content is made by the boot: hostname, resolv.conf, machine-id, ssh host keys.
struct GeneratedFile {
    std::string path;     // absolute, in the root
    std::string content;  // ignored for a symlink
    std::uint32_t mode = 0644;
    std::string symlink;  // not empty: wanted is a symlink to this (mtab -> ../proc/self/mounts)
};

/// A litetree directory that the caller has mounted.
struct MountedDirectory {
    std::string directory;   // as litetree says: "10.9.0.1:/defaults"
    std::string mounted_at;  // "/run/diskless/litetree/0"
};

/// May names be made in the root where an entry is to be mounted on one that is not there?
enum class RootNames {
    fixed,      // the root is shared and read-only
    lasting,    // it is the node's own
    in_memory,  // it is under memory: made files may even stand there themselves, with no mount
};

struct StateInput {
    std::string root = "/sysroot";  // as mounted now
    RootNames root_names = RootNames::fixed;
    std::string snapshot;             // the node's own directory as mounted; empty: there is none
    std::string location;             // Red Hat's location or its snapshot directory: files, files.custom for all nodes
    std::string node;                 // name of the node: $node in litetree
    std::vector<std::string> images;  // names and groups of the image, for litefile and litetree
    std::vector<GeneratedFile> generated;
    std::vector<MountedDirectory> litetree;  // host:/path directories that are mounted; others give a problem
    bool defaults = true;                    // add the rows of state_defaults() that no list covers
    bool init_mounts_over = false;           // fstab's lines, over whatever is there, as sysvinit and busybox do;
                                             // systemd and we take what is mounted at a place for what fstab means
};

struct StateEntry {
    std::string path;  // in the root ("/var/log"), no symlink in it
    StateKind kind = StateKind::persistent;
    StateOrigin origin;
    bool directory = false;
    bool skipped = false;   // nothing is done; the notes or the problem say why
    bool degraded = false;  // persistent was asked for, and there is no snapshot
    bool covered = false;   // a persistent ancestor shows it already: seeded when missing, not mounted
    bool seeded = false;    // persistent: the snapshot has it already

    std::string source;                    // persistent: its copy in the snapshot; read_only: what is bound;
                                           // volatile, link: where the content is copied from; empty: made new
    std::string seed;                      // persistent: where its first content comes from; empty: made new
    CopyWhat copy = CopyWhat::everything;  // how much of source or seed is copied
    std::vector<std::string> parts;        // concatenated: the sources in order
    std::optional<std::string> content;    // generated; persistent: first content made by the boot
    std::uint32_t mode = 0644;             // of content
    std::string symlink;                   // generated: a symlink to this
    std::string parent;                    // path of the nearest entry that is mounted above this one; empty: the root
    std::string problem;                   // why it is refused, when that is not as it should be
    std::vector<std::string> notes;        // one line each, about what is as it should be
};

struct StatePlan {
    std::vector<StateEntry> entries;  // sorted by path, component by component
    std::vector<StateProblem> problems;
    std::vector<std::string> lists;  // files that were read, strongest first
    RootNames root_names = RootNames::fixed;
};

/// What a root that is mounted so ("ro", "rw", "overlay") means for the lists: a root of the node's own is written as
/// it is, and no default is in its way.
void take_root_mode(StateInput& input, std::string_view mode);

/// Reads the lists and plans. Never fails: what cannot be meant is a problem and the rest is planned.
StatePlan plan_state(const StateInput& input, const Files& files);

/// The plan for people: one aligned line an entry (kind, path, from, origin), its notes beneath, problems last.
std::string describe(const StatePlan& plan);

/// A row of what a node needs beyond the lists. Rows that the root does not have are dropped in silence.
struct DefaultEntry {
    enum class When {
        always,          // unless a list has it or an ancestor of it
        if_generated,    // only the generated files that match become so: the image's own copy must not be shared
        if_unmountable,  // only when a generated file beneath has no file in the root to be mounted on
    };
    std::string_view path;  // may hold glob characters
    StateKind kind;
    CopyWhat seed;  // of a persistent row
    When when;
    std::string_view reason;
};
const std::vector<DefaultEntry>& state_defaults();

}  // namespace diskless
