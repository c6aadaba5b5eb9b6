#include "common/os/service_logs_linux.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

bool ServiceLogs::add(std::string_view name) noexcept {
    if (find(name) != nullptr) return true;
    if (!pipes_ || count_ == logs_.size() || name.empty() || name.size() > kLongestName || name[0] == '.' ||
        name.find('/') != std::string_view::npos)
        return false;
    auto& log = logs_[count_];
    name.copy(log.name, name.size());
    log.name[name.size()] = '\0';
    if (mkfifoat(pipes_.get(), log.name, 0600) != 0 && errno != EEXIST) return false;
    // Writing, too: it never ends then.
    log.pipe = Descriptor(openat(pipes_.get(), log.name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY));
    struct stat found {};
    if (!log.pipe || fstat(log.pipe.get(), &found) != 0 || !S_ISFIFO(found.st_mode)) {
        log.pipe = Descriptor();
        return false;
    }
    open_file(log);
    ++count_;
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
    for (std::size_t i = 0; i < count_; ++i) {
        char bytes[4096];
        for (std::size_t taken = 0; taken < 65536;) {
            const auto got = read(logs_[i].pipe.get(), bytes, sizeof bytes);
            if (got <= 0) break;
            any = true;
            taken += static_cast<std::size_t>(got);
            take({bytes, static_cast<std::size_t>(got)}, logs_[i]);
        }
    }
    return any;
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
