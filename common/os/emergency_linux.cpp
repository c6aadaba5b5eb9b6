#include <fcntl.h>
#include <linux/reboot.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>

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

void say(const EmergencyText& text) noexcept {
    // O_NONBLOCK: a console whose reader has gone must not hold us up.
    const int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
    const int out = log >= 0 ? log : open("/dev/console", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
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

void on_crash(int signal_number) noexcept {
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
        const int trigger = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
        if (trigger >= 0 && write(trigger, "b", 1) < 0) reboot_after_seconds = 60;
        reboot_after_seconds = 60;
    }
}

void guard_against_crashes(unsigned reboot_after_seconds) noexcept {
    crash_reboot_after = reboot_after_seconds == 0 ? 60 : reboot_after_seconds;
    stack_t stack{};
    stack.ss_sp = alternate_stack;
    stack.ss_size = sizeof alternate_stack;
    sigaltstack(&stack, nullptr);
    struct sigaction action {};
    action.sa_handler = on_crash;
    action.sa_flags = SA_ONSTACK | SA_NODEFER;
    for (const int signal_number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
        sigaction(signal_number, &action, nullptr);
    std::set_terminate([] {
        emergency_stop(
            {"crash", "diskless-init ended by an exception nobody expected", "report the last lines of this console"},
            crash_reboot_after);
    });
}

}  // namespace diskless
