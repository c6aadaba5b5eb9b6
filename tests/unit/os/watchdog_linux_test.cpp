// A named pipe in the device's place: it knows no ioctl(2), as drivers that stop at close.
#include "common/os/watchdog_linux.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/watchdog.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstddef>
#include <thread>

#include "tests/fakes/temporary_directory.hpp"

namespace diskless {
namespace {

using ::testing::HasSubstr;

class LinuxWatchdogTest : public ::testing::Test {
  protected:
    LinuxWatchdogTest() {
        EXPECT_EQ(::mkfifo(device_.c_str(), 0600), 0);
        driver_ = Descriptor(::open(device_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    }
    /// What was written since; "(open)" follows while it is not closed.
    std::string written() const {
        char bytes[100];
        std::string all;
        for (;;) {
            const auto count = ::read(driver_.get(), bytes, sizeof bytes);
            if (count <= 0) return all + (count == 0 ? "" : "(open)");
            all.append(bytes, static_cast<std::size_t>(count));
        }
    }

    TemporaryDirectory top_;
    std::string device_ = top_.path + "/watchdog";
    Descriptor driver_;
    LinuxWatchdog watchdog_{device_};
};

TEST_F(LinuxWatchdogTest, ItIsStoppedByAByteAndClosed) {
    const auto time = watchdog_.start(Seconds{60});
    ASSERT_TRUE(time) << time.error().cause;
    EXPECT_EQ(*time, Seconds{60});
    ASSERT_TRUE(watchdog_.feed());
    ASSERT_TRUE(watchdog_.feed());
    EXPECT_EQ(written(), "ff(open)") << "a V would disarm it when this process ends";
    ASSERT_TRUE(watchdog_.stop());
    EXPECT_EQ(written(), "V");
    ASSERT_TRUE(watchdog_.start(Seconds{60}));
    EXPECT_EQ(written(), "(open)") << "armed again";
}

TEST_F(LinuxWatchdogTest, OneThatIsNotThereIsNamed) {
    LinuxWatchdog absent(top_.path + "/absent");
    const auto time = absent.start(Seconds{60});
    ASSERT_FALSE(time);
    EXPECT_EQ(time.error().code, ENOENT);
    EXPECT_THAT(time.error().cause, HasSubstr("/absent"));
}

/// From now on the kernel answers this thread's WDIOC_SETOPTIONS so, and no other call.
bool set_options_fails_with(std::uint32_t code) {
    sock_filter rules[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
                           BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
                           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(WDIOC_SETOPTIONS), 0, 1),
                           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | code),
                           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program{std::size(rules), rules};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

TEST_F(LinuxWatchdogTest, OneThatCannotBeStoppedStaysOpenToBeFedOn) {
    ASSERT_TRUE(watchdog_.start(Seconds{60}));
    bool refused = false;
    Result<> stopped;
    std::thread([&] {
        refused = set_options_fails_with(EBUSY);
        stopped = watchdog_.stop();
    }).join();
    if (!refused) GTEST_SKIP() << "this kernel filters no system calls";
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, EBUSY);
    ASSERT_TRUE(watchdog_.feed());
    EXPECT_EQ(written(), "f(open)");
}

}  // namespace
}  // namespace diskless
