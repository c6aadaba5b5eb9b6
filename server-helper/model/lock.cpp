#include "server-helper/model/lock.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <thread>

#include "common/base/text.hpp"
#include "server-helper/model/cluster.hpp"

namespace diskless::server {

namespace {
using Clock = std::chrono::steady_clock;

/// "another diskless-server (process 123)". One that has only just begun has not written its number yet: nothing or
/// that of one that is over stands there.
std::string holder_of(int file) {
    char number[32] = {};
    const auto got = ::pread(file, number, sizeof number - 1, 0);
    const auto pid = got > 0 ? parse_number<pid_t>(trim({number, static_cast<std::size_t>(got)})) : std::nullopt;
    const bool lives = pid && *pid > 0 && (::kill(*pid, 0) == 0 || errno == EPERM);
    return "another diskless-server" + (lives ? fmt::format(" (process {})", *pid) : "");
}

/// Another may wait as well: asked again and again, so that nothing has to interrupt flock(2).
Result<> wait_for(int file, const std::string& base, std::ostream* told) {
    const auto began = Clock::now();
    for (;;) {
        if (::flock(file, LOCK_EX | LOCK_NB) == 0) return {};
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return fail_errno(fmt::format("lock {}/.lock", base));
        const auto waited = Clock::now() - began;
        if (waited >= TreeLock::patience)
            return fail(fmt::format("{} is being changed by {}", base, holder_of(file)),
                        "wait until it is done, then run this again", EWOULDBLOCK);
        if (told != nullptr && waited >= TreeLock::silence) {
            *told << fmt::format("waiting for {}, which changes {} ...\n", holder_of(file), base) << std::flush;
            told = nullptr;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}
}  // namespace

std::chrono::milliseconds TreeLock::silence{2'000}, TreeLock::patience{10'000};

Result<TreeLock> TreeLock::take(const std::string& base, std::ostream* told) {
    const auto path = base + "/.lock";
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file) {
        const int code = errno;
        return fail_errno("lock " + path, code,
                          code == ENOENT ? how_to_make_tree(base)
                          : code == EROFS
                              ? "its file system is read-only: mount it read-write, or run this with --dry-run"
                              : "");
    }
    TRY(wait_for(file.get(), base, told));
    // Who holds it is told to the next one who asks; the lock does not depend on it.
    const auto pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(file.get(), 0) == 0) (void)!::pwrite(file.get(), pid.data(), pid.size(), 0);
    return TreeLock(std::move(file));
}

}  // namespace diskless::server
