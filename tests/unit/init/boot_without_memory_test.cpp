// A whole boot on fakes in which an allocation fails: it comes to its end all the same.
#include <gtest/gtest.h>

#include "common/plan/executor.hpp"
#include "init/plan.hpp"
#include "tests/fakes/failing_memory.hpp"
#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

/// As boot_main() does: what throws is called again. True when it was to fail later than the boot needs.
bool boots_without(long first, long count) {
    FakeCluster node(
        "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp diskless.snapshot=10.9.0.1:/srv/snapshots");
    Boot boot;
    Executor executor(node.os, {}, false);
    bool booted = false, failed_all = false;
    {
        const FailingMemory memory(first, count);
        for (int tries = 0; tries < 200 && !booted; ++tries) {
            try {
                booted = executor.run(plan_early(boot)) && executor.run(plan_boot(boot));
            } catch (const std::bad_alloc&) {
                node.clock.advance(Seconds{1});
            }
        }
        failed_all = memory.is_over();
    }
    EXPECT_TRUE(booted) << "allocation " << first << " and " << count - 1 << " after it fail";
    return !failed_all;
}

TEST(BootWithoutMemory, ComesToItsEndWhateverAllocationFails) {
    long first = 1;
    // Each of the first ones, then a part of them that has no common divisor with anything.
    while (!boots_without(first, 1) && !HasFailure()) first += first < 300 ? 1 : 97;
    EXPECT_GT(first, 1000) << "there was nothing to fail";
}

TEST(BootWithoutMemory, ComesToItsEndWhenThereIsNoneForAWhile) {
    long first = 1;
    while (!boots_without(first, 20) && !HasFailure()) first += 131;
    EXPECT_GT(first, 1000);
}

}  // namespace
}  // namespace diskless
