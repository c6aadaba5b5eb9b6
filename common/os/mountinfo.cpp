// Text of /proc/<pid>/mountinfo, format in proc(5):
//   36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
// Any number of optional fields stands before the lone "-". Blank, tab, newline and backslash in names are octal.
#include <algorithm>

#include "common/base/text.hpp"
#include "common/os/mounts.hpp"

namespace diskless {

namespace {

constexpr std::size_t kMostLines = 100'000;  // the kernel's own limit, fs.mount-max
constexpr std::size_t kFixedFields = 6;      // before the optional ones
constexpr std::size_t kLastFields = 3;       // after the "-"

bool is_octal(char c) { return c >= '0' && c <= '7'; }

}  // namespace

std::string unescape_octal(std::string_view field) {
    std::string plain;
    plain.reserve(field.size());
    for (std::size_t i = 0; i < field.size(); ++i) {
        const bool escape = field[i] == '\\' && field.size() - i > 3 && field[i + 1] <= '3' && is_octal(field[i + 1]) &&
                            is_octal(field[i + 2]) && is_octal(field[i + 3]);
        if (!escape) {
            plain += field[i];
            continue;
        }
        plain += static_cast<char>((field[i + 1] - '0') << 6 | (field[i + 2] - '0') << 3 | (field[i + 3] - '0'));
        i += 3;
    }
    return plain;
}

std::vector<MountEntry> parse_mountinfo(std::string_view text) {
    std::vector<MountEntry> entries;
    while (!text.empty() && entries.size() < kMostLines) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);

        // Separated by single blanks; an empty source ("mount -t tmpfs ''") is an empty field.
        const auto fields = split(line, ' ');
        if (fields.size() < kFixedFields + 1 + kLastFields) continue;
        const auto dash = std::find(fields.begin() + kFixedFields, fields.end(), "-");
        if (fields.end() - dash < static_cast<std::ptrdiff_t>(1 + kLastFields)) continue;
        const auto id = parse_number<int>(fields[0]);
        const auto parent = parse_number<int>(fields[1]);
        if (!id || !parent) continue;
        entries.push_back({.id = *id,
                           .parent_id = *parent,
                           .source = unescape_octal(dash[2]),
                           .target = unescape_octal(fields[4]),
                           .type = unescape_octal(dash[1]),
                           .root = unescape_octal(fields[3]),
                           .options = unescape_octal(fields[5]),
                           .super_options = unescape_octal(dash[3])});
    }
    return entries;
}

const MountEntry* mounted_at(const std::vector<MountEntry>& table, std::string_view target) {
    const auto found = std::ranges::find(table, target, &MountEntry::target);
    return found == table.end() ? nullptr : &*found;
}

}  // namespace diskless
