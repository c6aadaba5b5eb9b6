#include "common/os/beneath_linux.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/os/descriptor.hpp"
#include "common/os/files.hpp"

namespace diskless {

Result<std::string> read_beneath(const std::string& directory, const std::string& path, std::size_t limit) {
    const auto shown = join_path(directory, path);
    const Descriptor base(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!base) return fail_errno("open directory " + directory);
    open_how how{};
    how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;  // a fifo must not stop us
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const Descriptor file(static_cast<int>(::syscall(SYS_openat2, base.get(), path.c_str(), &how, sizeof how)));
    if (!file) return fail_errno("open " + shown, errno, errno == ELOOP ? "a symlink stands where none may be" : "");
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return fail_errno("stat " + shown);
    if (!S_ISREG(status.st_mode)) return fail(shown + " is no regular file", "remove it", EINVAL);
    std::string content(limit + 1, '\0');
    std::size_t used = 0;
    while (used < content.size()) {
        const auto got = ::read(file.get(), content.data() + used, content.size() - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("read " + shown);
        if (got == 0) break;
        used += static_cast<std::size_t>(got);
    }
    if (used > limit) return fail_errno("read " + shown, EFBIG);
    content.resize(used);
    return content;
}

}  // namespace diskless
