#include "agent/ctl/ctl.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "agent/control_protocol.hpp"
#include "agent/ctl/covering_mount.hpp"
#include "agent/ctl/options.hpp"
#include "common/base/text.hpp"
#include "common/report/agent_state.hpp"
#include "tests/fakes/control_socket.hpp"
#include "tests/unit/agent/small_world.hpp"
#include "tests/unit/report/sample_report.hpp"

namespace diskless {
namespace {

using namespace test_agent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CtlTest : public ::testing::Test {
  public:  // the table of FindsEachProblem reaches in
    CtlTest() {
        report.steps[3].outcome = StepOutcome::done;
        report.steps[3].cause = report.steps[3].remedy = "";
        set_report();
        files.content["/proc/cmdline"] = "ip=dhcp quiet\n";
        files.directories = {"/run/diskless/snapshot", "/var/log"};
        files.content["/etc/hostname"] = "node07\n";
        files.content["/var/log/syslog"] = std::string(2048, 'x');
        files.modified["/etc/hostname"] = report.wall_started - 5;
        files.modified["/var/log/syslog"] = report.wall_started + 5;
        mounts.entries = {
            {1, 0, "10.9.0.1:/srv/root", "/", "nfs4", "/", "ro,relatime", "ro,vers=4.2"},
            {2, 1, "tmpfs", "/run", "tmpfs", "/", "rw", "rw"},
            {3, 2, "10.9.0.1:/srv/snapshots/node07", "/run/diskless/snapshot", "nfs4", "/", "rw", "rw,vers=4.2"},
            {4, 1, "10.9.0.1:/srv/snapshots/node07", "/etc/hostname", "nfs4", "/etc/hostname", "rw", "rw,vers=4.2"},
            {5, 1, "tmpfs", "/var", "tmpfs", "/", "rw", "rw"},
        };
        LiveFacts live;
        live.now = clock.now();
        live.wall = 1'795'000'100;
        live.agent = "running";
        live.root = Health{.state = "ok", .milliseconds = 2};
        agent.answers["status"] = ok_answer(to_json(node_status(report, live), 0));
        agent.answers["report"] = ok_answer(to_json_line(report));
        agent.answers["reboot"] = ok_answer(R"({"verb":"reboot","at_most_ms":30000,"asks":"systemd"})");
    }

    void set_report() { files.content["/run/diskless/boot.json"] = to_json(report); }

    int run(const std::vector<std::string>& arguments) {
        out = {};
        err = {};
        CtlWorld world{out,       err,  agent, clock,  files,       mounts, processes,     plan,
                       take_down, user, false, reload, load_kernel, {},     reload_inittab};
        return disklessctl_run(arguments, world);
    }

    /// Of the output.
    int lines_with(std::string_view words) const {
        const auto all = lines(out.text());
        return static_cast<int>(std::ranges::count_if(
            all, [&](std::string_view line) { return line.find(words) != std::string_view::npos; }));
    }

    BootReport report = test_report::sample_report();
    StringOutput out, err;
    FakeControlClient agent;
    SmallClock clock;
    SmallFiles files;
    SmallMounts mounts;
    SmallProcesses processes{clock};
    std::function<Result<std::string>(const PlanArguments&)> plan;
    std::function<Error(PowerVerb, Deadline)> take_down;
    std::function<Result<std::vector<std::string>>()> reload, reload_inittab;
    std::function<Result<>(const std::string&, const std::string&, const std::string&)> load_kernel;
    std::uint32_t user = 0;
};

TEST_F(CtlTest, BadUsageIsTwo) {
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{},
                                               {"restart"},
                                               {"help", "restart"},
                                               {"status", "--jsn"},
                                               {"status", "--js"},
                                               {"status", "more"},
                                               {"status", "--json=yes"},
                                               {"status", "--json", "--json"},
                                               {"reboot", "--timeout"},
                                               {"reboot", "--timeout", "soon"},
                                               {"reboot", "--timeout", "0"},
                                               {"report", "--svg", "--json"},
                                               {"report", "a", "b"},
                                               {"log", "sshd", "--json"},
                                               {"report", "--width", "5"}}) {
        EXPECT_EQ(run(arguments), kExitUsage) << ::testing::PrintToString(arguments);
        EXPECT_THAT(err.text(), Not(IsEmpty()));
        EXPECT_THAT(out.text(), IsEmpty());
    }
}

