// shutdown(8), for roots that have none.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

/// What is asked by the options of sysvinit's and systemd's shutdown, as the word of disklessctl for it: "poweroff"
/// (also where nothing but a time is given), "reboot", "halt". `arguments` with argv[0]. An error for any time but now:
/// nobody here waits for it.
Result<std::string> shutdown_word(const std::vector<std::string>& arguments);

}  // namespace diskless
