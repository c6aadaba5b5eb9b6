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

/// "out of memory: <what> is left out" on the kernel's log; once in ten seconds at most.
void say_without_memory(const char* what) noexcept;

/// From now on a crash of this process executes `program` anew, with arguments that let it go on where it was:
/// "init", `role`, "<crashes within a minute>:<seconds since boot>", and what keep_crash_state() was given last. More
/// than five crashes within a minute end in emergency_stop all the same. `earlier` is that third argument of the
/// running program, or empty. Call guard_against_crashes first.
void restart_after_crashes(const char* program, const char* role, const char* earlier) noexcept;
/// Copies the text (cut at 8 kB) to where a crash with a broken heap finds it.
void keep_crash_state(const char* text, unsigned long length) noexcept;
/// The same restart, asked for. Comes back only when it failed.
void restart_now() noexcept;

/// From now on SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT and std::terminate end in emergency_stop, with a reboot after
/// that many seconds. For PID 1 only.
void guard_against_crashes(unsigned reboot_after_seconds) noexcept;

}  // namespace diskless
