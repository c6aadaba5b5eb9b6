#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/os/clock_linux.hpp"
#include "common/os/devices_linux.hpp"
#include "common/os/machine_linux.hpp"
#include "common/os/modules_linux.hpp"

namespace diskless {
namespace {

using testing::HasSubstr;

TEST(Machine, TakesItsNames) {  // in a UTS namespace of the test's own
    LinuxMachine machine;
    ASSERT_TRUE(machine.set_hostname("node7"));
    ASSERT_TRUE(machine.set_nis_domain("cluster"));
    char name[80] = "", domain[80] = "";
    gethostname(name, sizeof name);
    EXPECT_STREQ(name, "node7");
    EXPECT_EQ(getdomainname(domain, sizeof domain), 0);
    EXPECT_STREQ(domain, "cluster");
    const auto long_name = machine.set_hostname(std::string(65, 'x'));
    ASSERT_FALSE(long_name);
    EXPECT_EQ(long_name.error().code, EINVAL);
    EXPECT_NE(machine.kernel_release(), "");
}

TEST(Machine, RandomNumbersDiffer) {
    LinuxMachine machine;
    EXPECT_NE(machine.random(), machine.random());
    const auto one = machine.secret(32, Deadline{}), other = machine.secret(32, Deadline{});
    ASSERT_TRUE(one && other);
    EXPECT_EQ(one->size(), 32U);
    EXPECT_NE(*one, *other);
}

TEST(KernelLogRecord, IsOneSafeLine) {
    EXPECT_EQ(kernel_log_record(6, "mounted"), "<6>diskless: mounted\n");
    EXPECT_EQ(kernel_log_record(99, "a\nb\x1b"), "<7>diskless: a\\x0ab\\x1b\n");
    for (std::size_t length = 870; length < 910; ++length) {
        const auto record = kernel_log_record(3, std::string(length, 'x') + "\xc3\xb6\xc3\xb6");
        EXPECT_LE(record.size(), 900U);
        EXPECT_EQ(record.back(), '\n');
        // cut between characters: no lone lead byte before the dots
        const auto last = static_cast<unsigned char>(record[record.size() - 5]);
        if (record.ends_with("...\n")) {
            EXPECT_NE(last, 0xc3) << length;
        }
    }
    EXPECT_LE(kernel_log_record(3, std::string(5000, '\1')).size(), 900U);
}

/// Runs `work` in a process with a mount namespace of its own; its exit status.
template <class Work>
int apart(Work work) {
    const int pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(100);
        _exit(work());
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Machine, SwitchesRootToAMountPoint) {
    EXPECT_EQ(apart([] {
                  mkdir("/tmp/new", 0755);
                  if (mount("none", "/tmp/new", "tmpfs", 0, nullptr) != 0) return 1;
                  mkdir("/tmp/new/marker", 0755);
                  LinuxMachine machine;
                  if (!machine.switch_root("/tmp/new")) return 2;
                  char here[64] = "";
                  if (getcwd(here, sizeof here) == nullptr || std::string(here) != "/") return 3;
                  if (access("/marker", F_OK) != 0) return 4;
                  return access("/etc", F_OK) == 0 ? 5 : 0;
              }),
              0);
}

TEST(Machine, RefusesToSwitchToAPlainDirectory) {
    EXPECT_EQ(apart([] {
                  mkdir("/tmp/plain", 0755);
                  LinuxMachine machine;
                  const auto plain = machine.switch_root("/tmp/plain");
                  const auto absent = machine.switch_root("/tmp/absent");
                  if (plain || plain.error().code != EINVAL || plain.error().remedy.empty()) return 1;
                  return !absent && absent.error().code == ENOENT ? 0 : 2;
              }),
              0);
}

TEST(Clock, SleepsAtLeastAsLongAsAsked) {
    const auto start = linux_clock().now();
    linux_clock().sleep(Milliseconds{20});
    EXPECT_GE(linux_clock().now() - start, Milliseconds{20});
    linux_clock().sleep(Nanoseconds{-5});
    EXPECT_GT(linux_clock().wall(), Seconds{1'600'000'000});
}

TEST(Devices, HaveModaliasesEachOnceAndSorted) {
    LinuxDevices devices;
    const auto found = devices.modaliases();
    ASSERT_TRUE(found) << found.error().cause;
    EXPECT_TRUE(std::is_sorted(found->begin(), found->end()));
    EXPECT_EQ(std::adjacent_find(found->begin(), found->end()), found->end());
    EXPECT_THAT(*found, testing::Not(testing::IsEmpty()));
    EXPECT_THAT(*found, testing::Each(testing::Not(testing::StartsWith("cpu:")))) << "its modules lead to no network";
    EXPECT_THAT(*found, testing::Each(testing::Not(HasSubstr("\n"))));
}

TEST(Devices, WaitEndsAtTheDeadline) {
    LinuxDevices devices;
    devices.modaliases().value();
    const auto limit = Deadline::after(linux_clock(), Seconds{5});
    while (devices.wait_for_event(Deadline::after(linux_clock(), Milliseconds{20})) && !limit.passed(linux_clock())) {
    }
    EXPECT_FALSE(limit.passed(linux_clock()));
}

TEST(Modules, SayWhyTheyCannotBeLoaded) {
    LinuxModules modules;
    const auto absent = modules.load("/no/such.ko");
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, ENOENT);
    EXPECT_THAT(absent.error().cause, HasSubstr("/no/such.ko"));
    EXPECT_THAT(absent.error().remedy, HasSubstr("rebuild the image"));

    const auto no_module = modules.load("/etc/passwd");
    ASSERT_FALSE(no_module) << "no module at all";
    // A lean form that does not fit the file: it is tried whole, and that says what is wrong.
    for (const LeanForm& lean : {LeanForm{1 << 20, {}}, LeanForm{64, {1 << 20}}, LeanForm{8, {8}}}) {
        LinuxModules fresh;  // one that was refused once tries no lean form again
        const auto refused = fresh.load("/etc/passwd", {}, lean);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().cause, no_module.error().cause);
    }
    EXPECT_TRUE(modules.loaded());
}

}  // namespace
}  // namespace diskless
