// A directory below /tmp that goes away with its content.
#pragma once

#include <stdlib.h>

#include <string>
#include <utility>

#include "common/os/files_linux.hpp"

namespace diskless::server {

class Scratch {
  public:
    static Result<Scratch> make() {
        std::string path = "/tmp/diskless-server.XXXXXX";
        if (!::mkdtemp(path.data())) return fail_errno("mkdtemp " + path);
        return Scratch(path);
    }
    Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    Scratch& operator=(Scratch&&) = delete;
    ~Scratch() {
        if (!path_.empty()) (void)LinuxFiles().remove_tree(path_);
    }
    const std::string& path() const { return path_; }

  private:
    explicit Scratch(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

}  // namespace diskless::server
