#include "agent/ctl/ctl.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "agent/ctl/commands.hpp"
#include "common/base/text.hpp"

namespace diskless {

namespace {

struct Command {
    std::string_view name;
    std::string_view operands;  // "[FILE]"
    std::string_view help;
    std::vector<OptionRow> options;
    std::string_view example;
    std::size_t most_operands;
    int (*run)(CtlWorld&, const ParsedOptions&);
    bool acts =
        false;  // what it does counts, not the sentence that it says of it: nobody may read that on the way down
};

const OptionRow kJson{"json", "", "as JSON"};
const OptionRow kTimeout{"timeout", "TIME", "the way down may take so long in all: 30, 30s, 2m (1 s to 10 min)"};
const OptionRow kBegun{"begun", "", "PID 1 takes the node down already: only see to it that it is over in time"};
const OptionRow kNow{"now", "", "do not wait for PID 1 and its services"};

const std::vector<Command>& commands() {
    static const std::vector<Command> kCommands{
        {"status",
         "",
         "root, snapshot, lease, time, identity, and what is degraded",
         {kJson},
         "disklessctl status",
         0,
         ctl::status},
        {"report",
         "[FILE]",
         "the last boot as a picture of time; FILE: of a saved boot.json",
         {{"svg", "", "as an SVG picture"},
          kJson,
          {"utf8", "", "bars of block characters"},
          {"ascii", "", "bars of ASCII characters"},
          {"width", "COLUMNS", "width of the text (100)"}},
         "disklessctl report --svg > boot.svg",
         1,
         ctl::report},
        {"plan",
         "",
         "what a command line would do: steps and state, nothing is changed",
         {{"cmdline", "TEXT", "kernel command line (that of this kernel)"},
          {"root", "DIR", "directory that stands for the NFS root"},
          {"snapshot", "DIR", "directory that stands for the node's snapshot"},
          {"manifest", "FILE", "manifest of an initramfs"},
          kJson},
         "disklessctl plan --cmdline \"root=/dev/nfs nfsroot=10.9.0.1:/srv/root ip=dhcp\"",
         0,
         ctl::plan},
        {"state",
         "",
         "each entry of the node's state: kind, source, size, changed since the boot",
         {kJson},
         "disklessctl state",
         0,
         ctl::state},
        {"check",
         "",
         "looks whether this node is as its boot planned it; exit 1 on a problem",
         {kJson},
         "disklessctl check || mail -s 'node is not well' admin",
         0,
         ctl::check},
        {"metrics",
         "",
         "the status as OpenMetrics text, for node_exporter's textfile collector too",
         {},
         "disklessctl metrics > /run/node_exporter/diskless.prom",
         0,
         ctl::metrics},
        {"log",
         "[ENTRY]",
         "what boot and agent said last; ENTRY: what that service of the inittab printed",
         {kJson},
         "disklessctl log sshd",
         1,
         ctl::log},
        {"reload",
         "",
         "reads the lists of state and the inittab again: what is new is mounted, started",
         {},
         "disklessctl reload",
         0,
         ctl::reload,
         true},
        {"reboot",
         "",
         "down safely, and up again; bounded in time even when the server is gone",
         {kTimeout, kNow, kBegun},
         "disklessctl reboot --timeout 60",
         0,
         ctl::reboot,
         true},
        {"poweroff",
         "",
         "down safely, and off",
         {kTimeout, kNow, kBegun},
         "disklessctl poweroff",
         0,
         ctl::poweroff,
         true},
        {"halt",
         "",
         "down safely, and stopped with power on",
         {kTimeout, kNow, kBegun},
         "disklessctl halt --now",
         0,
         ctl::halt,
         true},
        {"kexec",
         "[same]",
         "down safely, and up again without the firmware; same: as this boot",
         {{"kernel", "FILE", "kernel to start (that of this boot, in the root)"},
          {"initrd", "FILE", "its initramfs (that of this boot, if it is kept)"},
          {"append", "TEXT", "its command line (that of this boot)"},
          kTimeout,
          kNow,
          kBegun},
         "disklessctl kexec --initrd /boot/diskless.img",
         1,
         ctl::kexec,
         true},
        {"version", "", "of this program and of the node's agent", {kJson}, "disklessctl version", 0, ctl::version},
    };
    return kCommands;
}

std::string general_help() {
    std::string text = "usage: disklessctl COMMAND [OPTIONS]\n\nLooks after a diskless node.\n\n";
    for (const auto& command : commands()) text += fmt::format("  {:<10} {}\n", command.name, command.help);
    return text +
           "  help       this, or the help of a command: disklessctl help reboot\n\n"
           "Exit codes: 0 done, 1 failed or a problem found, 2 bad usage.\n";
}

std::string help_of(const Command& command) {
    std::string text =
        fmt::format("usage: disklessctl {}{}{}{}\n\n{}\n\n", command.name, command.options.empty() ? "" : " [OPTIONS]",
                    command.operands.empty() ? "" : " ", command.operands, command.help);
    for (const auto& row : command.options) {
        const std::string name = fmt::format("--{}{}{}", row.name, row.value.empty() ? "" : " ", row.value);
        text += fmt::format("  {:<18} {}\n", name, row.help);
    }
    return text + fmt::format("\nExample: {}\n", command.example);
}

const Command* find_command(std::string_view name) {
    const auto found = std::ranges::find(commands(), name, &Command::name);
    return found == commands().end() ? nullptr : &*found;
}

int help(const std::vector<std::string>& arguments, CtlWorld& world) {
    if (arguments.size() > 2) return ctl::bad_usage(world, "", "what is this for: " + printable(arguments[2]));
    if (arguments.size() < 2) {
        world.out.write(general_help());
        return kExitDone;
    }
    const Command* command = find_command(arguments[1]);
    if (command == nullptr) return ctl::bad_usage(world, "", "no such command: " + printable(arguments[1]));
    world.out.write(help_of(*command));
    return kExitDone;
}

int run(const std::vector<std::string>& arguments, CtlWorld& world) {
    if (arguments.empty()) {
        world.err.write(general_help());
        return kExitUsage;
    }
    const std::string& name = arguments.front();
    if (name == "help" || name == "--help" || name == "-h") return help(arguments, world);
    if (name == "--version" && arguments.size() > 1)
        return ctl::bad_usage(world, "version", "what is this for: " + printable(arguments[1]));
    if (name == "--version") return ctl::version(world, {});
    const Command* command = find_command(name);
    if (command == nullptr) return ctl::bad_usage(world, "", "no such command: " + printable(name));
    const auto options = parse_options({arguments.begin() + 1, arguments.end()}, command->options);
    if (!options) return ctl::bad_usage(world, name, options.error().cause);
    if (options->has("help")) {
        world.out.write(help_of(*command));
        return kExitDone;
    }
    if (options->operands.size() > command->most_operands)
        return ctl::bad_usage(world, name, "what is this for: " + printable(options->operands[command->most_operands]));
    return command->run(world, *options);
}

}  // namespace

int disklessctl_run(const std::vector<std::string>& arguments, CtlWorld& world) {
    const int code = run(arguments, world);
    const Command* command = arguments.empty() ? nullptr : find_command(arguments.front());
    const bool acts = command != nullptr && command->acts;
    if (code != kExitDone || acts || world.out.problem() == 0) return code;
    return ctl::failed(world, {"cannot write the output: " + error_text(world.out.problem()), {}, world.out.problem()});
}

bool speaks_utf8(const char* lc_all, const char* lc_ctype, const char* lang) {
    for (const char* value : {lc_all, lc_ctype, lang}) {
        if (value == nullptr || *value == '\0') continue;
        const std::string name = lower(value);
        return name.find("utf-8") != std::string::npos || name.find("utf8") != std::string::npos;
    }
    return false;
}

}  // namespace diskless
