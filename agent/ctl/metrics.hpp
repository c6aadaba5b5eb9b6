// The status as numbers.
#pragma once

#include <string>

#include "common/report/node_status.hpp"

namespace diskless::ctl {

/// OpenMetrics text (prometheus.io, OpenMetrics 1.0), in the part of it that node_exporter's textfile collector reads
/// too: gauges and counters, no timestamps, "# EOF" at the end.
std::string metrics_text(const NodeStatus& status);

}  // namespace diskless::ctl
