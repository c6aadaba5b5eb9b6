// What an exports file must not do where diskless nodes live. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server-helper/check/finding.hpp"
#include "server-helper/render/nfs_exports.hpp"

namespace diskless::server {

/// Judges an exports file by itself: readable to the world, written by many, patterns that do not work, options that
/// are none. A directory whose path speaks of a node's root or snapshot is taken for one.
Findings check_exports(std::string_view text, std::string_view file);

/// An exports file by its path, for findings.
struct ExportsText {
    std::string file, text;
};

/// Judges all files of a server together against the exports that the cluster needs: roots that can be written,
/// snapshots of others within reach, root squashed; exports that are missing, unless no file names one of the
/// cluster's.
Findings check_exports_of(const std::vector<ExportsText>& texts, const std::vector<Export>& wanted);

}  // namespace diskless::server
