// What is to run in the root.
#pragma once

#include "init/boot.hpp"

namespace diskless::steps {

/// Looks at `root`, which is on NFS: in a child. Packed: the init that can be run (kProgram when this program is to
/// stay), what it leads to within the root, "nobody" when the server's owners do not reach us, and the image's
/// generation. `wanted` is init= or kStay; empty takes what the kernel would take, or this program when the root has an
/// inittab and no init.
Result<std::string> find_init(const Os& os, const std::string& root, const std::string& wanted);

/// Writes what it has found, unpacked, to the boot: when that is published.
void take_init(Boot& boot, const std::vector<std::string>& found);

}  // namespace diskless::steps
