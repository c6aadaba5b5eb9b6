// Options that every command on a tree has: --base, --json, --dry-run, --quiet.
#pragma once

#include <string>
#include <vector>

#include "server-helper/model/apply.hpp"
#include "server-helper/model/cluster.hpp"
#include "server-helper/model/node_files.hpp"
#include "server-helper/options.hpp"

namespace diskless::server {

enum class TreeAccess { reads, changes };

/// --base and, as they make sense, --json, --dry-run and --quiet.
void add_tree_options(OptionSet& options, TreeAccess access);
/// --base, else $DISKLESS_BASE, else /srv/diskless; absolute.
Result<std::string> base_of(const ParsedOptions& options);
/// The tree, its warnings told (unless --quiet).
Result<Cluster> load_tree(const ParsedOptions& options, Streams& streams,
                          NodeProblems problems = NodeProblems::refused);

/// What has been or, with --dry-run, would be changed: the diff, a JSON list of paths, or one line for each file.
void tell_changes(const std::vector<FileChange>& changes, const ParsedOptions& options, Streams& streams);

}  // namespace diskless::server
