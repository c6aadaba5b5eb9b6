#include <fcntl.h>

#include "common/base/text.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/kernel_log.hpp"

namespace diskless {

std::optional<LogLine> parse_kernel_record(std::string_view record) {
    constexpr std::string_view kOurs = "diskless: ";
    const auto start = record.find(';');
    if (start == std::string_view::npos) return std::nullopt;
    auto text = record.substr(start + 1);
    text = text.substr(0, text.find('\n'));
    const auto fields = split(record.substr(0, start), ',');
    if (fields.size() < 3 || !text.starts_with(kOurs)) return std::nullopt;
    const auto priority = parse_number<unsigned>(fields[0]);  // facility in the higher bits
    const auto microseconds = parse_number<std::int64_t>(fields[2]);
    if (!priority || !microseconds) return std::nullopt;
    return LogLine{std::chrono::microseconds{*microseconds}, static_cast<int>(*priority & 7),
                   std::string(text.substr(kOurs.size()))};
}

std::vector<LogLine> own_kernel_lines(std::size_t most) {
    std::vector<LogLine> lines;
    const Descriptor log(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    char record[2048];
    while (log) {
        const auto got = ::read(log.get(), record, sizeof record);
        if (got < 0 && (errno == EPIPE || errno == EINTR)) continue;  // overwritten meanwhile: on with the next
        if (got <= 0) break;
        auto line = parse_kernel_record({record, static_cast<std::size_t>(got)});
        if (!line) continue;
        if (lines.size() >= most) lines.erase(lines.begin());
        lines.push_back(std::move(*line));
    }
    return lines;
}

}  // namespace diskless
