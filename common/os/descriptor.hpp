// A file descriptor that closes itself.
#pragma once

#include <unistd.h>

#include <utility>

namespace diskless {

class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }

    explicit operator bool() const { return number_ >= 0; }
    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }
    /// Closes now; false (with errno) when the last write did not reach its file, as NFS tells at close(2).
    bool close() { return ::close(release()) == 0; }

  private:
    int number_ = -1;
};

}  // namespace diskless
