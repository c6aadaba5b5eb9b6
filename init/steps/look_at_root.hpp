// A root as it has been mounted: what is to run in it, and whether any node may write to it.
#pragma once

#include "common/plan/step.hpp"
#include "init/boot.hpp"

namespace diskless::steps {

/// Is the root a file of the directory that is mounted as the root? Looks at NFS: in a child.
Result<bool> has_image(const Files& files, const std::string& image);

/// init= or kStay, as find_init() takes it.
std::string wanted_init(const Boot& boot);

/// Looks at NFS: in a child. Packed: what find_init() finds (nothing where the root is a file in there: mount-image
/// looks into that; a failure where there is neither), and what tell_of_export() wants to know of a `shared` root.
Result<std::string> look_at_root(Os& os, const Boot& boot, bool shared);

/// A shared root that any node may write is an accident that waits. By permission only: nothing is ever written.
void tell_of_export(StepContext& context, const std::vector<std::string>& looked_at, const std::string& server,
                    const std::string& path);

}  // namespace diskless::steps
