#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>

#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/forks.hpp"

namespace diskless {

namespace {

class LinuxForks : public Forks {
  public:
    LinuxForks() {
        void* shared = ::mmap(nullptr, sizeof(Time), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared != MAP_FAILED) until_ = new (shared) Time(0);
    }
    Result<int> split() override {
        const int pid = ::fork();
        if (pid < 0) return fail_errno("fork");
        return pid;
    }
    std::optional<int> wait_for(int pid, Deadline deadline) override {
        // Readable when it has ended; Linux 5.3. Before, it is looked at from time to time.
        const Descriptor end(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        for (;;) {
            int status = 0;
            int ended = 0;
            while ((ended = ::waitpid(-1, &status, WNOHANG)) > 0)
                if (ended == pid) return status;
            if (ended < 0 && errno != EINTR) return -1;
            if (deadline.passed(linux_clock())) return std::nullopt;
            if (end) {
                pollfd polled{end.get(), POLLIN, 0};
                poll_until(&polled, 1, deadline);
            } else {
                linux_clock().sleep(std::min<Nanoseconds>(kLookEvery, deadline.left(linux_clock())));
            }
        }
    }
    void kill(int pid) override { ::kill(pid, SIGKILL); }
    void promise(Nanoseconds until) override {
        if (until_ != nullptr) *until_ = until.count();
    }
    Nanoseconds promised() const override {
        return until_ == nullptr ? Nanoseconds::max() : Nanoseconds{until_->load()};
    }
    int parent() const override { return ::getppid(); }
    void be_called(const char* name) override { ::prctl(PR_SET_NAME, name); }

  private:
    using Time = std::atomic<std::int64_t>;
    static constexpr Nanoseconds kLookEvery = Milliseconds{200};
    Time* until_ = nullptr;
};

}  // namespace

Forks& linux_forks() {
    static LinuxForks forks;
    return forks;
}

}  // namespace diskless
