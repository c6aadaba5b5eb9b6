#include "init/supervisor/inittab.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/os/files.hpp"

namespace diskless {

namespace {

constexpr std::size_t kMostEntries = 256;
constexpr std::size_t kMostProblems = 16;
constexpr std::size_t kLongestProcess = 1024;  // bytes; sysvinit takes 127
constexpr std::size_t kLongestId = 15;         // sysvinit takes 4, terminals have longer names

constexpr RunLevels kDigits = 0x3FF, kSingle = 1 << 10, kOnDemand = 7 << 11;
constexpr RunLevels kWaysDown = 1 << 0 | 1 << 6;

// In the order of the enumeration.
constexpr std::array<std::string_view, 18> kActions{
    "sysinit",      "boot",       "bootwait",  "initdefault", "wait",      "once",
    "respawn",      "ondemand",   "off",       "powerfail",   "powerwait", "powerokwait",
    "powerfailnow", "ctrlaltdel", "kbrequest", "shutdown",    "restart",   "askfirst"};

/// Names under which inittabs call what this program does by itself.
bool is_ourselves(std::string_view process) {
    const auto all = words(process);
    if (all.empty()) return false;
    const auto base = all[0].substr(all[0].rfind('/') + 1);
    return base == "Rcinit" || base == "disklessrc" || base == "diskless-init";
}

bool is_terminal_name(std::string_view id) {
    if (id.empty() || id.size() > kLongestId || id.find("..") != std::string_view::npos) return false;
    return std::ranges::all_of(id, [](char c) { return c > ' ' && c < '\x7f' && c != '\\' && c != '"'; });
}

struct Line {
    int number = 0;
    std::string_view id, levels, action, process;
};

class Reader {
  public:
    Inittab read(std::string_view text) {
        split_lines(text);
        table_.busybox = std::ranges::all_of(lines_, [](const Line& line) { return line.levels.empty(); });
        for (const auto& line : lines_) read(line);
        if (table_.busybox) order_as_busybox();
        settle_level();
        return std::move(table_);
    }

  private:
    /// `pattern` has one "{}" for the object, which comes from the file.
    [[gnu::noinline]] void problem(int line, const char* pattern, std::string_view object, std::string_view remedy) {
        auto& problems = table_.problems;
        if (problems.size() > kMostProblems) return;
        if (problems.size() == kMostProblems) {
            pattern = "there is more that cannot be meant: left out here{}";
            object = remedy = {};
        }
        problems.push_back({line, fmt::format(fmt::runtime(pattern), printable(object.substr(0, 60))), remedy});
    }

    void split_lines(std::string_view text) {
        int number = 0;
        for (const auto raw : lines(text)) {
            ++number;
            const auto line = trim(raw);
            if (line.empty() || line.front() == '#') continue;
            std::array<std::size_t, 3> colons{};
            std::size_t from = 0;
            bool whole = true;
            for (auto& colon : colons) {
                colon = line.find(':', from);
                if (colon == std::string_view::npos) whole = false;
                if (!whole) break;
                from = colon + 1;
            }
            if (!whole) {
                problem(number, "\"{}\" is no entry", line, "write id:runlevels:action:process");
                continue;
            }
            lines_.push_back({number, trim(line.substr(0, colons[0])),
                              trim(line.substr(colons[0] + 1, colons[1] - colons[0] - 1)),
                              trim(line.substr(colons[1] + 1, colons[2] - colons[1] - 1)), trim(line.substr(from))});
        }
    }

    bool read_levels(const Line& line, InittabEntry& entry) {
        for (const char c : line.levels) {
            if (c == '*' || c == '#') {
                entry.levels |= kDigits;
            } else if (const auto bit = run_level_bit(c); bit != 0) {
                entry.levels |= bit;
            } else {
                problem(line.number, "\"{}\" are no run levels", line.levels, "run levels are 0 to 9, S, a, b and c");
                return false;
            }
        }
        // Busybox has no levels: its entries run while the node is up. sysvinit: none means all.
        if (line.levels.empty()) entry.levels = table_.busybox ? kDigits & ~kWaysDown : kDigits;
        return true;
    }

