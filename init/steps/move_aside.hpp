// What a root is made of, where it is not the root itself: it moves to a place of its own below /run.
#pragma once

#include <string>

#include "common/os/mounts.hpp"

namespace diskless::steps {

/// Moves the root, which is mounted at kNewRoot, to `place`, unless an attempt before has done so. It stays visible
/// there: not to be written, as one may be that was there before us (adopt-root), nor a way to programs from which the
/// node has taken the set-user-id bit.
Result<> move_aside(Mounts& mounts, const std::string& place);

}  // namespace diskless::steps
