// From outside of PID 1: has our own one read its inittab again.
#pragma once

#include <string>
#include <vector>

#include "common/os/os.hpp"

namespace diskless {

/// A line for each change, those with trouble begin with "!"; none where PID 1 is another program or nothing has
/// changed. An error: it does not answer.
Result<std::vector<std::string>> reload_inittab(Os& os);

}  // namespace diskless
