// utmp(5) without libc's functions: they wait for a lock as long as ten seconds, and look for names by NSS.
#include <fcntl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <algorithm>
#include <cstring>

#include "common/os/init_process_linux.hpp"

namespace diskless {

namespace {

template <std::size_t size>
void put(char (&field)[size], std::string_view text) {
    std::memset(field, 0, size);
    std::memcpy(field, text.data(), std::min(size, text.size()));
}

struct utmp as_utmp(const LoginRecord& record) {
    struct utmp line {};
    line.ut_tv.tv_sec = static_cast<std::int32_t>(record.time / Seconds{1});
    line.ut_tv.tv_usec = static_cast<std::int32_t>(record.time % Seconds{1} / std::chrono::microseconds{1});
    using Kind = LoginRecord::Kind;
    if (record.kind == Kind::started || record.kind == Kind::ended) {
        line.ut_type = record.kind == Kind::started ? INIT_PROCESS : DEAD_PROCESS;
        line.ut_pid = record.pid;
        std::memcpy(line.ut_id, record.id, sizeof line.ut_id);
        if (WIFSIGNALED(record.status)) line.ut_exit.e_termination = static_cast<short>(WTERMSIG(record.status));
        if (WIFEXITED(record.status)) line.ut_exit.e_exit = static_cast<short>(WEXITSTATUS(record.status));
        return line;
    }
    utsname names{};
    uname(&names);
    line.ut_type = record.kind == Kind::boot ? BOOT_TIME : RUN_LVL;
    put(line.ut_line, "~");
    put(line.ut_id, "~~");
    put(line.ut_user, record.kind == Kind::boot ? "reboot" : record.kind == Kind::shutdown ? "shutdown" : "runlevel");
    put(line.ut_host, names.release);
    if (record.kind == Kind::run_level) line.ut_pid = record.level + 256 * record.before;
    return line;
}

bool same_slot(const struct utmp& a, const struct utmp& b) {
    if (b.ut_type == BOOT_TIME || b.ut_type == RUN_LVL) return a.ut_type == b.ut_type;
    return a.ut_type >= INIT_PROCESS && a.ut_type <= DEAD_PROCESS && std::memcmp(a.ut_id, b.ut_id, 4) == 0;
}

void update(int file, struct utmp line) {
    struct utmp old {};
    off_t at = 0;
    for (; pread(file, &old, sizeof old, at) == sizeof old; at += static_cast<off_t>(sizeof old)) {
        if (!same_slot(old, line)) continue;
        std::memcpy(line.ut_line, line.ut_type == DEAD_PROCESS ? old.ut_line : line.ut_line, sizeof line.ut_line);
        break;
    }
    if (pwrite(file, &line, sizeof line, at) < 0) return;  // no record is worth more than a node that runs
}

}  // namespace

void write_login_records(const std::vector<LoginRecord>& records, const char* utmp, const char* wtmp) {
    Descriptor now(open(utmp != nullptr ? utmp : "/var/run/utmp", O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!now && utmp == nullptr) now = Descriptor(open("/run/utmp", O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    const Descriptor history(open(wtmp, O_WRONLY | O_APPEND | O_CLOEXEC));
    struct flock lock {};
    lock.l_type = F_WRLCK;
    if (now) fcntl(now.get(), F_SETLKW, &lock);
    for (const auto& record : records) {
        const auto line = as_utmp(record);
        if (now) update(now.get(), line);
        if (history && write(history.get(), &line, sizeof line) < 0) return;
    }
}

}  // namespace diskless
