#include "init/shutdown/shutdown_plan.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace diskless {

std::vector<MountEntry> unmount_order(const std::vector<MountEntry>& table, const std::string& old_root) {
    std::vector<MountEntry> order;
    for (const auto& entry : table)
        if (entry.target == old_root || entry.target.starts_with(old_root + "/")) order.push_back(entry);
    std::ranges::reverse(order);
    return order;
}

std::uint64_t unwritten_bytes(std::string_view meminfo) {
    std::uint64_t kilobytes = 0;
    for (const auto line : lines(meminfo)) {
        const auto fields = words(line);
        if (fields.size() < 2 || (fields[0] != "Dirty:" && fields[0] != "Writeback:" && fields[0] != "NFS_Unstable:"))
            continue;
        kilobytes += parse_number<std::uint64_t>(fields[1]).value_or(0);
    }
    return kilobytes * 1024;
}

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

namespace {

std::vector<int> processes_to_end(Os& os, const std::vector<int>& spared) {
    std::vector<int> found;
    const auto names = os.files.list("/proc");
    if (!names) return found;
    for (const auto& name : *names) {
        const auto pid = parse_number<int>(name);
        if (!pid || *pid == 1 || std::ranges::find(spared, *pid) != spared.end()) continue;
        // stat, not cmdline: reading the latter takes the process' memory lock, which a process stuck on NFS may hold.
        const auto stat = os.files.read("/proc/" + name + "/stat", 4096);
        if (stat && is_user_process(*stat)) found.push_back(*pid);
    }
    return found;
}

/// TERM, time to end, KILL. Processes in D state on a dead server do not end; they are left behind.
Result<> end_processes(StepContext& context, const ShutdownSituation& situation) {
    Os& os = context.os;
    const auto total = context.deadline.left(os.clock);
    const auto term_until = Deadline::after(os.clock, situation.server_dead ? total / 4 : total * 3 / 4);
    for (const int signal_number : {SIGTERM, SIGKILL}) {
        auto left = processes_to_end(os, situation.spared);
        if (left.empty()) return {};
        context.note(fmt::format("{} to {} processes", signal_number == SIGTERM ? "TERM" : "KILL", left.size()));
        for (const int pid : left) {
            (void)os.processes.signal(pid, signal_number);
            (void)os.processes.signal(pid, SIGCONT);
        }
        const auto until = signal_number == SIGTERM ? term_until : context.deadline;
        while (!until.passed(os.clock)) {
            left = processes_to_end(os, situation.spared);
            if (left.empty()) return {};
            context.waiting_for(fmt::format("{} processes to end", left.size()));
            os.clock.sleep(Milliseconds{20});
        }
        if (signal_number == SIGKILL)
            context.degrade(
                {fmt::format("{} processes did not end (first: {}), continuing", left.size(), left.front()), {}, 0});
    }
    return {};
}

Result<> write_back(StepContext& context) {
    Os& os = context.os;
    const auto unwritten = [&] { return unwritten_bytes(os.files.read("/proc/meminfo").value_or(std::string())); };
    const auto before = unwritten();
    const auto synced = os.processes.in_child("sync", context.deadline, [&os]() -> Result<std::string> {
        os.machine.sync();
        return {};
    });
    if (synced) {
        context.note(fmt::format("{} kB were waiting", before / 1024));
        return {};
    }
    return fail(fmt::format("about {} kB not written: {}", unwritten() / 1024, synced.error().cause),
                "the server did not take them in time; they are lost");
}

/// Tries all, and again as long as something changed: a mount that was busy may not be any more once its child is gone.
Result<> unmount_all(StepContext& context, const ShutdownSituation& situation) {
    Os& os = context.os;
    std::vector<MountEntry> left;
    for (bool changed = true; changed && !context.deadline.passed(os.clock);) {
        changed = false;
        left = unmount_order(TRY(os.mounts.table()), situation.old_root);
        for (const auto& entry : left) {
            const bool nfs = entry.type.starts_with("nfs");
            const auto how = nfs && situation.server_dead ? Unmount::force : Unmount::normal;
            const auto each = Deadline::after(os.clock, situation.server_dead ? Milliseconds{500} : Milliseconds{5000})
                                  .sooner_of(context.deadline);
            const auto done = os.processes.in_child("unmount " + entry.target, each, [&]() -> Result<std::string> {
                TRY(os.mounts.unmount(entry.target, how));
                return {};
            });
            if (done) changed = true;
            if (context.deadline.passed(os.clock)) break;
        }
    }
    left = unmount_order(TRY(os.mounts.table()), situation.old_root);
    for (const auto& entry : left) {
        const auto detached = os.processes.in_child(
            "detach " + entry.target, Deadline::after(os.clock, Milliseconds{300}), [&]() -> Result<std::string> {
                TRY(os.mounts.unmount(entry.target, Unmount::lazy));
                return {};
            });
        context.note(fmt::format("{} ({}) was busy, {}", entry.target, entry.type, detached ? "detached" : "left"));
    }
    return {};
}

}  // namespace

Plan plan_shutdown(const ShutdownSituation& situation) {
    // Shares of the total: the guard of take_down() has the last word, so these only decide what is given how much
    // time.
    const auto share = [&](int percent) { return situation.timeout * percent / 100; };
    Plan plan;
    plan.push_back(
        {.id = "end-processes",
         .sentence = "end all processes",
         .deadline = situation.after_pivot ? std::min<Milliseconds>(share(10), Milliseconds{1000}) : share(20),
         .failure = FailureMeans::degrade,
         .run = [situation](StepContext& context) { return end_processes(context, situation); }});
    plan.push_back({.id = "write-back",
                    .sentence = "write what is in memory to the server",
                    .needs = {"end-processes"},
                    .deadline = situation.server_dead ? Milliseconds{500} : share(40),
                    .failure = FailureMeans::degrade,
                    .run = [](StepContext& context) { return write_back(context); }});
    if (situation.after_pivot)
        plan.push_back({.id = "unmount",
                        .sentence = fmt::format("unmount everything below {}", situation.old_root),
                        .needs = {"write-back"},
                        .deadline = situation.server_dead ? Milliseconds{2000} : share(30),
                        .failure = FailureMeans::degrade,
                        .run = [situation](StepContext& context) { return unmount_all(context, situation); }});
    return plan;
}

}  // namespace diskless
