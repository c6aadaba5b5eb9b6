#include <fcntl.h>
#include <linux/reboot.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <optional>

#include "common/os/anchors.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/resident.hpp"

namespace diskless {

namespace {

unsigned reboot_command(PowerVerb verb) {
    switch (verb) {
        case PowerVerb::reboot:
            return LINUX_REBOOT_CMD_RESTART;
        case PowerVerb::poweroff:
            return LINUX_REBOOT_CMD_POWER_OFF;
        case PowerVerb::halt:
            return LINUX_REBOOT_CMD_HALT;
        case PowerVerb::kexec:
            return LINUX_REBOOT_CMD_KEXEC;
    }
    return LINUX_REBOOT_CMD_RESTART;
}

struct LastWords {
    timespec at{};
    unsigned command = 0;  // of reboot(2); 0: sysrq
    int sysrq = -1;        // /proc/sysrq-trigger
    char key = 'b';
};

/// Nothing here allocates or opens anything: at this point nothing may be left to open.
void* end_it(void* argument) {
    const auto& words = *static_cast<const LastWords*>(argument);
    while (::clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &words.at, nullptr) == EINTR) {
    }
    for (;;) {
        if (words.command != 0)
            ::syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, words.command, nullptr);
        else
            (void)!::write(words.sysrq, &words.key, 1);
        const timespec again{1, 0};
        ::nanosleep(&again, nullptr);
    }
}

Result<> start_thread(LastWords& words) {
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, 64 << 10);
    ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    const int problem = ::pthread_create(&thread, &attributes, end_it, &words);
    ::pthread_attr_destroy(&attributes);
    if (problem != 0) return fail_errno("start the thread that ends this machine", problem);
    return {};
}

Result<> write_once(const char* path, std::string_view content) {
    const At at(path);
    const int fd = ::openat(at.directory, at.path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(std::string("open ") + path);
    const ssize_t done = ::write(fd, content.data(), content.size());
    const int code = errno;
    ::close(fd);
    if (done != static_cast<ssize_t>(content.size())) return fail_errno(std::string("write ") + path, code);
    return {};
}

}  // namespace

Result<> become_resident(KeepInMemory what) {
    std::optional<Error> first;
    for (const int number : {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2}) ::signal(number, SIG_IGN);
    if (auto spared = write_once("/proc/self/oom_score_adj", "-1000"); !spared) first = spared.error();
    const int on_fault = what == KeepInMemory::touched ? MCL_ONFAULT : 0;
    if (::mlockall(MCL_CURRENT | MCL_FUTURE | on_fault) != 0 && !first) first = fail_errno("mlockall").value();
    if (first) return Failure(*first);
    return {};
}

namespace {
volatile sig_atomic_t term_sender = -1;  // -1: none; 0: the kernel, or out of another process namespace
}

void keep_term() {
    struct sigaction action {};
    action.sa_sigaction = [](int, siginfo_t* information, void*) { term_sender = information->si_pid; };
    action.sa_flags = SA_SIGINFO;  // no SA_RESTART
    ::sigaction(SIGTERM, &action, nullptr);
}

std::optional<int> taken_term() {
    if (term_sender < 0) return std::nullopt;
    const int sender = term_sender;
    term_sender = -1;
    return sender;
}

Result<> tell_manager(std::string_view state) {
    const char* path = ::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t size = path == nullptr ? 0 : std::strlen(path);
    if (size == 0) return {};
    if (size >= sizeof address.sun_path || (*path != '/' && *path != '@'))
        return fail("NOTIFY_SOCKET is no address of a socket", {}, EINVAL);
    std::memcpy(address.sun_path, path, size);
    if (*path == '@') address.sun_path[0] = '\0';  // Linux: a name without a file
    const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
    if (::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 length) < 0)
        return fail_errno("tell " + std::string(path));
    return {};
}

Result<> end_machine_at(Deadline deadline, PowerVerb verb, Nanoseconds patience) {
    static LastWords reboot_words, sysrq_words;  // outlive every thread
    const auto at = [](Nanoseconds moment) {
        return timespec{static_cast<time_t>(moment.count() / 1'000'000'000),
                        static_cast<long>(moment.count() % 1'000'000'000)};
    };
    reboot_words.at = at(deadline.at);
    reboot_words.command = reboot_command(verb);
    TRY(start_thread(reboot_words));

    sysrq_words.at = at(deadline.at + patience);
    sysrq_words.key = verb == PowerVerb::reboot || verb == PowerVerb::kexec ? 'b' : 'o';
    const At trigger("/proc/sysrq-trigger");
    sysrq_words.sysrq = ::openat(trigger.directory, trigger.path, O_WRONLY | O_CLOEXEC);
    if (sysrq_words.sysrq < 0) return fail_errno("open /proc/sysrq-trigger");
    return start_thread(sysrq_words);
}

Result<Space> free_space(const std::string& path) {
    struct statvfs found {};
    if (::statvfs(path.c_str(), &found) != 0) return fail_errno("statvfs " + path);
    Space space;
    space.free_bytes = std::uint64_t{found.f_bavail} * found.f_frsize;
    space.total_bytes = std::uint64_t{found.f_blocks} * found.f_frsize;
    space.free_inodes = found.f_favail;
    space.total_inodes = found.f_files;
    space.read_only = (found.f_flag & ST_RDONLY) != 0;
    return space;
}

}  // namespace diskless
