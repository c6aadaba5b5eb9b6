// Server programs in the foreground: started, listened to, and ended together.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

struct ServerProcess {
    std::string name;                  // prefix of its lines
    std::vector<std::string> command;  // a path and its arguments; must not put itself into the background
    bool restarts = false;             // on SIGHUP: it does not read all of its configuration again by itself
};

struct SuperviseHooks {
    std::function<void(std::string_view name, std::string_view line)> log;  // each line that a server prints
    std::function<void()> started;                                          // all have been started; may be empty
    std::function<void()> reload;  // on SIGHUP, before the servers get it too; may be empty
};

/// Starts the servers in their order and stays until SIGINT or SIGTERM comes (success), or until one of them ends by
/// itself: an error with its name, its status and its last line. In both cases the others get SIGTERM, and SIGKILL
/// when `patience` is over. When this process is killed, those that have kept their user get SIGTERM, too
/// (PR_SET_PDEATHSIG). The caller has one thread.
Result<> supervise(const std::vector<ServerProcess>& servers, const SuperviseHooks& hooks,
                   std::chrono::milliseconds patience = std::chrono::seconds(10));

}  // namespace diskless