    void read(const Line& line) {
        const auto found = std::ranges::find(kActions, line.action);
        if (found == kActions.end())
            return problem(line.number, "there is no action \"{}\"", line.action, "inittab(5) lists the actions");
        InittabEntry entry;
        entry.action = static_cast<InittabAction>(found - kActions.begin());
        if (!read_levels(line, entry)) return;
        if (entry.action == InittabAction::initdefault) return read_default(line);
        if (entry.action == InittabAction::off) return;
        if ((entry.levels & kOnDemand) != 0 && entry.action == InittabAction::respawn)
            entry.action = (entry.levels & ~kOnDemand) == 0 ? InittabAction::ondemand : entry.action;

        auto process = line.process;
        for (; !process.empty() && (process[0] == '+' || process[0] == '-'); process.remove_prefix(1))
            (process[0] == '+' ? entry.recorded : entry.login) = process[0] == '-';
        if (process.empty() || process.find('\0') != std::string_view::npos || process.size() > kLongestProcess)
            return problem(line.number, "{} has no process that can be run", line.action,
                           "write a program and its arguments, at most 1024 bytes");
        if (is_ourselves(process)) {
            table_.names_us = true;
            return;
        }
        entry.process = process;
        if (table_.busybox && !line.id.empty()) {
            const auto name = line.id.starts_with("/dev/") ? line.id.substr(5) : line.id;
            if (is_terminal_name(name))
                entry.terminal = name;
            else
                problem(line.number, "\"{}\" is no terminal, the console is used", line.id, "name one as in ttyS0");
        }
        entry.id = id_of(line);
        if (std::ranges::find(table_.entries, entry.id, &InittabEntry::id) != table_.entries.end())
            return problem(line.number, "the same line is there twice: {}", line.process, "leave one of them out");
        if (table_.entries.size() == kMostEntries)
            return problem(line.number, "there are too many entries: {} is left out", line.process, "256 are possible");
        table_.entries.push_back(std::move(entry));
    }

    /// What an operator calls it, where that is unique; else what it does, so that the same line has the same id in
    /// the next reading. The kernel takes it for a directory's name: no slash, no leading dot.
    std::string id_of(const Line& line) {
        std::string id(table_.busybox ? std::string_view() : line.id.substr(0, kLongestId));
        for (char& c : id)
            if (c <= ' ' || c == '/' || c == '.' || c == '=' || c == '@' || c >= '\x7f') c = '_';
        const bool taken = std::ranges::find(table_.entries, id, &InittabEntry::id) != table_.entries.end();
        if (taken) problem(line.number, "id \"{}\" is there twice", id, "give each entry an id of its own");
        if (!id.empty() && !taken) return id;
        std::uint32_t hash = 2166136261;  // FNV-1a
        for (const auto part : {line.id, line.levels, line.process})
            for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
        return fmt::format("{}-{:08x}", line.action, hash);
    }

    void read_default(const Line& line) {
        // sysvinit takes the highest of several.
        for (const char c : {'6', '5', '4', '3', '2', '1', '0', 'S'}) {
            if (line.levels.empty() || (run_level_bit(c) & levels_of(line.levels)) == 0) continue;
            if (c == '0' || c == '6')
                return problem(line.number, "a default run level of {} would end the node at once", {&c, 1},
                               "write a level from 1 to 5");
            table_.level = c;
            return;
        }
        problem(line.number, "initdefault names no run level{}", {}, "write id:3:initdefault:");
    }

    static RunLevels levels_of(std::string_view text) {
        RunLevels levels = 0;
        for (const char c : text) levels |= run_level_bit(c);
        return levels;
    }

    void settle_level() {
        if (table_.level != '\0') return;
        RunLevels used = 0;
        for (const auto& entry : table_.entries)
            if (entry.action == InittabAction::respawn || entry.action == InittabAction::once ||
                entry.action == InittabAction::wait)
                used |= entry.levels;
        table_.level = '3';
        for (const char c : {'1', '5', '4', '2', '3'})
            if ((used & run_level_bit(c)) != 0) table_.level = c;
        if (!table_.busybox && !table_.entries.empty())
            problem(0, "no initdefault: run level {} is taken", {&table_.level, 1}, "write id:3:initdefault:");
    }

    /// Its order is by action, not by line.
    void order_as_busybox() {
        std::vector<InittabEntry> ordered;
        const auto take = [&](InittabAction first, bool others) {
            for (auto& entry : table_.entries) {
                if (entry.id.empty() || !(others || entry.action == first)) continue;
                ordered.push_back(std::move(entry));
                entry.id.clear();
            }
        };
        take(InittabAction::sysinit, false);
        take(InittabAction::wait, false);
        take(InittabAction::once, false);
        take(InittabAction::respawn, true);
        table_.entries = std::move(ordered);
    }

