// A directory for what is needed for a while; it goes away with its content.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/os/descriptor.hpp"

namespace diskless::server {

/// Locked (flock) as long as it lives. What a process left that was killed has no lock any more: whoever makes the next
/// one in the same place takes it away.
class Scratch {
  public:
    /// In $TMPDIR or /tmp, or in the directory `where`.
    static Result<Scratch> make(std::string where = {});
    Scratch(Scratch&& other) noexcept = default;
    Scratch& operator=(Scratch&&) = delete;
    ~Scratch();
    const std::string& path() const { return path_; }

  private:
    Scratch(std::string path, Descriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}
    std::string path_;
    Descriptor lock_;
};

}  // namespace diskless::server
