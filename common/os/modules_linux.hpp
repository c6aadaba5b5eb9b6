#pragma once

#include "common/os/devices.hpp"

namespace diskless {

class LinuxModules final : public Modules {
  public:
    Result<> load(const std::string& path, const std::string& parameters = {}) override;
    Result<std::vector<std::string>> loaded() const override;
};

}  // namespace diskless
