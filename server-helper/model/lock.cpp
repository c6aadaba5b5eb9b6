#include "server-helper/model/lock.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/text.hpp"

namespace diskless::server {

Result<TreeLock> TreeLock::take(const std::string& base) {
    const auto path = base + "/.lock";
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file)
        return fail_errno("lock " + path, errno,
                          errno == ENOENT ? "make the tree: diskless-server init --base " + base : "");
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return fail_errno("lock " + path);
        char holder[32] = {};
        const auto got = ::pread(file.get(), holder, sizeof holder - 1, 0);
        const auto pid = got > 0 ? printable(trim({holder, static_cast<std::size_t>(got)})) : "of unknown number";
        return fail(fmt::format("{} is being changed by another diskless-server (process {})", base, pid),
                    "wait until it is done, then run this again", EWOULDBLOCK);
    }
    // Who holds it is told to the next one who asks; the lock does not depend on it.
    const auto pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(file.get(), 0) == 0) (void)!::pwrite(file.get(), pid.data(), pid.size(), 0);
    return TreeLock(std::move(file));
}

}  // namespace diskless::server
