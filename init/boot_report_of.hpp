// The report of a boot, put together from what its steps found out.
#pragma once

#include "common/plan/executor.hpp"
#include "init/boot.hpp"

namespace diskless {

BootReport boot_report_of(const Boot& boot, const std::vector<StepReport>& steps, Os& os, Nanoseconds started);

/// What that boot was told to do, by command line and image.
BootConfig config_of(const BootReport& report);

}  // namespace diskless
