// The root and its server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/nfs/portmap.hpp"
#include "tests/unit/init/boot_story.hpp"

namespace diskless {
namespace {

using namespace test_boot;
using ::testing::HasSubstr;

TEST(BootStory, TheReportNamesTheImagesGeneration) {
    Story story;
    story.files.tree({{"/server/root/.diskless-generation", file("IMAGE=debian\nGENERATION=20261121-002550\n")}});
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.root.generation, "20261121-002550");
}

TEST(BootStory, AnNfsServerThatComesUpLateIsWaitedFor) {
    Story story;
    story.mounts.refuse("/sysroot", ECONNREFUSED);
    Executor executor(story.os,
                      {.retry =
                           [&](const StepReport&, const Error&, Milliseconds) {
                               if (story.clock.now() > Seconds{40}) story.mounts.allow("/sysroot");
                           }},
                      false);
    ASSERT_TRUE(executor.run(plan_early(story.boot)));
    const auto result = executor.run(plan_boot(story.boot));
    ASSERT_TRUE(result) << why(result);
    EXPECT_GT(story.clock.now(), Seconds{40});
}

TEST(BootStory, AServerOfNfs3AloneStillTellsThatADirectoryIsNotThere) {
    Story story("init=disklessrc NFSROOT=10.9.0.1:/d/root SNAPSHOT=node003");
    story.mounts.refused_types["nfs4"] = EPROTONOSUPPORT;
    story.serve("/d/root", "/server/root");
    const auto result = story.run();
    ASSERT_TRUE(result) << why(result);
    EXPECT_EQ(story.boot.root.path, "/d/root") << "/d/root/root is not there";

    Story wrong("root=/dev/nfs nfsroot=10.9.0.1:/no/such ip=dhcp diskless.snapshot=none");
    wrong.mounts.refused_types["nfs4"] = EPROTONOSUPPORT;
    Executor executor(wrong.os,
                      {.retry =
                           [&](const StepReport&, const Error& error, Milliseconds) {
                               EXPECT_THAT(error.cause, HasSubstr("has no directory /no/such"));
                               wrong.serve("/no/such", "/server/root");
                           }},
                      false);
    ASSERT_TRUE(executor.run(plan_early(wrong.boot)));
    EXPECT_TRUE(executor.run(plan_boot(wrong.boot)));
}

TEST(BootStory, ARootThatMayNotBeLookedAtIsNotCalledOneWithoutInit) {
    Story story;
    bool squashed = true;
    story.files.hook = [&](const FakeCall& call) -> std::optional<Error> {
        const bool asks = call.name == "status" || call.name == "list";
        if (!squashed || !asks || !(call.path == "/sysroot" || call.path.starts_with("/sysroot/"))) return {};
        if (call.path == "/sysroot" && call.name == "status") return {};
        return Error{"look at " + call.path + ": Permission denied", {}, EACCES};
    };
    Executor executor(story.os,
                      {.retry =
                           [&](const StepReport&, const Error& error, Milliseconds) {
                               EXPECT_THAT(error.cause, HasSubstr("does not let this node look at"));
                               EXPECT_THAT(error.remedy, HasSubstr("no_root_squash"));
                               squashed = false;
                           }},
                      false);
    ASSERT_TRUE(executor.run(plan_early(story.boot)));
    EXPECT_TRUE(executor.run(plan_boot(story.boot)));
    EXPECT_FALSE(squashed);
}

TEST(BootStory, AMountThatHangsIsKilledAndTriedAgain) {
    Story story;
    story.processes.hanging.insert("mount 10.9.0.1:/srv/images/debian/1");
    int retries = 0;
    Executor executor(story.os,
                      {.retry =
                           [&](const StepReport& step, const Error&, Milliseconds) {
                               EXPECT_EQ(step.id, "mount-root");
                               if (++retries == 3) story.processes.hanging.clear();
                           }},
                      false);
    ASSERT_TRUE(executor.run(plan_early(story.boot)));
    EXPECT_TRUE(executor.run(plan_boot(story.boot)));
    EXPECT_EQ(retries, 3);
}

TEST(BootStory, ARwRootIsTheNodesOwn) {
    Story story(std::string(kUsual) + " rw");
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.root.mode, "rw");
    EXPECT_TRUE(story.files.replace("/sysroot/etc/motd", "mine\n"));
    EXPECT_EQ(story.step("mount-root").outcome, StepOutcome::done) << "a root of its own may be exported rw";
}

TEST(BootStory, AnOldMtabInARootOfTheNodesOwnGivesWayToTheKernelsList) {
    Story story(std::string(kUsual) + " rw");
    story.files.tree({{"/server/root/etc/mtab", file("10.9.0.1:/srv/root / nfs rw 0 0\n")}});
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.files.read_link("/sysroot/etc/mtab").value_or(""), "../proc/self/mounts");
}

TEST(BootStory, ASharedRootThatNodesMayWriteIsToldAndMountedOnce) {
    Story story;
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.step("mount-root").outcome, StepOutcome::degraded) << "the fake server lets anybody write";
    EXPECT_THAT(story.step("mount-root").cause, HasSubstr("is exported read-write"));
    EXPECT_EQ(
        std::ranges::count_if(story.mounts.requests, [](const auto& each) { return each.type.starts_with("nfs"); }), 2)
        << "root and snapshot";

    Story strict;
    const auto exported = strict.files.file_system("/server/strict");
    strict.files.tree({{"/server/strict/sbin/init", file("init", 0755)}});
    for (const char* name : {"proc", "sys", "dev", "run"})
        strict.files.tree({{std::string("/server/strict/") + name, directory()}});
    strict.serve("/srv/images/debian/1", "/server/strict");
    exported->forbidden = true;
    const auto result = strict.run();
    ASSERT_TRUE(result) << why(result);
    EXPECT_EQ(strict.step("mount-root").outcome, StepOutcome::done);
}

/// A port mapper that knows mountd and NFS.
std::optional<std::string> map_ports(const std::string& call) {
    ByteReader in(call);
    const auto xid = in.u32();
    in.bytes(36);
    ByteWriter out;
    for (const auto word : {xid, 1U, 0U, 0U, 0U, 0U, in.u32() == kMountProgram ? 20048U : 2049U}) out.u32(word);
    return out.take();
}

TEST(BootStory, ThePortMapperIsAskedOnceForAllMounts) {
    Story story(std::string(kUsual) + " diskless.time=off");
    int calls = 0;
    story.sockets.udp[story.server] = [&calls](const std::string& call) {
        ++calls;
        return map_ports(call);
    };
    ASSERT_TRUE(story.run());
    EXPECT_EQ(calls, 2);
    int mounts = 0;
    for (const auto& request : story.mounts.requests) {
        if (request.type != "nfs") continue;
        ++mounts;
        EXPECT_THAT(request.options, HasSubstr(",mountport=20048"));
        EXPECT_THAT(request.options, HasSubstr(",port=2049"));
    }
    EXPECT_EQ(mounts, 2);

    Story silent(std::string(kUsual) + " diskless.time=off");
    ASSERT_TRUE(silent.run());
    EXPECT_THAT(silent.mounts.requests.back().options, testing::Not(HasSubstr("port=2049")));
}

}  // namespace
}  // namespace diskless
