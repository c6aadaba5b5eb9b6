#include <fcntl.h>

#include <algorithm>

#include "common/os/anchors.hpp"
#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"

namespace diskless {

int poll_until(pollfd* waiting, std::size_t count, Deadline deadline) noexcept {
    for (;;) {
        // Long waits come in slices of a minute: no overflow, and time that passed in suspend is noticed.
        const auto left = deadline.left(linux_clock());
        const auto slice = std::min<Nanoseconds>(left, std::chrono::minutes(1));
        const auto seconds = std::chrono::duration_cast<Seconds>(slice);
        const timespec timeout{seconds.count(), (slice - seconds).count()};
        const int ready = ppoll(waiting, count, &timeout, nullptr);
        if (ready > 0) return ready;
        if (ready < 0 && errno != EINTR) return -1;
        if (left == Nanoseconds{0}) return 0;
    }
}

Result<std::string> read_kernel_file(const char* path) {
    constexpr std::size_t kMost = std::size_t{16} << 20;
    const At at(path);
    const Descriptor file(openat(at.directory, at.path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!file) return fail_errno(std::string("open ") + path);
    std::string text;
    while (text.size() < kMost) {
        const auto had = text.size();
        text.resize(had + 16384);
        const auto got = read(file.get(), text.data() + had, 16384);
        text.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got == 0) break;
        if (got < 0 && errno != EINTR) return fail_errno(std::string("read ") + path);
    }
    return text;
}

bool write_all(int fd, const char* bytes, std::size_t count) noexcept {
    while (count > 0) {
        const auto written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes += written;
        count -= static_cast<std::size_t>(written);
    }
    return true;
}

}  // namespace diskless
