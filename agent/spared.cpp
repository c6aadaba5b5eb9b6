#include "agent/spared.hpp"

#include <string>

#include "common/base/text.hpp"

namespace diskless {

Result<> spare_processes(Files& files, const std::vector<int>& pids) {
    if (files.exists("/run/systemd/system")) return {};
    TRY(files.make_directories(parent_path(kSparedFile)));
    std::string text;
    for (const int pid : pids) text += std::to_string(pid) + "\n";
    return files.replace(kSparedFile, text);
}

}  // namespace diskless