/// As on a full disk.
class FullOutput : public Output {
  public:
    void write(std::string_view) override {}
    int problem() const override { return ENOSPC; }
};

TEST_F(CtlTest, OutputThatCannotBeWrittenIsAFailure) {
    FullOutput full;
    CtlWorld world{full,      err,  agent, clock,  files,       mounts, processes,     plan,
                   take_down, user, false, reload, load_kernel, {},     reload_inittab};
    EXPECT_EQ(disklessctl_run({"metrics"}, world), kExitFailed);
    EXPECT_THAT(err.text(), HasSubstr("cannot write the output: No space left on device"));
    EXPECT_EQ(disklessctl_run({"help"}, world), kExitFailed);
    user = 0;
    world.user = 0;
    EXPECT_EQ(disklessctl_run({"reboot"}, world), kExitDone) << "it goes down, whoever reads that";
}

TEST_F(CtlTest, AReportThatIsNoneIsNamed) {
    files.content["/tmp/other.json"] = "not JSON";
    EXPECT_EQ(run({"report", "/tmp/other.json"}), kExitFailed);
    EXPECT_THAT(err.text(), HasSubstr("/tmp/other.json: boot report"));
}

TEST_F(CtlTest, WordsTooManyAreBadUsage) {
    EXPECT_EQ(run({"help", "reboot", "now"}), kExitUsage);
    EXPECT_THAT(err.text(), HasSubstr("what is this for: now"));
    EXPECT_EQ(run({"--version", "now"}), kExitUsage);
}

TEST_F(CtlTest, HelpsWithEveryCommand) {
    EXPECT_EQ(run({"help"}), kExitDone);
    EXPECT_THAT(out.text(), HasSubstr("Exit codes: 0 done, 1 failed or a problem found, 2 bad usage."));
    for (const char* command : {"status", "report", "plan", "state", "check", "metrics", "log", "reload", "reboot",
                                "poweroff", "halt", "kexec", "version"}) {
        EXPECT_EQ(run({command, "--help"}), kExitDone);
        EXPECT_THAT(out.text(), HasSubstr("Example: disklessctl "));
        const std::string text = out.text();
        EXPECT_EQ(run({"help", command}), kExitDone);
        EXPECT_EQ(out.text(), text);
    }
    EXPECT_THAT(agent.asked, IsEmpty()) << "help does nothing else";
}

TEST_F(CtlTest, ShowsTheStatus) {
    EXPECT_EQ(run({"status"}), kExitDone);
    EXPECT_THAT(out.text(), HasSubstr("agent      running\n"));
    EXPECT_EQ(run({"status", "--json"}), kExitDone);
    EXPECT_TRUE(node_status_from_json(out.text()));
}

TEST_F(CtlTest, ShowsTheStatusWithoutTheAgentToo) {
    agent.problem = Error{"connect to /run/diskless/control: Connection refused", {}, ECONNREFUSED};
    EXPECT_EQ(run({"status"}), kExitDone);
    EXPECT_THAT(out.text(), HasSubstr("agent      not answering\n"));
    EXPECT_THAT(out.text(), HasSubstr("node07"));
}

TEST_F(CtlTest, SaysInOneLineThatThisIsNoDisklessNode) {
    files.content.erase("/run/diskless/boot.json");
    agent.problem = Error{"connect to /run/diskless/control: No such file or directory", {}, ENOENT};
    take_down = [](PowerVerb, Deadline) -> Error { throw std::logic_error("must not be called"); };
    for (const char* command : {"status", "report", "state", "check", "metrics", "reload", "reboot", "halt"}) {
        EXPECT_EQ(run({command}), kExitFailed) << command;
        EXPECT_EQ(err.text(), "disklessctl: this is no diskless node: there is no /run/diskless/boot.json\n");
    }
}

