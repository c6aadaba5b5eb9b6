#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "common/base/text.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/files.hpp"
#include "common/os/tool.hpp"

namespace diskless {

namespace {
constexpr std::size_t kMostOutput = 1 << 20;  // bytes
using Time = std::chrono::steady_clock;

[[noreturn]] void become(const std::vector<std::string>& arguments, int output) noexcept {
    std::vector<char*> argv;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::setenv("LC_ALL", "C", 1);
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
}

/// Reads until the last writer is gone; false when the time is up.
bool collect(int from, Time::time_point end, std::string& text) {
    char bytes[16384];
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Time::now()).count();
        pollfd waiting{from, POLLIN, 0};
        const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(std::min<long long>(left, 60000))) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) {
            if (Time::now() < end && ready == 0) continue;
            return false;
        }
        const auto got = ::read(from, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return true;
        if (text.size() < kMostOutput) text.append(bytes, static_cast<std::size_t>(got));
    }
}
}  // namespace

std::optional<std::string> find_tool(std::string_view name) {
    const char* path = std::getenv("PATH");
    const auto searched = std::string(path ? path : "/usr/bin:/bin") + ":/usr/sbin:/sbin";
    for (const auto directory : split(searched, ':')) {
        if (!directory.starts_with('/')) continue;  // never what lies in the current directory
        auto file = join_path(directory, name);
        if (::access(file.c_str(), X_OK) == 0) return file;
    }
    return std::nullopt;
}

Result<ToolOutput> run_tool(const std::vector<std::string>& arguments, std::chrono::seconds time) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
    Descriptor reads(ends[0]), writes(ends[1]);
    const auto end = Time::now() + time;
    const int child = ::fork();
    if (child < 0) return fail_errno("fork for " + arguments.front());
    if (child == 0) become(arguments, writes.get());
    writes.reset();

    ToolOutput output;
    const bool ended = collect(reads.get(), end, output.text);
    if (!ended) ::kill(child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return fail_errno("wait for " + arguments.front());
    if (!ended) return fail(fmt::format("{} did not end within {} s", arguments.front(), time.count()), {}, ETIMEDOUT);
    output.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return output;
}

}  // namespace diskless
