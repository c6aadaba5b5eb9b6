// A file descriptor that closes itself, and poll(2) up to a deadline. Linux parts only.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

#include "common/os/clock.hpp"

namespace diskless {

class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    int release() noexcept { return std::exchange(fd_, -1); }
    /// Closes now; false (with errno) when the last write did not reach its file, as NFS tells at close(2).
    bool close() noexcept { return ::close(release()) == 0; }
    void reset() noexcept {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

  private:
    int fd_ = -1;
};

/// poll(2) that goes on after signals: number of ready descriptors, 0 when the deadline has passed, -1 with errno.
int poll_until(pollfd* waiting, std::size_t count, Deadline deadline) noexcept;

/// A file of /proc or /sys, read to its end whatever size it claims; at most 16 MiB.
Result<std::string> read_kernel_file(const char* path);

/// Writes all bytes, going on after signals and short writes. False with errno.
bool write_all(int fd, const char* bytes, std::size_t count) noexcept;

}  // namespace diskless
