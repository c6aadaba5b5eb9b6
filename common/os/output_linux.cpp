#include <unistd.h>

#include <cerrno>

#include "common/os/output.hpp"

namespace diskless {

void FileOutput::write(std::string_view text) {
    while (!text.empty()) {
        const ssize_t done = ::write(descriptor_, text.data(), text.size());
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
            if (problem_ == 0) problem_ = done < 0 ? errno : EIO;
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(done));
    }
}

}  // namespace diskless
