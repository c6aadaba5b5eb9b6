#include <fcntl.h>
#include <linux/reboot.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>

#include "common/os/anchors.hpp"
#include "common/os/emergency.hpp"

namespace diskless {

namespace {

unsigned crash_reboot_after = 60;
char alternate_stack[32 * 1024];

void put(int descriptor, const char* a, const char* b, const char* c, const char* d) noexcept {
    char line[900];
    std::size_t used = 0;
    for (const char* part : {a, b, c, d})
        for (; *part != '\0' && used < sizeof line - 1; ++part) line[used++] = *part;
    line[used++] = '\n';
    if (write(descriptor, line, used) < 0) return;  // nobody is left to tell
}

int open_for_writing(const char* path, int flags) noexcept {
    const At at(path);
    return openat(at.directory, at.path, O_WRONLY | O_CLOEXEC | O_NOCTTY | flags);
}

void say(const EmergencyText& text) noexcept {
    // O_NONBLOCK: a console whose reader has gone must not hold us up.
    const int log = open_for_writing("/dev/kmsg", 0);
    const int out = log >= 0 ? log : open_for_writing("/dev/console", O_NONBLOCK);
    if (out < 0) return;
    const char* prefix = log >= 0 ? "<3>diskless: " : "diskless: ";
    put(out, prefix, text.stage, ": ", text.cause);
    if (text.remedy[0] != '\0') put(out, prefix, text.stage, ": what to do: ", text.remedy);
    close(out);
}

void wait_seconds(unsigned seconds) noexcept {
    timespec left{static_cast<time_t>(seconds), 0};
    while (nanosleep(&left, &left) != 0) {
    }
}

const char* name_of(int signal_number) noexcept {
    switch (signal_number) {
        case SIGSEGV:
            return "diskless-init crashed: SIGSEGV";
        case SIGBUS:
            return "diskless-init crashed: SIGBUS";
        case SIGILL:
            return "diskless-init crashed: SIGILL";
        case SIGFPE:
            return "diskless-init crashed: SIGFPE";
        default:
            return "diskless-init aborted";
    }
}

constexpr unsigned kMostCrashes = 5;      // within kCrashTime
constexpr unsigned long kCrashTime = 60;  // seconds
constexpr unsigned long kLongestState = 8192;

// Two texts: a crash while one is written finds the other.
char states[2][kLongestState + 1];
volatile unsigned state_in_use = 0;
const char* restart_program = nullptr;
const char* restart_role = "";
unsigned crashes = 0;
unsigned long crashed_at = 0;  // seconds since boot

char* put_number(char* at, unsigned long number) noexcept {
    char digits[24];
    unsigned count = 0;
    do digits[count++] = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0) *at++ = digits[--count];
    return at;
}

unsigned long read_number(const char*& at) noexcept {
    unsigned long number = 0;
    for (; *at >= '0' && *at <= '9' && number < 1'000'000'000; ++at)
        number = number * 10 + static_cast<unsigned long>(*at - '0');
    return number;
}

/// Async-signal-safe: execve(2) needs no heap. The mask and signals that wait stay over it.
void execute_anew(unsigned count, unsigned long at) noexcept {
    char story[64];
    char* end = put_number(story, count);
    *end++ = ':';
    *put_number(end, at) = '\0';
    const char* arguments[] = {"init", restart_role, story, states[state_in_use & 1], nullptr};
    execve(restart_program, const_cast<char* const*>(arguments), environ);
}

void try_anew(const char* what) noexcept {
    if (restart_program == nullptr) return;
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    const auto seconds = static_cast<unsigned long>(now.tv_sec);
    crashes = seconds - crashed_at <= kCrashTime ? crashes + 1 : 1;
    crashed_at = seconds;
    if (crashes > kMostCrashes) return;
    say({"crash", what, "it goes on where it was; report the lines before this one"});
    execute_anew(crashes, seconds);
}

void on_crash(int signal_number, siginfo_t* information, void*) noexcept {
    // Sent by somebody, not by a fault of this process: nothing has happened to it.
    if (information->si_code <= 0 && information->si_pid != getpid()) {
        const int code = errno;
        say({"signal", "somebody sent a signal that stands for a crash; ignored", ""});
        errno = code;
        return;
    }
    try_anew(name_of(signal_number));
    emergency_stop(
        {"crash", name_of(signal_number), "report the last lines of this console; the node reboots by itself"},
        crash_reboot_after);
}

}  // namespace

[[noreturn]] void emergency_stop(const EmergencyText& text, unsigned reboot_after_seconds) noexcept {
    for (;;) {
        say(text);
        if (reboot_after_seconds == 0) {
            wait_seconds(60);
            continue;
        }
        wait_seconds(reboot_after_seconds);
        syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART, nullptr);
        const int trigger = open_for_writing("/proc/sysrq-trigger", 0);
        if (trigger >= 0 && write(trigger, "b", 1) < 0) reboot_after_seconds = 60;
        reboot_after_seconds = 60;
    }
}

void say_without_memory(const char* what) noexcept {
    static time_t said_at = -10;
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    if (now.tv_sec - said_at < 10) return;
    said_at = now.tv_sec;
    say({"out of memory, left out", what, ""});
}

void restart_after_crashes(const char* program, const char* role, const char* earlier) noexcept {
    restart_program = program;
    restart_role = role;
    crashes = static_cast<unsigned>(read_number(earlier));
    if (*earlier == ':') crashed_at = read_number(++earlier);
}

void keep_crash_state(const char* text, unsigned long length) noexcept {
    if (length > kLongestState) length = kLongestState;
    char* other = states[(state_in_use + 1) & 1];
    std::memcpy(other, text, length);
    other[length] = '\0';
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    state_in_use = state_in_use + 1;
}

void restart_now() noexcept {
    if (restart_program != nullptr) execute_anew(crashes, crashed_at);
}

void guard_against_crashes(unsigned reboot_after_seconds) noexcept {
    crash_reboot_after = reboot_after_seconds == 0 ? 60 : reboot_after_seconds;
    stack_t stack{};
    stack.ss_sp = alternate_stack;
    stack.ss_size = sizeof alternate_stack;
    sigaltstack(&stack, nullptr);
    struct sigaction action {};
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO;
    for (const int signal_number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
        sigaction(signal_number, &action, nullptr);
    std::set_terminate([] {
        try_anew("diskless-init ended by an exception nobody expected");
        emergency_stop(
            {"crash", "diskless-init ended by an exception nobody expected", "report the last lines of this console"},
            crash_reboot_after);
    });
}

}  // namespace diskless
