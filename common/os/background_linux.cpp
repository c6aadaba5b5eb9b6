#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "common/os/background.hpp"
#include "common/os/child_result.hpp"
#include "common/os/descriptor.hpp"

namespace diskless {

namespace {

class LinuxBackground : public Background {
  public:
    Result<std::unique_ptr<BackgroundChild>> start(const std::function<Result<std::string>()>& work) override;

    /// Collects it now, or later: killed is not dead yet.
    void leave(int pid) {
        left_.push_back(pid);
        collect();
    }
    void collect() override {
        std::erase_if(left_, [](int one) { return ::waitpid(one, nullptr, WNOHANG) != 0; });
    }

  private:
    std::vector<int> left_;
};

class LinuxBackgroundChild : public BackgroundChild {
  public:
    LinuxBackgroundChild(LinuxBackground& owner, int pid, Descriptor pipe)
        : owner_(owner), pid_(pid), pipe_(std::move(pipe)) {}
    ~LinuxBackgroundChild() override {
        ::kill(pid_, SIGKILL);
        owner_.leave(pid_);
    }
    LinuxBackgroundChild(const LinuxBackgroundChild&) = delete;
    LinuxBackgroundChild& operator=(const LinuxBackgroundChild&) = delete;

    const std::optional<Result<std::string>>& result() override {
        char chunk[1024];
        while (!result_) {
            const auto got = ::read(pipe_.get(), chunk, sizeof chunk);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0 && errno == EAGAIN) break;
            if (got > 0) bytes_.append(chunk, static_cast<std::size_t>(got));
            result_ = unpack_result(bytes_);
            if (got <= 0 && !result_) result_ = fail("the child ended without a result");
        }
        return result_;
    }

  private:
    LinuxBackground& owner_;
    int pid_;
    Descriptor pipe_;
    std::string bytes_;
    std::optional<Result<std::string>> result_;
};

Result<std::unique_ptr<BackgroundChild>> LinuxBackground::start(const std::function<Result<std::string>()>& work) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
    Descriptor reading(ends[0]), writing(ends[1]);
    const int parent = ::getpid();
    const int pid = ::fork();
    if (pid < 0) return fail_errno("fork");
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) _exit(1);  // it was quicker
        reading.reset();
        const auto bytes = pack_result(work());
        _exit(write_all(writing.get(), bytes.data(), bytes.size()) ? 0 : 1);
    }
    ::fcntl(reading.get(), F_SETFL, O_NONBLOCK);
    return std::unique_ptr<BackgroundChild>(std::make_unique<LinuxBackgroundChild>(*this, pid, std::move(reading)));
}

}  // namespace

Background& linux_background() {
    static auto& background = *new LinuxBackground;
    return background;
}

}  // namespace diskless
