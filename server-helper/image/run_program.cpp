#include "server-helper/image/run_program.hpp"

#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/base/text.hpp"

extern char** environ;

namespace diskless::server {

Result<> run_program(const std::vector<std::string>& arguments, const std::string& package, int no_room) {
    std::vector<char*> pointers;
    for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    pid_t child = 0;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, 2, 1);  // our own output may be JSON
    const int problem = ::posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (problem != 0)
        return fail_errno("run " + arguments[0], problem,
                          fmt::format("install it: apt install {0}, or dnf install {0}", package));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return fail_errno("wait for " + arguments[0]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    auto cause = fmt::format("{} failed ({} {})", join(arguments, " "), WIFEXITED(status) ? "status" : "signal",
                             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    if (no_room != 0 && WIFEXITED(status) && WEXITSTATUS(status) == no_room) return fail(std::move(cause), {}, ENOSPC);
    return fail(std::move(cause), "its own message stands above; then run this again");
}

}  // namespace diskless::server
