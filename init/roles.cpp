#include "init/roles.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "agent/agent.hpp"
#include "agent/ctl/ctl.hpp"
#include "agent/dhcp_lease_keeper.hpp"
#include "agent/guardian.hpp"
#include "agent/spared.hpp"
#include "common/base/snapshot_files.hpp"
#include "common/nfs/rpc.hpp"
#include "common/os/background.hpp"
#include "common/os/kernel_log.hpp"
#include "common/os/resident.hpp"
#include "common/os/watchdog.hpp"
#include "init/boot.hpp"
#include "init/boot_report_of.hpp"
#include "init/network/candidates.hpp"
#include "init/plan_text.hpp"
#include "init/reload.hpp"
#include "init/server_probe.hpp"
#include "init/shutdown/take_down.hpp"
#include "init/shutdown_command.hpp"
#include "init/supervisor/reload_inittab.hpp"

namespace diskless {

namespace {

constexpr Milliseconds kWriteReport{5000};
constexpr Milliseconds kBeforeKill{800};  // busybox sends KILL a second after TERM

Result<BootReport> read_report(Os& os) { return boot_report_from_json(TRY(os.files.read(kReportFile, 4 << 20))); }

/// The report and the time go to the server when the boot is over: no boot ever waits for it.
void leave_report(Os& os, const BootReport& report) {
    if (report.snapshot.state != "mounted") return;
    const auto work = [&]() -> Result<std::string> {
        const auto place = [](const char* file) { return join_path(kSnapshot, file); };
        TRY(os.files.make_directories(place(snapshot_files::kDirectory)));
        // The way down takes it away; what it has told of the one before is in this boot's report. Always a new one: it
        // needs no free space, and when it is newer than the report, that tells of a boot before (image gc looks).
        const auto running = place(snapshot_files::kRunning);
        TRY(os.files.make_file(running + ".new"));
        TRY(os.files.rename(running + ".new", running));
        TRY(os.files.remove(place(snapshot_files::kLastShutdown)));
        TRY(os.files.replace(place(snapshot_files::kBootReport), to_json(report)));
        const auto now = std::chrono::duration_cast<Seconds>(os.clock.wall()).count();
        TRY(os.files.replace(place(snapshot_files::kClock), std::to_string(now) + "\n"));
        return {};
    };
    const auto kept = os.processes.in_child("keep the boot report", Deadline::after(os.clock, kWriteReport), work);
    if (!kept) os.machine.say(4, "the boot report is not on the server: " + kept.error().cause + ", continuing");
}

/// Ends the machine from a process that is not PID 1: everything but PID 1 and us ends. `guardian`: ours; 0: none.
Error take_down_from_here(Os& os, PowerVerb verb, Deadline deadline, const BootReport& facts, ServerVerdict& root,
                          int guardian = 0) {
    ShutdownSituation situation;
    situation.verb = verb;
    situation.after_pivot = false;
    situation.has_snapshot = facts.snapshot.state == "mounted";
    situation.server_answers = [&os, service = service_of(facts.root)](Deadline until) {
        return server_answers(os, service, until);
    };
    situation.server_dead = root.is_gone(deadline);
    situation.timeout = std::chrono::duration_cast<Milliseconds>(deadline.left(os.clock));
    situation.wake_on_lan = config_of(facts).wake_on_lan;
    situation.interface = facts.interface;
    situation.spared = {os.processes.own_pid(), guardian};
    take_down(os, situation);
    return {"the machine is still there after " + std::string(text(verb)), "reset it", EPERM};
}

/// Nothing when the boot left no address to keep (its report could not be read).
std::unique_ptr<LeaseKeeper> keep_lease(Os& os, const BootReport& facts, const BootConfig& config,
                                        const AgentState& state) {
    if (facts.interface.empty() || !facts.lease.address.is_set()) return nullptr;
    Link link;
    link.name = facts.interface;
    link.mac = Mac::parse(facts.mac).value_or(Mac{});
    const AddressGuard::World world{os.clock, os.links, os.machine};
    AddressGuard guard(world, {link.name, link.mac},
                       [config, link](const Lease& lease) { return routes_for(config.network, link, lease); });
    if (facts.lease.source != LeaseSource::dhcp || facts.lease.lease_time.count() == 0)
        return std::make_unique<FixedLease>(facts.lease, std::move(guard));
    const auto candidates = choose_candidates(config.network, {link});
    auto request = lease_request(config.network, candidates.empty() ? Candidate{link, {}} : candidates.front(),
                                 config.hostname, false, os.machine.random());
    request.methods = {.dhcp = true, .bootp = false, .rarp = false};  // as the lease was got
    auto keeper =
        std::make_unique<DhcpLeaseKeeper>(world, os.sockets, std::move(guard), std::move(request), facts.lease);
    if (!state.lease_cause.empty()) keeper->resume({state.lease_cause, state.lease_remedy, 0});
    return keeper;
}

/// The agent itself, in its first life or a later one.
void run_agent(Os& os, ControlServer& control, Guardian& guardian) {
    const auto kept = os.files.read(kAgentStateFile);
    auto resumed = kept ? agent_state_from_json(*kept) : Result<AgentState>(Failure(kept.error()));
    const bool first = !kept && kept.error().code == ENOENT;
    AgentState state;
    if (resumed) state = std::move(*resumed);
    if (first) state.log = own_kernel_lines(MessageLog::kMostLines);
    if (!first) ++state.counters.agent_restarts;
    MessageLog log(state.log);
    LoggedMachine machine(os.machine, os.clock, log);
    Os own{os.clock, os.files, os.mounts, os.links, os.devices, os.modules, os.processes, os.sockets, machine};
    if (!first && !resumed) machine.say(4, "agent: " + resumed.error().cause + ", beginning anew");
    if (const auto resident = become_resident(); !resident)
        machine.say(4, "agent: " + resident.error().cause + ", continuing");

    (void)spare_processes(own.files, {linux_forks().parent(), own.processes.own_pid()});

    auto report = read_report(own);
    if (!report) machine.say(4, "agent: " + report.error().cause + ", continuing");
    BootReport facts = std::move(report).value_or(BootReport{});
    if (first) leave_report(own, facts);
    if (state.lease.address.is_set()) facts.lease = state.lease;
    facts.steps = {};  // what is not needed any more is not kept in locked memory
    facts.state = {};

    const auto config = config_of(facts);
    WatchdogKeeper watchdog(linux_watchdog(), std::chrono::ceil<Seconds>(config.watchdog));
    AgentHooks hooks;
    auto root_verdict = verdict_on(own, service_of(facts.root));
    hooks.root_is_gone = [&] { return root_verdict.is_gone(); };
    hooks.root_is_gone_takes = root_verdict.longest();
    if (facts.snapshot.state == "mounted") hooks.snapshot = kSnapshot;
    hooks.take_down = [&](PowerVerb verb, Deadline deadline) {
        return take_down_from_here(own, verb, deadline, facts, root_verdict, linux_forks().parent());
    };
    hooks.end_at = [](Deadline deadline, PowerVerb verb) { return end_machine_at(deadline, verb); };
    hooks.is_guarded = [&] { return guardian.is_guarded(); };
    keep_term();
    hooks.taken_term = taken_term;
    hooks.told_end = [&](std::string_view verb) {
        if (facts.snapshot.state != "mounted") return;
        const auto now = std::chrono::duration_cast<Seconds>(own.clock.wall()).count();
        (void)write_record(own, kRunDirectory, {.outcome = "init", .verb = std::string(verb), .wall = now},
                           Deadline::after(own.clock, kBeforeKill));
    };
    hooks.promise = [&](Nanoseconds until) { guardian.promise(until); };
    hooks.become_guardian = [&] { return own.processes.execute("/proc/self/exe", {"@diskless-agent"}, {}); };

    const auto watch = [&](MountWatch::Place place, const NfsService& service, std::function<Result<Space>()> look) {
        place.server = service.server;
        return MountWatch(own.clock, linux_background(), std::move(place),
                          {std::move(look), [&own, service] {
                               return ask_server(own, service, Deadline::after(own.clock, MountWatch::kServerMayTake));
                           }});
    };
    const bool overlay = facts.root.mode == "overlay";
    auto root = watch({.what = "root server", .server = {}, .writable = facts.root.mode == "rw", .in_memory = overlay},
                      service_of(facts.root), [overlay, image = !facts.root.image.empty()]() -> Result<Space> {
                          // An overlay itself asks no server, nor does an image.
                          if (image || overlay) TRY(free_space(image ? kImageDirectory : kSharedRoot));
                          return free_space("/proc/1/root");  // our own "/" is the initramfs; the node's is PID 1's
                      });
    auto snapshot = watch({.what = "snapshot server", .server = {}, .writable = true}, service_of(facts.snapshot),
                          [] { return free_space(kSnapshot); });
    const auto lease = keep_lease(own, facts, config, state);
    AgentParts parts{.lease = lease.get(), .log = &log};
    if (!facts.root.server.empty()) parts.root = &root;
    if (!hooks.snapshot.empty()) parts.snapshot = &snapshot;
    AgentSettings settings{config.shutdown_timeout, config.root_loss};
    if (config.watchdog.count() != 0) {
        parts.watchdog = &watchdog;
        // It is fed each third of its time: one that hangs is there again before the watchdog bites.
        settings.patience = std::clamp<Nanoseconds>(config.watchdog / 3, Seconds{2}, settings.patience);
    }
    Agent({own.clock, own.files, own.processes, machine, control}, hooks, settings, parts, std::move(state)).run();
}

}  // namespace

int agent_role(Os& os) {
    if (const auto resident = become_resident(KeepInMemory::touched); !resident)
        os.machine.say(4, "agent: " + resident.error().cause + ", continuing");
    auto control = listen_control_socket(kControlSocket, os.clock);
    for (bool said = false; !control; control = listen_control_socket(kControlSocket, os.clock)) {
        if (!std::exchange(said, true)) os.machine.say(3, "agent: " + control.error().cause + ", trying again");
        os.clock.sleep(Seconds{5});
    }
    Guardian guardian({os.clock, os.machine, linux_forks()}, [&os] { (void)os.files.remove(kAgentStateFile); });
    if (const auto told = tell_manager("READY=1"); !told) os.machine.say(4, "agent: " + told.error().cause);
    guardian.guard();
    run_agent(os, **control, guardian);
    return 0;
}

int ctl_role(Os& os, const std::vector<std::string>& arguments, std::uint32_t user) {
    FileOutput out(1), err(2);
    const auto client = control_socket_client(kControlSocket, os.clock);
    CtlWorld world{
        .out = out,
        .err = err,
        .agent = *client,
        .clock = os.clock,
        .files = os.files,
        .mounts = os.mounts,
        .processes = os.processes,
        .plan = [&os](const PlanArguments& asked) -> Result<std::string> {
            PlanQuestion question{
                .command_line = asked.command_line, .root = asked.root, .snapshot = asked.snapshot, .json = asked.json};
            if (question.command_line.empty()) question.command_line = TRY(os.files.read("/proc/cmdline"));
            if (!asked.manifest_file.empty()) question.manifest = TRY(os.files.read(asked.manifest_file, 16 << 20));
            return plan_text(question, os.files);
        },
        .take_down =
            [&os](PowerVerb verb, Deadline deadline) {
                // Ending the shell we were typed at hangs up its terminal, and that would end us.
                (void)become_resident();
                (void)end_machine_at(deadline, verb);
                const auto facts = read_report(os).value_or(BootReport{});
                auto root = verdict_on(os, service_of(facts.root));
                return take_down_from_here(os, verb, deadline, facts, root);
            },
        .user = user,
        .utf8_locale = speaks_utf8(std::getenv("LC_ALL"), std::getenv("LC_CTYPE"), std::getenv("LANG")),
        .reload = [&os] { return reload_state(os); },
        .load_kernel = [&os](const std::string& kernel, const std::string& initramfs,
                             const std::string& line) { return os.machine.load_kernel(kernel, initramfs, line); },
        .left_to_init =
            [&os](PowerVerb verb) {
                const auto now = std::chrono::duration_cast<Seconds>(os.clock.wall()).count();
                (void)write_record(os, kRunDirectory, {.outcome = "init", .verb = std::string(text(verb)), .wall = now},
                                   Deadline::after(os.clock, Seconds{1}));
            },
        .reload_inittab = [&os] { return reload_inittab(os); }};
    return disklessctl_run({arguments.begin() + 1, arguments.end()}, world);
}

int shutdown_role(Os& os, const std::vector<std::string>& arguments, std::uint32_t user) {
    const auto word = shutdown_word(arguments);
    if (word) return ctl_role(os, {"disklessctl", *word}, user);
    FileOutput(2).write(fmt::format("shutdown: {}\n  {}\n", word.error().cause, word.error().remedy));
    return kExitUsage;
}

}  // namespace diskless
