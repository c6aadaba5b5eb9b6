// The lists that say what a node may write: five formats, one entry type.
//
// Parsers are pure and total: every line becomes entries or a problem, none is lost in silence. Where a format's own
// documents are silent, this holds for all of them: blank lines and lines that start with "#" are skipped, a "#" after
// a blank starts a comment, several paths on a line are several entries (the shell originals split so), a trailing "/"
// says "directory", and * ? [] are expanded later, by plan_state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

enum class StateKind {
    persistent,      // the node's own copy in its snapshot, seeded from the root at first use
    volatile_empty,  // in RAM: the directory (or file) itself, nothing beneath
    volatile_tree,   // in RAM: directories only
    volatile_copy,   // in RAM: all content copied
    read_only,       // bound read-only from elsewhere (xCAT "ro")
    concatenated,    // in RAM: one file made of every source in order (xCAT "con")
    link,            // in RAM: a copy, and a symlink to it in place of the original (xCAT "link")
    generated,       // in RAM: content made by this boot (hostname, resolv.conf, …)
};
std::string_view text(StateKind kind);

/// Where a wish comes from: shown with every entry and every problem.
struct StateOrigin {
    std::string list;  // "/etc/rwtab", "snapshot/node1/files.custom", "default", "identity"
    int line = 0;      // 0: no line (defaults, identity)
    bool operator==(const StateOrigin&) const = default;
    std::string text() const;  // "/etc/rwtab:12", "default"
};

/// What is wrong with a line or an entry, and what to do about it.
struct StateProblem {
    StateOrigin origin;
    std::string text;    // names its object, printable: 'path "../x" is not absolute'
    std::string remedy;  // one line for the operator
    bool operator==(const StateProblem&) const = default;
};

struct ListEntry {
    StateKind kind = StateKind::persistent;
    std::string path;        // absolute and clean, without trailing slash; may hold glob characters
    bool directory = false;  // it was written with a trailing slash
    StateOrigin origin;
    bool operator==(const ListEntry&) const = default;
};

struct StateList {
    std::vector<ListEntry> entries;
    std::vector<StateProblem> problems;
};

/// `files`, `files.custom` (system-config-netboot) and `statetab`: paths, all persistent. `name` is for origins.
StateList parse_path_list(std::string_view text, const std::string& name);

/// rwtab (Red Hat readonly-root): "empty|dirs|files <path>".
StateList parse_rwtab(std::string_view text, const std::string& name);

/// xCAT litefile as `tabdump litefile` prints it: image,file,options,comments,disable. Lines for other images than
/// `images` (names and groups; "ALL" always fits) are skipped.
StateList parse_litefile(std::string_view text, const std::string& name, const std::vector<std::string>& images);

/// One litetree row: where initial content is looked for.
struct LitetreeEntry {
    long priority = 0;      // low first
    std::string directory;  // "host:/path" or "/path" in the root; $node is filled in
    std::string options;    // mount options
    StateOrigin origin;
    bool operator==(const LitetreeEntry&) const = default;
};

struct Litetree {
    std::vector<LitetreeEntry> entries;  // by priority, then by line
    std::vector<StateProblem> problems;
};

/// xCAT litetree as `tabdump litetree` prints it: priority,image,directory,mntopts,comments,disable.
Litetree parse_litetree(std::string_view text, const std::string& name, const std::vector<std::string>& images,
                        const std::string& node);

/// Why a path cannot be in a list ("is not absolute"), empty when it can. Takes clean paths: clean_path() first.
std::string refused_path(std::string_view path);
/// "//a/./b/" -> "/a/b". ".." stays, for refused_path() to refuse.
std::string clean_path(std::string_view path);

}  // namespace diskless
