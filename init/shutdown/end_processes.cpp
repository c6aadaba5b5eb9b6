// end-processes.
#include <fmt/core.h>
#include <signal.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "init/shutdown/shutdown_plan.hpp"

namespace diskless {

namespace {

constexpr std::size_t kMostNamed = 8;
constexpr std::string_view kAgent = "(diskless-agent)", kGuardian = "(diskless-guard)";  // as stat has their names

struct Found {
    int pid;
    std::string name;  // "50 (nfs reader)"
};

/// User processes; with `only`, those among them that are still there.
std::vector<Found> processes(Os& os, const std::vector<int>& spared, const std::vector<Found>* only = nullptr) {
    std::vector<Found> found;
    const auto look = [&](const std::string& name, int pid) {
        // stat, not cmdline: reading the latter takes the process' memory lock, which a process stuck on NFS may hold.
        const auto stat = os.files.read("/proc/" + name + "/stat", 4096);
        // The agent keeps address and time to the end, and shows us what only it can still see.
        if (!stat || !is_user_process(*stat)) return;
        auto title = stat->substr(0, stat->rfind(')') + 1);
        const bool named_so = title.ends_with(kAgent) || title.ends_with(kGuardian);
        if (!named_so || !is_of_root(os.files, pid)) found.push_back({pid, std::move(title)});
    };
    if (only != nullptr) {
        for (const auto& each : *only) look(std::to_string(each.pid), each.pid);
        return found;
    }
    const auto names = os.files.list("/proc");
    if (!names) return found;
    for (const auto& name : *names) {
        const auto pid = parse_number<int>(name);
        if (pid && *pid != 1 && std::ranges::find(spared, *pid) == spared.end()) look(name, *pid);
    }
    return found;
}

}  // namespace

bool is_user_process(std::string_view stat) {
    // pid (comm) state ppid pgrp session tty tpgid flags …; comm may hold blanks and parentheses.
    const auto end = stat.rfind(')');
    if (end == std::string_view::npos) return false;
    const auto fields = words(stat.substr(end + 1));
    if (fields.size() < 7 || fields[0] == "Z" || fields[0] == "X") return false;
    constexpr std::uint64_t kKernelThread = 0x00200000;  // PF_KTHREAD
    const auto flags = parse_number<std::uint64_t>(fields[6]);
    return flags && (*flags & kKernelThread) == 0;
}

bool is_of_root(const Files& files, int pid) {
    const auto status = files.read(fmt::format("/proc/{}/status", pid), 8192);
    return status && status->find("\nUid:\t0\t0\t") != std::string::npos;
}

std::vector<int> own_processes(const Files& files, std::string_view name) {
    std::vector<int> found;
    const auto entries = files.list("/proc");
    if (!entries) return found;
    for (const auto& entry : *entries) {
        const auto pid = parse_number<int>(entry);
        if (!pid || *pid == 1) continue;
        const auto comm = files.read(fmt::format("/proc/{}/comm", entry), 64);
        if (comm && *comm == fmt::format("{}\n", name) && is_of_root(files, *pid)) found.push_back(*pid);
    }
    return found;
}

Result<> end_processes(StepContext& context, WayDown& down) {
    Os& os = context.os;
    const auto& situation = down.situation;
    // sysvinit and busybox start nothing again from here on; systemd and others ignore it.
    if (!situation.after_pivot) (void)os.processes.signal(1, SIGTSTP);
    const Nanoseconds polite = down.server_dead        ? Milliseconds{700}
                               : situation.after_pivot ? Milliseconds{1000}
                                                       : situation.timeout * 4 / 30;
    for (const int signal_number : {SIGTERM, SIGKILL}) {
        const bool asked = signal_number == SIGTERM;
        auto left = processes(os, situation.spared);
        if (left.empty()) return {};
        context.note(fmt::format("{} to {} processes", asked ? "TERM" : "KILL", left.size()));
        for (const auto& process : left) {
            (void)os.processes.signal(process.pid, signal_number);
            (void)os.processes.signal(process.pid, SIGCONT);
        }
        const auto until = Deadline::after(os.clock, asked ? polite : std::min<Nanoseconds>(polite, Milliseconds{1500}))
                               .sooner_of(context.deadline);
        // Only those that were told: what PID 1 starts anew meanwhile is not waited for.
        while (!(left = processes(os, situation.spared, &left)).empty() && !until.passed(os.clock)) {
            context.waiting_for(fmt::format("{} processes to end", left.size()));
            os.clock.sleep(Milliseconds{20});
        }
        if (asked || left.empty()) continue;
        context.degrade({fmt::format("{} processes did not end (first: {}), continuing", left.size(), left[0].name),
                         "they hang in the kernel, most likely on a server", 0});
        context.publish([&] {
            for (std::size_t i = 0; i < left.size() && i < kMostNamed; ++i)
                down.told.losses.push_back("process " + left[i].name + " did not end");
        });
    }
    return {};
}

}  // namespace diskless
