#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/os/forks.hpp"

namespace diskless {

namespace {

class LinuxForks : public Forks {
  public:
    Result<int> split() override {
        const int pid = ::fork();
        if (pid < 0) return fail_errno("fork");
        return pid;
    }
    int wait_for(int pid) override {
        for (;;) {
            int status = 0;
            const int ended = ::waitpid(-1, &status, 0);
            if (ended == pid) return status;
            if (ended < 0 && errno != EINTR) return -1;
        }
    }
    int parent() const override { return ::getppid(); }
    void be_called(const char* name) override { ::prctl(PR_SET_NAME, name); }
};

}  // namespace

Forks& linux_forks() {
    static LinuxForks forks;
    return forks;
}

}  // namespace diskless
