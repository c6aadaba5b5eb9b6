// The end of every path that has no other: PID 1 must never fall off the end, because the kernel panics then, on a
// console that nobody watches. Allocates nothing, locks nothing, throws nothing: works with a broken heap.
#pragma once

namespace diskless {

struct EmergencyText {
    const char* stage;   // "crash", "hand-over"
    const char* cause;   // one line
    const char* remedy;  // one line, may be empty
};

/// Says it on the kernel's log and so on every console, waits `reboot_after_seconds` (0: for ever, with the text again
/// every minute), then reboots.
[[noreturn]] void emergency_stop(const EmergencyText& text, unsigned reboot_after_seconds) noexcept;

/// From now on SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT and std::terminate end in emergency_stop, with a reboot after
/// that many seconds. For PID 1 only.
void guard_against_crashes(unsigned reboot_after_seconds) noexcept;

}  // namespace diskless
