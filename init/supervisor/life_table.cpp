// Reading the inittab: at first, and again. Its server may be slow or gone, so a child reads it.
#include <fmt/core.h>

#include <utility>

#include "common/base/text.hpp"
#include "init/supervisor/life.hpp"
#include "init/userland.hpp"

namespace diskless {

namespace {
constexpr int kWarning = 4, kInfo = 6;  // syslog(2) levels
constexpr const char* kInittab = "/etc/inittab";
constexpr std::size_t kLongestInittab = 256 * 1024;
constexpr Seconds kRead{10};

/// It comes back: nothing is decided for want of it.
bool is_for_memory(const Error& error) { return error.code == ENOMEM || error.code == EAGAIN; }
}  // namespace

Result<Inittab> Life::read_table() {
    const auto text =
        os_.processes.in_child(fmt::format("read {}", kInittab), Deadline::after(os_.clock, kRead),
                               [&]() -> Result<std::string> { return os_.files.read(kInittab, kLongestInittab); });
    if (!text) return Failure(text.error());
    auto table = parse_inittab(*text);
    tell(table);
    return table;
}

void Life::tell(const Inittab& table) {
    for (const auto& problem : table.problems) {
        const auto where = problem.line == 0 ? std::string(kInittab) : fmt::format("{}:{}", kInittab, problem.line);
        say(kWarning,
            fmt::format("{}: {}{}{}", where, problem.what, problem.remedy.empty() ? "" : "; ", problem.remedy));
    }
    if (table.names_us && !std::exchange(said_of_boot_script_, true))
        say(kInfo,
            "the inittab's boot script is not run: this program has done its work; what else it started "
            "wants lines of its own");
}

/// Never without a table: a node that only says what is wrong with it cannot be mended.
Inittab Life::first_table() {
    auto table = read_table();
    for (int again = 0; !table && table.error().code != ENOENT && (again < 5 || is_for_memory(table.error()));
         ++again) {
        say(kWarning, table.error().cause + ", trying again");
        os_.clock.sleep(Seconds{2});
        table = read_table();
    }
    if (!table || table->entries.empty()) {
        say(kWarning,
            fmt::format("{}: a login on the console is all there is",
                        table ? std::string(kInittab) + " has no entry that can be used" : table.error().cause));
        const bool names_us = table && table->names_us;
        table = parse_inittab(default_inittab());
        table->names_us = names_us;
    }
    add_own_entries(*table);
    return std::move(*table);
}

/// What is no longer in the table makes room for what is new.
void Life::keep_logs_of(const Inittab& table) noexcept {
    fenced("room for logs", [&] {
        std::vector<std::string> names;
        for (const auto& entry : table.entries) names.push_back(entry.id);
        process_.keep_logs_of(names);
    });
}

void Life::reload() {
    // Who asked waits for this, so it is written whatever came of it.
    std::string answer = fmt::format("{}\n", os_.clock.now().count());
    auto table = read_table();
    if (!table) {
        answer += "! " + table.error().cause + ": the inittab before stays in force\n";
        say(kWarning, table.error().cause + ": the inittab before stays in force");
    } else if (table->entries.empty()) {
        answer += fmt::format("! {} has no entry that can be used: the one before stays in force\n", kInittab);
        supervisor_->reload({}, os_.clock.now());  // it says so
    } else {
        add_own_entries(*table);
        for (const auto& problem : table->problems)
            answer += fmt::format("! {}:{}: {}\n", kInittab, problem.line, problem.what);
        keep_logs_of(*table);
        const auto before = supervisor_->entries();
        supervisor_->reload(std::move(*table), os_.clock.now());
        for (const auto& line : inittab_changes(before, supervisor_->entries())) answer += line + "\n";
        say(kInfo, "the inittab was read again");
    }
    (void)os_.files.replace(kInittabChanges, answer);
}

}  // namespace diskless
