// What the kernel's log still has of our own lines.
#pragma once

#include <string_view>
#include <vector>

#include "common/report/agent_state.hpp"

namespace diskless {

/// A record of /dev/kmsg ("6,339,5140900,-;diskless: text\n…", Documentation/ABI/testing/dev-kmsg): its line when
/// Machine::say() wrote it.
std::optional<LogLine> parse_kernel_record(std::string_view record);

/// The newest `most` lines. Never blocks; nothing where the log may not be read.
std::vector<LogLine> own_kernel_lines(std::size_t most);

}  // namespace diskless
