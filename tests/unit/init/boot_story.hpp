// A whole boot in microseconds: the real plan, steps and executor on a fake cluster.
#pragma once

#include "common/plan/executor.hpp"
#include "init/plan.hpp"
#include "tests/fakes/fake_cluster.hpp"

namespace diskless::test_boot {

inline constexpr const char* kUsual =
    "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp "
    "diskless.snapshot=10.9.0.1:/srv/snapshots";

struct Story : FakeCluster {
    Boot boot;
    Executor executor{os, {}, false};

    explicit Story(const std::string& command_line = kUsual) : FakeCluster(command_line) {}

    Result<> run() {
        TRY(executor.run(plan_early(boot)));
        return executor.run(plan_boot(boot));
    }
    StepReport step(std::string_view id) {
        for (auto& report : executor.reports())
            if (report.id == id) return report;
        return {};
    }
    std::string seen(const std::string& path) { return files.text("/sysroot" + path); }
};

inline std::string why(const Result<>& result) {
    return result ? "" : result.error().cause + " / " + result.error().remedy;
}

}  // namespace diskless::test_boot