    std::vector<Line> lines_;
    Inittab table_;
};

}  // namespace

std::string_view text(InittabAction action) { return kActions[static_cast<std::size_t>(action)]; }

bool is_waited_for(InittabAction action) {
    switch (action) {
        case InittabAction::sysinit:
        case InittabAction::bootwait:
        case InittabAction::wait:
        case InittabAction::powerwait:
        case InittabAction::powerokwait:
        case InittabAction::shutdown:
            return true;
        default:
            return false;
    }
}

RunLevels run_level_bit(char level) {
    if (level >= '0' && level <= '9') return static_cast<RunLevels>(1 << (level - '0'));
    switch (level) {
        case 'S':
        case 's':
            return kSingle;
        case 'a':
        case 'A':
            return 1 << 11;
        case 'b':
        case 'B':
            return 1 << 12;
        case 'c':
        case 'C':
            return 1 << 13;
        default:
            return 0;
    }
}

Inittab parse_inittab(std::string_view text) { return Reader().read(text); }

std::string_view default_inittab() {
    return "::sysinit:[ -x /etc/init.d/rcS ] && exec /etc/init.d/rcS; :\n"
           "::respawn:for g in /sbin/agetty /sbin/getty; do [ -x $g ] && exec $g 38400 console linux; done; "
           "exec /bin/sh -l\n";
}

InittabEntry emergency_entry() {
    return {.id = std::string(kEmergencyId),
            .action = InittabAction::wait,
            .levels = kSingle,
            .process = "[ -x /sbin/sulogin ] && exec /sbin/sulogin; exec /bin/sh -l",
            .terminal = {}};
}

bool is_logged(const InittabEntry& entry) {
    if (is_waited_for(entry.action) || entry.action == InittabAction::askfirst || entry.login ||
        !entry.terminal.empty())
        return false;
    const auto all = words(entry.process);
    auto first = all.begin();
    while (first != all.end() && (*first == "exec" || first->find('=') != std::string_view::npos)) ++first;
    if (first == all.end()) return false;
    if (entry.process.find("getty") != std::string::npos) return false;  // also one that a shell looks for
    const auto name = base_name(*first);
    constexpr std::array<std::string_view, 10> kOfAConsole{"sh",  "bash", "dash",    "ash",   "zsh",
                                                           "ksh", "csh",  "busybox", "login", "sulogin"};
    const bool is_named = std::ranges::find(kOfAConsole, name) != kOfAConsole.end();
    const bool is_shell = is_named && std::all_of(std::next(first), all.end(), [](std::string_view word) {
                              return word.starts_with('-') && word != "-c";
                          });
    return !is_shell;
}

std::vector<std::string> inittab_changes(const std::vector<InittabEntry>& before,
                                         const std::vector<InittabEntry>& now) {
    std::vector<std::string> lines;
    const auto line = [&](const char* mark, const InittabEntry& entry, const char* end) {
        lines.push_back(fmt::format("{} inittab {}: {}{}", mark, entry.id, entry.process, end));
    };
    for (const auto& entry : now) {
        const auto known = std::ranges::find(before, entry.id, &InittabEntry::id);
        if (known == before.end())
            line("+", entry, "");
        else if (known->process != entry.process)
            line("~", entry, " (from its next start on)");
        else if (!(*known == entry))
            line("~", entry, "");
    }
    for (const auto& entry : before)
        if (std::ranges::find(now, entry.id, &InittabEntry::id) == now.end()) line("-", entry, "");
    return lines;
}

Command command_of(const InittabEntry& entry) {
    const std::string_view text = entry.process;
    const auto first = text.substr(0, text.find_first_of(" \t"));
    if (text.find_first_of("~`!$^&*()=|\\{}[];\"'<>?") != std::string_view::npos ||
        first.find('/') == std::string_view::npos) {
        // "exec" saves a shell that only waits, but fits before a simple command alone.
        const bool simple = text.find_first_of("&|;(){}[!") == std::string_view::npos &&
                            first.find('=') == std::string_view::npos && first != "exec";
        return {"/bin/sh", {entry.login ? "-sh" : "sh", "-c", (simple ? "exec " : "") + entry.process}};
    }
    Command command{std::string(first), {}};
    for (const auto word : words(text)) command.arguments.emplace_back(word);
    if (entry.login) command.arguments[0] = "-" + base_name(command.path);
    return command;
}

}  // namespace diskless