TEST_F(CtlTest, WhateverKeepsTheAgentFromBeingReachedTheNodeGoesDown) {
    // ESTALE: the socket's path begins at a root that the server does not know any more
    for (const int code : {ENOENT, ECONNREFUSED, ECONNRESET, EPIPE, ETIMEDOUT, ESTALE, EIO}) {
        int taken_down = 0;
        take_down = [&](PowerVerb, Deadline) {
            ++taken_down;
            return Error{"the machine is still there", {}, EPERM};
        };
        agent.problem = Error{"connect to /run/diskless/control", {}, code};
        EXPECT_EQ(run({"reboot"}), kExitFailed);
        EXPECT_EQ(taken_down, 1) << strerror(code);
    }
    take_down = [](PowerVerb, Deadline) -> Error { throw std::logic_error("must not be called"); };
    agent.problem = Error{"root only", {}, EPERM};
    EXPECT_EQ(run({"reboot"}), kExitFailed) << "it refused";
}

TEST_F(CtlTest, ShowsTheReportInEveryForm) {
    EXPECT_EQ(run({"report"}), kExitDone);
    EXPECT_EQ(out.text(), timeline_text(report));
    EXPECT_EQ(run({"report", "--utf8", "--width=80"}), kExitDone);
    EXPECT_EQ(out.text(), timeline_text(report, 80, true));
    EXPECT_EQ(run({"report", "--svg"}), kExitDone);
    EXPECT_EQ(out.text(), timeline_svg(report));
    EXPECT_EQ(run({"report", "--json"}), kExitDone);
    EXPECT_EQ(out.text(), to_json(report));
    files.content["/tmp/old.json"] = R"({"format":1,"kernel":"5.10"})";
    EXPECT_EQ(run({"report", "--json", "/tmp/old.json"}), kExitDone);
    EXPECT_THAT(out.text(), HasSubstr("5.10"));
    files.content["/tmp/old.json"] = "not a report";
    EXPECT_EQ(run({"report", "/tmp/old.json"}), kExitFailed);
}

TEST_F(CtlTest, HandsPlanItsArguments) {
    EXPECT_EQ(run({"plan"}), kExitFailed) << "no planner";
    PlanArguments seen;
    plan = [&](const PlanArguments& arguments) {
        seen = arguments;
        return Result<std::string>("1. mount-root\n");
    };
    EXPECT_EQ(run({"plan", "--cmdline", "root=dhcp", "--root", "/srv/root", "--snapshot=/srv/s", "--manifest", "m",
                   "--json"}),
              kExitDone);
    EXPECT_TRUE((seen == PlanArguments{"root=dhcp", "/srv/root", "/srv/s", "m", true}));
    EXPECT_EQ(out.text(), "1. mount-root\n");
    EXPECT_EQ(run({"plan"}), kExitDone);
    EXPECT_EQ(seen.command_line, "ip=dhcp quiet");
}

TEST_F(CtlTest, AsksTheAgentToReboot) {
    EXPECT_EQ(run({"reboot"}), kExitDone);
    EXPECT_EQ(out.text(), "reboot: systemd is asked; at the latest in 30.0 s\n");
    run({"reboot", "--timeout", "2m", "--now"});
    EXPECT_EQ(agent.asked.back(), "reboot timeout_ms=120000 now");
}

TEST_F(CtlTest, KexecLoadsAKernelFirst) {
    std::string loaded;
    load_kernel = [&](const std::string& kernel, const std::string& initramfs, const std::string& line) -> Result<> {
        loaded = kernel + " | " + initramfs + " | " + line;
        if (kernel == "/bad") return fail("not a kernel");
        return {};
    };
    agent.answers["kexec"] = ok_answer(R"({"verb":"kexec","at_most_ms":30000,"asks":"systemd"})");
    files.content["/proc/sys/kernel/osrelease"] = "6.1\n";
    files.content["/proc/cmdline"] = "ip=dhcp quiet\n";
    EXPECT_EQ(run({"kexec", "same"}), kExitFailed);
    EXPECT_THAT(err.text(), HasSubstr("no kernel 6.1"));
    files.content["/boot/vmlinuz-6.1"] = "x";
    EXPECT_EQ(run({"kexec"}), kExitFailed);
    EXPECT_THAT(err.text(), HasSubstr("--initrd FILE"));
    EXPECT_THAT(agent.asked, IsEmpty()) << "nothing goes down without a kernel to go up with";

    files.content["/boot/diskless-6.1.img"] = "x";
    EXPECT_EQ(run({"kexec"}), kExitDone);
    EXPECT_EQ(loaded, "/boot/vmlinuz-6.1 | /boot/diskless-6.1.img | ip=dhcp quiet");
    EXPECT_EQ(agent.asked.back(), "kexec");
    EXPECT_EQ(run({"kexec", "--kernel", "/k", "--initrd", "/i", "--append", "root=x"}), kExitDone);
    EXPECT_EQ(loaded, "/k | /i | root=x");

    agent.asked.clear();
    EXPECT_EQ(run({"kexec", "--kernel", "/bad", "--initrd", "/i"}), kExitFailed);
    EXPECT_EQ(run({"kexec", "other"}), kExitUsage);
    EXPECT_THAT(agent.asked, IsEmpty());
}

