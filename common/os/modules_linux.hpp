#pragma once

#include <atomic>

#include "common/os/devices.hpp"

namespace diskless {

class LinuxModules final : public Modules {
  public:
    Result<> load(const std::string& path, const std::string& parameters = {}, const LeanForm& lean = {}) override;
    Result<std::vector<std::string>> loaded() const override;

  private:
    std::atomic<bool> whole_only_ = false;
};

}  // namespace diskless
