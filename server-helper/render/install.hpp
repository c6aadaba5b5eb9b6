// Rendered files brought below <base>/boot, and those of nodes and dialects that are gone taken away.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "server-helper/model/apply.hpp"
#include "server-helper/render/rendered.hpp"

namespace diskless::server {

struct RenderedDialect {
    std::string name;
    Rendering files;  // of all nodes
};

struct InstallOptions {
    bool dry_run = false;
    bool force = false;           // replace files that this program did not make
    bool everything = true;       // all wanted dialects are given: files of others are removed
    std::set<std::string> nodes;  // whose own files are written; empty: all
    std::set<std::string> left;   // whose own files stay as they are: of another time, or absent
};

struct Installed {
    std::vector<FileChange> changes;  // `diff` only of a dry run
    std::size_t unchanged = 0;
};

/// <base>/boot/.rendered records what was made here: only what it names is ever replaced or removed, unless `force`. It
/// names the new files before the first of them appears, so that nothing is orphaned when the process is killed.
/// The caller holds the tree's lock.
Result<Installed> install_rendered(const std::string& boot, const std::vector<RenderedDialect>& rendered,
                                   const InstallOptions& options);

}  // namespace diskless::server