TEST_F(CtlTest, WhenPid1HasBegunNothingIsDoneHere) {
    bool taken_down = false;
    take_down = [&](PowerVerb, Deadline) {
        taken_down = true;
        return Error{};
    };
    agent.problem = Error{"no agent", {}, ENOENT};
    EXPECT_EQ(run({"reboot", "--begun"}), kExitFailed);
    EXPECT_FALSE(taken_down) << "systemd's own way down is under way";
    EXPECT_THAT(agent.asked, ElementsAre("reboot begun"));
}

TEST_F(CtlTest, PowerNeedsRoot) {
    user = 1000;
    EXPECT_EQ(run({"reboot"}), kExitFailed);
    EXPECT_THAT(err.text(), HasSubstr("needs root"));
    EXPECT_THAT(agent.asked, IsEmpty());
}

TEST_F(CtlTest, TakesTheNodeDownItselfWhenTheAgentIsGone) {
    agent.problem = Error{"no answer in time", {}, ETIMEDOUT};
    std::optional<Nanoseconds> deadline;
    take_down = [&](PowerVerb verb, Deadline given) {
        EXPECT_EQ(verb, PowerVerb::poweroff);
        deadline = given.at;
        return Error{"reboot: Operation not permitted", {}, EPERM};
    };
    EXPECT_EQ(run({"poweroff", "--timeout", "10"}), kExitFailed) << "it came back";
    EXPECT_EQ(deadline, clock.now() + Seconds{10});
    EXPECT_THAT(err.text(), HasSubstr("taking the node down from here"));
}

TEST_F(CtlTest, ARefusalIsNoReasonToGoOnWithoutTheAgent) {
    bool taken_down = false;
    take_down = [&](PowerVerb, Deadline) {
        taken_down = true;
        return Error{};
    };
    agent.answers["halt"] = error_answer({"halt needs root", {}, EPERM});
    EXPECT_EQ(run({"halt"}), kExitFailed);
    EXPECT_FALSE(taken_down);
}

TEST_F(CtlTest, ListsTheState) {
    EXPECT_EQ(run({"state"}), kExitDone);
    EXPECT_THAT(out.text(), HasSubstr("persistent         7 B  no       /etc/hostname"));
    EXPECT_THAT(out.text(), HasSubstr("empty          2.0 KiB  yes      /var/log"));
    EXPECT_EQ(run({"state", "--json"}), kExitDone);
    const auto tree = parse_json(out.text());
    ASSERT_TRUE(tree);
    EXPECT_TRUE(tree->items[1].is_true("changed"));
}

TEST_F(CtlTest, LooksAtOneHangingEntryOnly) {
    processes.hanging.insert("look at /etc/hostname");
    EXPECT_EQ(run({"state"}), kExitDone);
    EXPECT_THAT(processes.children, ElementsAre("look at /etc/hostname"));
    EXPECT_THAT(out.text(), HasSubstr("the server does not answer"));
}

TEST_F(CtlTest, ChecksANodeThatIsWell) {
    EXPECT_EQ(run({"check"}), kExitDone) << out.text();
    EXPECT_THAT(out.text(), Not(HasSubstr("PROBLEM")));
    EXPECT_THAT(out.text(), HasSubstr("ok       snapshot: /run/diskless/snapshot can be written\n"));
    EXPECT_THAT(out.text(), HasSubstr("ok       state: 2 of 2 entries are as planned\n"));
    EXPECT_EQ(files.content.count("/run/diskless/snapshot/.disklessctl-check"), 0u) << "leaves nothing behind";
}

