// What one node has in its snapshot that no other node has: its name, its keys, and what the administrator gives it.
#pragma once

#include "server-helper/snapshot/image_part.hpp"
#include "server-helper/snapshot/overlay.hpp"
#include "server-helper/snapshot/prepare.hpp"

namespace diskless::server {

/// First line of the list of overlay paths in a snapshot; a `files` without it is somebody else's.
inline constexpr std::string_view kFilesHeader = "# written by diskless-server: what the overlays give to this node\n";

/// A new machine-id and, for an image with sshd, a new Ed25519 host key; the host name when the job has one.
Result<OwnFiles> make_identity(const SnapshotJob& job, bool ssh);

/// The job's overlays laid over each other, templates filled in.
OwnFiles overlay_files(const SnapshotJob& job, const std::map<std::string, Overlay>& overlays);

/// The list that makes the node show overlay files that no other list covers; empty when all are covered. `warnings`:
/// those that the image has no name for.
std::string list_of_overlays(const OwnFiles& overlay, const ImagePart& part, const std::string& root,
                             const Files& files, std::vector<std::string>& warnings);

/// Random bytes for keys: getrandom(2).
Result<std::string> secret_bytes(std::size_t count);

}  // namespace diskless::server
