#include "common/os/service_logs_linux.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "common/os/anchors.hpp"
#include "common/os/clock_linux.hpp"

namespace diskless {

namespace {

Result<Descriptor> open_directory(const std::string& path) {
    const At at(path);
    if (mkdirat(at.directory, at.path, 0700) != 0 && errno != EEXIST) return fail_errno("make " + path);
    Descriptor directory(::openat(at.directory, at.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!directory) return fail_errno("open " + path);
    return directory;
}

/// Seconds since the kernel's start, as its own log has them.
std::size_t put_time(char (&to)[32]) noexcept {
    const auto hundredths = linux_clock().now() / Milliseconds{10};
    const int length = std::snprintf(to, sizeof to, "%lld.%02lld ", static_cast<long long>(hundredths / 100),
                                     static_cast<long long>(hundredths % 100));
    return static_cast<std::size_t>(length);
}

}  // namespace

Result<> ServiceLogs::open(const char* directory) {
    const std::string place(directory);
    (void)TRY(open_directory(place));
    now_ = TRY(open_directory(place + "/now"));
    before_ = TRY(open_directory(place + "/before"));
    pipes_ = TRY(open_directory(place + "/pipe"));
    if (DIR* listing = fdopendir(dup(pipes_.get())); listing != nullptr) {
        while (const dirent* entry = readdir(listing))
            if (entry->d_name[0] != '.') add(entry->d_name);
        closedir(listing);
    }
    return {};
}

ServiceLogs::Log* ServiceLogs::find(std::string_view name) noexcept {
    for (std::size_t i = 0; i < count_; ++i)
        if (logs_[i].called() == name) return &logs_[i];
    return nullptr;
}

void ServiceLogs::keep(const std::vector<std::string>& names) noexcept {
    for (std::size_t i = 0; i < count_; ++i)
        logs_[i].in_use = std::find(names.begin(), names.end(), logs_[i].called()) != names.end();
}

/// A service may leave something behind in the background, which would wait for ever for its output to be read.
bool ServiceLogs::is_written_to(Log& log) noexcept {
    take(log);
    // Ours writes, too: without it a reader is told when there is no other.
    Descriptor reading(openat(pipes_.get(), log.name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY));
    if (!reading) return true;
    log.pipe.reset();
    pollfd asked{reading.get(), 0, 0};
    const bool ended = poll(&asked, 1, 0) == 1 && (asked.revents & POLLHUP) != 0;
    log.pipe = open_pipe(log.name);
    if (!log.pipe) log.pipe = std::move(reading);
    return !ended;
}

void ServiceLogs::clear(Log& log) noexcept {
    unlinkat(pipes_.get(), log.name, 0);
    unlinkat(now_.get(), log.name, 0);
    unlinkat(before_.get(), log.name, 0);
    log.pipe.reset();
    log.file.reset();
    log.used = 0;
    log.name[0] = '\0';
}

ServiceLogs::Log* ServiceLogs::free_slot() noexcept {
    for (std::size_t i = 0; i < count_; ++i)
        if (logs_[i].name[0] == '\0') return &logs_[i];
    if (count_ < logs_.size()) return &logs_[count_++];
    for (auto& log : logs_) {
        if (log.in_use || is_written_to(log)) continue;
        clear(log);
        return &log;
    }
    return nullptr;
}

Descriptor ServiceLogs::open_pipe(const char* name) const noexcept {
    // Writing, too: it never ends then.
    return Descriptor(openat(pipes_.get(), name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY));
}

bool ServiceLogs::add(std::string_view name) noexcept {
    if (auto* known = find(name); known != nullptr) {
        known->in_use = true;
        return true;
    }
    if (!pipes_ || name.empty() || name.size() > kLongestName || name[0] == '.' ||
        name.find('/') != std::string_view::npos)
        return false;
    auto* log = free_slot();
    if (log == nullptr) return false;
    name.copy(log->name, name.size());
    log->name[name.size()] = '\0';
    log->in_use = true;
    struct stat found {};
    if (mkfifoat(pipes_.get(), log->name, 0600) == 0 || errno == EEXIST) log->pipe = open_pipe(log->name);
    if (!log->pipe || fstat(log->pipe.get(), &found) != 0 || !S_ISFIFO(found.st_mode)) {
        log->pipe.reset();
        log->name[0] = '\0';
        return false;
    }
    open_file(*log);
    return true;
}

bool ServiceLogs::become_output_of(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
        if (logs_[i].called() != name) continue;
        // A description of its own: the service waits where PID 1 does not.
        const int output = openat(pipes_.get(), logs_[i].name, O_RDWR | O_NOFOLLOW | O_NOCTTY);
        if (output < 0) return false;
        const bool done = dup2(output, 1) == 1 && dup2(output, 2) == 2;
        if (output > 2) close(output);
        return done;
    }
    return false;
}

void ServiceLogs::poll_for(pollfd* to) const noexcept {
    for (std::size_t i = 0; i < count_; ++i) to[i] = {logs_[i].pipe.get(), POLLIN, 0};
}

bool ServiceLogs::take() noexcept {
    bool any = false;
    for (std::size_t i = 0; i < count_; ++i) any = take(logs_[i]) || any;
    return any;
}

bool ServiceLogs::take(Log& log) noexcept {
    std::size_t taken = 0;
    while (taken < 65536) {
        char bytes[4096];
        const auto got = read(log.pipe.get(), bytes, sizeof bytes);
        if (got <= 0) break;
        taken += static_cast<std::size_t>(got);
        take({bytes, static_cast<std::size_t>(got)}, log);
    }
    return taken != 0;
}

void ServiceLogs::take(std::string_view bytes, Log& log) noexcept {
    for (const char c : bytes) {
        if (c == '\n' || log.used == sizeof log.line) end_line(log);
        // What moves a cursor has no place in a log; what is not ASCII is left to the reader.
        if (c != '\n' && c != '\r' && c != '\0')
            log.line[log.used++] = static_cast<unsigned char>(c) < 32 && c != '\t' ? '?' : c;
    }
}

void ServiceLogs::end_line(Log& log) noexcept {
    char text[sizeof(char[32]) + kLongestLine + 1], time[32];
    std::size_t length = put_time(time);
    std::memcpy(text, time, length);
    std::memcpy(text + length, log.line, log.used);
    length += log.used;
    text[length++] = '\n';
    log.used = 0;
    append(log, {text, length});
}

void ServiceLogs::note(std::string_view name, std::string_view text) noexcept {
    auto* log = find(name);
    if (log == nullptr) return;
    if (log->used != 0) end_line(*log);
    char line[32 + 160], time[32];
    std::size_t length = put_time(time);
    std::memcpy(line, time, length);
    for (const auto part : {std::string_view("-- "), text.substr(0, 120), std::string_view(" --\n")}) {
        part.copy(line + length, part.size());
        length += part.size();
    }
    append(*log, {line, length});
}

void ServiceLogs::open_file(Log& log) noexcept {
    log.file = Descriptor(openat(now_.get(), log.name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    struct stat found {};
    log.size = log.file && fstat(log.file.get(), &found) == 0 ? static_cast<std::size_t>(found.st_size) : 0;
}

void ServiceLogs::append(Log& log, std::string_view text) noexcept {
    if (log.size + text.size() > kServiceLogSize) {
        if (renameat(now_.get(), log.name, before_.get(), log.name) != 0) unlinkat(now_.get(), log.name, 0);
        open_file(log);
    }
    // No room in memory: the line is lost, the service goes on.
    const auto wrote = log.file ? write(log.file.get(), text.data(), text.size()) : -1;
    if (wrote > 0) log.size += static_cast<std::size_t>(wrote);
}

}  // namespace diskless