TEST_F(CtlTest, ChecksThatARootIsUnderMemory) {
    report.root.mode = "overlay";
    set_report();
    EXPECT_EQ(run({"check"}), kExitFailed);
    EXPECT_THAT(out.text(), HasSubstr("PROBLEM  root: is not covered by memory"));
    mounts.entries[0].type = mounts.entries[0].source = "overlay";
    mounts.entries[0].options = mounts.entries[0].super_options = "rw";
    EXPECT_EQ(run({"check"}), kExitDone) << out.text();
    mounts.entries[0].options = "ro";
    EXPECT_EQ(run({"check"}), kExitFailed);
    EXPECT_THAT(out.text(), HasSubstr("PROBLEM  root: is mounted ro, the boot planned rw"));
}

TEST_F(CtlTest, WithoutTheAgentNothingIsKnownOfTheLease) {
    agent.problem = Error{"connect to /run/diskless/control: Connection refused", {}, ECONNREFUSED};
    clock.time = Seconds{400'000};  // the boot's lease ended long ago: of course it was renewed
    EXPECT_EQ(run({"check"}), kExitFailed);
    EXPECT_THAT(out.text(), Not(HasSubstr("lease")));
    EXPECT_EQ(run({"status"}), kExitDone);
    EXPECT_THAT(out.text(), Not(HasSubstr("expire")));
    EXPECT_EQ(run({"metrics"}), kExitDone);
    EXPECT_THAT(out.text(), HasSubstr("diskless_degraded_items 1\n")) << "the agent";
    EXPECT_THAT(out.text(), Not(HasSubstr("lease_remaining")));
}

TEST_F(CtlTest, FindsEachProblem) {
    const struct {
        const char* name;
        std::function<void(CtlTest&)> harm;
        const char* words;
    } cases[] = {
        {"root rw", [](CtlTest& t) { t.mounts.entries[0].options = t.mounts.entries[0].super_options = "rw"; },
         "PROBLEM  root: is mounted rw, the boot planned ro"},
        {"no root", [](CtlTest& t) { t.mounts.entries.clear(); }, "PROBLEM  root: is not in the mount table"},
        {"snapshot gone",
         [](CtlTest& t) { t.mounts.entries.erase(t.mounts.entries.begin() + 2, t.mounts.entries.begin() + 4); },
         "PROBLEM  snapshot: 10.9.0.1:/srv/snapshots/node07 is not mounted"},
        {"snapshot ro", [](CtlTest& t) { t.mounts.entries[2].super_options = "ro"; }, "is mounted read-only"},
        {"snapshot full", [](CtlTest& t) { t.files.read_only = true; },
         "PROBLEM  snapshot: write /run/diskless/snapshot"},
        {"snapshot hangs", [](CtlTest& t) { t.processes.hanging.insert("write to the snapshot"); },
         "PROBLEM  snapshot: write to the snapshot: no end in time"},
        {"volatile",
         [](CtlTest& t) {
             t.report.snapshot.state = "volatile";
             t.set_report();
         },
         "PROBLEM  snapshot: is volatile: what the node writes is lost"},
        {"clock", [](CtlTest& t) { t.clock.wall_at_boot = {}; }, "PROBLEM  clock: 1970-01-01"},
        {"agent",
         [](CtlTest& t) {
             t.agent.problem = Error{"refused", {}, ECONNREFUSED};
         },
         "PROBLEM  agent: does not answer"},
        {"lease",
         [](CtlTest& t) {
             auto status = *node_status_from(*parse_control_answer(t.agent.answers["status"]));
             status.lease.expires_in = 12;
             t.agent.answers["status"] = ok_answer(to_json(status, 0));
         },
         "PROBLEM  lease: 10.9.0.21/24 ends in 12 s"},
        {"lease refused",
         [](CtlTest& t) {
             auto status = *node_status_from(*parse_control_answer(t.agent.answers["status"]));
             status.lease.expires_in = 7200;
             status.degraded.push_back({"lease", "10.9.0.1 refuses to renew 10.9.0.21", "see the DHCP server"});
             t.agent.answers["status"] = ok_answer(to_json(status, 0));
         },
         "PROBLEM  lease: 10.9.0.1 refuses to renew 10.9.0.21\n         -> see the DHCP server\n"},
        {"state unmounted", [](CtlTest& t) { t.mounts.entries.erase(t.mounts.entries.begin() + 3); },
         "PROBLEM  state /etc/hostname: is not mounted: it shows the shared root"},
        {"server",
         [](CtlTest& t) {
             auto status = *node_status_from(*parse_control_answer(t.agent.answers["status"]));
             status.root_health = Health{"slow", 2000, 5, "10.9.0.1 took 2.0 s to answer", "see load"};
             t.agent.answers["status"] = ok_answer(to_json(status, 0));
         },
         "PROBLEM  root server: 10.9.0.1 took 2.0 s to answer"},
        {"state problem",
         [](CtlTest& t) {
             t.report.state[1].problem = "source is missing";
             t.set_report();
         },
         "PROBLEM  state /var/log: source is missing"},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(c.name);
        const auto saved_report = report;
        const auto saved_files = files;
        const auto saved_mounts = mounts.entries;
        const auto saved_time = clock.time;
        const auto saved_answers = agent.answers;
        c.harm(*this);
        EXPECT_EQ(run({"check"}), kExitFailed);
        EXPECT_THAT(out.text(), HasSubstr(c.words));
        EXPECT_THAT(out.text(), HasSubstr("         -> ")) << "a remedy";
        EXPECT_EQ(lines_with(" lease: "), agent.problem ? 0 : 1) << "one word on one thing\n" << out.text();
        EXPECT_EQ(run({"check", "--json"}), kExitFailed);
        EXPECT_TRUE(parse_json(out.text()));
        report = saved_report;
        files = saved_files;
        mounts.entries = saved_mounts;
        clock.time = saved_time;
        agent.answers = saved_answers;
        agent.problem.reset();
        processes.hanging.clear();
    }
}

TEST_F(CtlTest, ShowsTheLog) {
    agent.answers["log"] = ok_answer(
        to_json_line(std::vector<LogLine>{{Milliseconds{2'340}, 6, "mounted the root"},
                                          {Seconds{7200}, 3, "diskless-agent: root server is \x1b[2Junreachable"}}));
    EXPECT_EQ(run({"log"}), kExitDone);
    EXPECT_EQ(out.text(),
              "      2.34 s  mounted the root\n"
              "   7200.00 s  ERROR diskless-agent: root server is \\x1b[2Junreachable\n");
    EXPECT_EQ(run({"log", "--json"}), kExitDone);
    EXPECT_EQ(log_from(*parse_json(out.text()))->size(), 2U);
    agent.answers["log"] = ok_answer(R"([{"at_ns":"soon"}])");
    EXPECT_EQ(run({"log"}), kExitFailed);
    agent.problem = Error{"refused", {}, ECONNREFUSED};
    EXPECT_EQ(run({"log"}), kExitFailed);
    EXPECT_THAT(err.text(), HasSubstr("dmesg"));
}

TEST_F(CtlTest, Reloads) {
    EXPECT_EQ(run({"reload"}), kExitFailed) << "nothing to do it with";
    std::vector<std::string> lines;
    reload = [&] { return Result<std::vector<std::string>>(lines); };
    agent.answers["reload"] = ok_answer("\"read again\"");
    EXPECT_EQ(run({"reload"}), kExitDone);
    EXPECT_EQ(out.text(), "nothing has changed\n");
    EXPECT_EQ(agent.asked.back(), "reload");
    lines = {"+ persistent /opt/data, from /run/diskless/snapshot/opt/data", "- /var/x: no longer listed"};
    EXPECT_EQ(run({"reload"}), kExitDone);
    EXPECT_THAT(out.text(), HasSubstr("+ persistent /opt/data"));
    lines.push_back("! /opt/\x1b: no such file");
    EXPECT_EQ(run({"reload"}), kExitFailed) << "not all of it";
    EXPECT_THAT(out.text(), Not(HasSubstr("\x1b")));
    agent.problem = Error{"refused", {}, ECONNREFUSED};
    lines.pop_back();
    EXPECT_EQ(run({"reload"}), kExitDone) << "done, though the agent could not be told";
    EXPECT_THAT(err.text(), HasSubstr("not told"));
}

TEST_F(CtlTest, ReloadsTheInittabOfOurOwnInit) {
    reload = [] { return Result<std::vector<std::string>>(std::vector<std::string>()); };
    agent.answers["reload"] = ok_answer("\"read again\"");
    std::vector<std::string> lines{"+ inittab sshd: /bin/sshd -D"};
    reload_inittab = [&] { return Result<std::vector<std::string>>(lines); };
    EXPECT_EQ(run({"reload"}), kExitDone);
    EXPECT_EQ(out.text(), "+ inittab sshd: /bin/sshd -D\n");
    lines = {"! /etc/inittab:3: rubbish"};
    EXPECT_EQ(run({"reload"}), kExitFailed);
    reload = [] { return Result<std::vector<std::string>>(fail("no list", {}, EIO)); };
    EXPECT_EQ(run({"reload"}), kExitFailed);
    EXPECT_THAT(out.text(), HasSubstr("rubbish")) << "one does not keep the other from being done";
}

TEST_F(CtlTest, ShowsWhatAServicePrinted) {
    files.content["/run/diskless/log/before/sshd"] = "1.00 -- started, process 7 --\n";
    files.content["/run/diskless/log/now/sshd"] = "1.20 no hostkeys\x1b[2J available\n";
    files.content["/run/diskless/log/now/gmond"] = "";
    EXPECT_EQ(run({"log", "sshd"}), kExitDone);
    EXPECT_EQ(out.text(), "1.00 -- started, process 7 --\n1.20 no hostkeys\\x1b[2J available\n");
    EXPECT_EQ(run({"log", "cron"}), kExitFailed);
    EXPECT_THAT(err.text(), HasSubstr("there is output of: gmond, sshd"));
    EXPECT_EQ(run({"log", "../../../etc/shadow"}), kExitUsage);
}

TEST_F(CtlTest, OnlyRootReloads) {
    user = 1000;
    reload = []() -> Result<std::vector<std::string>> { throw std::logic_error("must not be called"); };
    EXPECT_EQ(run({"reload"}), kExitFailed);
    EXPECT_THAT(err.text(), HasSubstr("needs root"));
}

TEST_F(CtlTest, TellsVersions) {
    EXPECT_EQ(run({"version"}), kExitDone);
    EXPECT_EQ(out.text(), "disklessctl " DISKLESS_VERSION "\nthis node was booted by diskless 0.1.0\n");
    agent.problem = Error{"refused", {}, ECONNREFUSED};
    EXPECT_EQ(run({"version", "--json"}), kExitDone);
    EXPECT_EQ(parse_json(out.text())->find("booted_with")->kind, Json::Kind::null);
}

TEST(CoveringMount, IsTheNearestAndTheLast) {
    const std::vector<MountEntry> table{{1, 0, "root", "/", "nfs", "/", "", ""},
                                        {2, 1, "a", "/var", "tmpfs", "/", "", ""},
                                        {3, 1, "b", "/var", "tmpfs", "/", "", ""},
                                        {4, 1, "c", "/var/lo", "tmpfs", "/", "", ""}};
    EXPECT_EQ(ctl::covering_mount(table, "/var/log")->source, "b");
    EXPECT_EQ(ctl::covering_mount(table, "/var")->source, "b");
    EXPECT_EQ(ctl::covering_mount(table, "/variable")->source, "root");
    EXPECT_EQ(ctl::covering_mount({}, "/"), nullptr);
}

TEST(SpeaksUtf8, FirstThatIsSetDecides) {
    EXPECT_TRUE(speaks_utf8(nullptr, nullptr, "de_DE.UTF-8"));
    EXPECT_TRUE(speaks_utf8("C.utf8", nullptr, nullptr));
    EXPECT_FALSE(speaks_utf8("C", nullptr, "de_DE.UTF-8"));
    EXPECT_TRUE(speaks_utf8("", "", "de_DE.UTF-8"));
    EXPECT_FALSE(speaks_utf8(nullptr, nullptr, nullptr));
}

}  // namespace
}  // namespace diskless
