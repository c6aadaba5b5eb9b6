#pragma once

#include "common/os/mounts.hpp"

namespace diskless {

/// Stateless: safe to use from several threads and in children. Paths are used as they are given, never resolved or
/// looked at beforehand, so nothing but the system call itself can hang.
class LinuxMounts final : public Mounts {
  public:
    Result<> mount(const MountRequest& request) override;
    Result<> bind(const std::string& source, const std::string& target, bool read_only,
                  const std::string& options = {}) override;
    Result<> bind_tree(const std::string& source, const std::string& target) override;
    Result<> move(const std::string& from, const std::string& to) override;
    Result<> remount(const std::string& target, const std::string& options) override;
    Result<> unmount(const std::string& target, Unmount how = Unmount::normal) override;
    Result<bool> would_let_write(const std::string& target) override;
    Result<std::vector<MountEntry>> table() const override;
    bool knows_type(const std::string& type) const override;
};

}  // namespace diskless
