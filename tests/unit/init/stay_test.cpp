// Boots that end with this program as PID 1, on fakes: after a root switch of its own, and on a root that is mounted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/plan/executor.hpp"
#include "init/boot_report_of.hpp"
#include "init/hand_over.hpp"
#include "init/mounted_root.hpp"
#include "init/plan.hpp"
#include "init/shutdown/leave_root.hpp"
#include "init/userland.hpp"
#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kRoot =
    "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp "
    "diskless.snapshot=10.9.0.1:/srv/snapshots ";

struct Node : FakeCluster {
    Boot boot;
    Executor executor{os, {}, false};

    explicit Node(const std::string& command_line) : FakeCluster(command_line) {}

    Result<> run() {
        TRY(executor.run(plan_early(boot)));
        return executor.run(plan_boot(boot));
    }
    void hand() { (void)hand_over(os, boot, boot_report_of(boot, executor.reports(), os, {}), {}); }
};

TEST(Stay, WhenTheCommandLineSaysSo) {
    Node node(kRoot + "diskless.init=self single");
    ASSERT_TRUE(node.run());
    EXPECT_EQ(node.boot.init, kProgram);
    EXPECT_TRUE(node.files.exists("/run/diskless/bin/telinit"));
    node.hand();
    EXPECT_EQ(node.machine.root, "/sysroot");
    EXPECT_THAT(node.processes.executed(), Contains(kProgram)) << "out of RAM";
    EXPECT_THAT(node.processes.execute_arguments, ElementsAre("init", kSupervise, "", "", "single"));
}

TEST(HandOver, TriedAgainDoesNothingTwice) {
    Node node(kRoot);
    ASSERT_TRUE(node.run());
    int freed = 0;
    node.files.hook = [&](const FakeCall& call) -> std::optional<Error> {
        freed += call.name == "remove_tree" && call.path == "/usr" ? 1 : 0;
        return std::nullopt;
    };
    node.processes.on_execute = [] { throw std::bad_alloc(); };
    EXPECT_THROW(node.hand(), std::bad_alloc);
    EXPECT_EQ(node.machine.root, "/sysroot");
    EXPECT_EQ(freed, 1);
    node.hand();
    EXPECT_THAT(node.processes.spawned, ::testing::SizeIs(1)) << "one agent";
    EXPECT_EQ(freed, 1) << "/usr is the root's now";
    EXPECT_THAT(node.processes.executed(), Contains("/sbin/init"));
}

TEST(Stay, WhenTheImagesInitIsALinkToUs) {
    Node node(kRoot);
    node.files.tree({{"/server/root/sbin/init", symlink("/usr/lib/diskless/diskless-init")}});
    ASSERT_TRUE(node.run());
    EXPECT_EQ(node.boot.init, kProgram);
}

TEST(Stay, WhenARootHasAnInittabAndNoInit) {
    Node node(kRoot);
    ASSERT_TRUE(node.files.remove("/server/root/sbin/init"));
    node.files.tree({{"/server/root/etc/inittab", file("id:1:initdefault:\n")}});
    ASSERT_TRUE(node.run());
    EXPECT_EQ(node.boot.init, kProgram);
}

TEST(Stay, NotWhereAnotherInitIsThere) {
    Node node(kRoot);
    node.files.tree({{"/server/root/etc/inittab", file("id:1:initdefault:\n")}});
    ASSERT_TRUE(node.run());
    EXPECT_EQ(node.boot.init, "/sbin/init");
    EXPECT_FALSE(node.files.exists("/run/diskless/bin/telinit")) << "its own telinit is to be found";
}

/// As step_into_ram() leaves it: the root is at /sysroot, the address on the interface.
struct Mounted : Node {
    explicit Mounted(const std::string& command_line = "root=/dev/nfs diskless.snapshot=10.9.0.1:/srv/snapshots",
                     const std::string& options = "ro,vers=3,addr=10.9.0.1")
        : Node(command_line) {
        boot.root_is_there = true;
        boot.called_as = "/sbin/diskless-init";
        EXPECT_TRUE(files.make_directories("/sysroot"));
        EXPECT_TRUE(mounts.mount({"10.9.0.1:/srv/images/debian/1", "/sysroot", "nfs", options}));
        auto& link = links.links[0];
        EXPECT_TRUE(links.set_up(link.link.index));
        clock.advance(Seconds{1});
        EXPECT_TRUE(links.add_address(link.link.index, address, 24, Seconds{0}));
        files.tree({{"/fake/proc/net/pnp", file("#PROTO: DHCP\ndomain lab.example\nnameserver 10.9.0.1\n"
                                                "nameserver 0.0.0.0\nbootserver 10.9.0.1\n")},
                    {"/fake/proc/sys/kernel/hostname", file("node1\n")}});
    }
};

TEST(MountedRoot, DoesOnlyWhatIsMissing) {
    Mounted node;
    const auto result = node.run();
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_EQ(node.boot.init, kProgram) << "it was asked for by init=";
    EXPECT_EQ(node.boot.link.name, "eth0");
    EXPECT_EQ(node.boot.lease.address, node.address);
    EXPECT_THAT(node.boot.lease.dns, ElementsAre(node.server));
    EXPECT_EQ(node.boot.root.server, "10.9.0.1");
    EXPECT_EQ(node.boot.root.path, "/srv/images/debian/1");
    EXPECT_EQ(node.boot.root.version, "3");
    EXPECT_EQ(node.boot.root.mode, "ro");
    EXPECT_EQ(node.boot.snapshot.state, "mounted");
    EXPECT_EQ(node.boot.identity.hostname, "node1");
    EXPECT_THAT(node.modules.loaded().value(), IsEmpty());
    for (const auto& report : node.executor.reports()) EXPECT_NE(report.id, "load-drivers");
    EXPECT_TRUE(problems_of(plan_boot(node.boot)).size() <= 1) << "only what plan_early has done is missing";
}

/// A kernel that has configured the interface names itself by the address when it knows no better (ipconfig.c).
TEST(MountedRoot, AnAddressIsNoName) {
    Mounted node;
    node.files.tree({{"/fake/proc/sys/kernel/hostname", file(node.address.text() + "\n")}});
    ASSERT_TRUE(node.run());
    EXPECT_EQ(node.boot.lease.hostname, "");
    EXPECT_EQ(node.boot.identity.hostname, "node1") << "by the root's etc/hosts";
}

TEST(MountedRoot, HandsOverToAnotherInitWhenToldTo) {
    Mounted node("root=/dev/nfs init=/bin/Rcinit diskless.init=/sbin/init");
    ASSERT_TRUE(node.run());
    EXPECT_EQ(node.boot.init, "/sbin/init");
}

TEST(MountedRoot, AWritableRootIsTheNodesOwn) {
    Mounted node("root=/dev/nfs rw", "rw,vers=4.2,addr=10.9.0.1");
    ASSERT_TRUE(node.run());
    EXPECT_EQ(node.boot.root.mode, "rw");
    EXPECT_EQ(node.boot.config.root.mode, RootMode::writable);
}

/// The kernel may have been told rw: the shared root beneath the memory is nobody's to write all the same.
TEST(MountedRoot, UnderMemoryItIsReadOnly) {
    Mounted node("root=/dev/nfs rw diskless.mode=overlay", "rw,vers=4.2,addr=10.9.0.1");
    node.mounts.known_types["overlay"] = true;
    const auto result = node.run();
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_EQ(node.boot.root.mode, "overlay");
    EXPECT_TRUE(node.files.replace("/sysroot/etc/motd", "mine\n"));
    EXPECT_FALSE(node.files.replace("/run/diskless/root/etc/motd", "mine\n"));
    EXPECT_NE(node.files.text("/server/root/etc/motd"), "mine\n");
}

TEST(MountedRoot, MustBeNfs) {
    Mounted node;
    ASSERT_TRUE(node.mounts.mount({"tmpfs", "/sysroot", "tmpfs", ""}));
    const auto root = mounted_root(node.os);
    ASSERT_FALSE(root);
    EXPECT_THAT(root.error().cause, HasSubstr("tmpfs, not NFS"));
}

TEST(StepIntoRam, LeavesAnInitramfsAlone) {
    FakeCluster node("");
    const auto there = step_into_ram(node.os, {"/init"}, {});
    ASSERT_TRUE(there) << there.error().cause;
    EXPECT_FALSE(*there);
    EXPECT_EQ(node.machine.pivoted_from, "");
}

TEST(Userland, MountsWhatFstabNames) {
    const auto entries = fstab_to_mount(
        "proc /proc proc defaults,noauto 0 0\n"
        "none /tmp tmpfs defaults,noauto,size=10M,nodev,nosuid 0 0\n"
        "none /dev tmpfs defaults,noauto,size=1M,nosuid 0 0\n"
        "172.16.1.1:/home/common/culc /culc nfs hard,intr,nodev,rw,defaults,proto=tcp 0 0\n"
        "# 172.16.1.1:/x /x nfs rw 0 0\n"
        "172.16.1.1:/y /y nfs4 noauto,rw 0 0\n"
        "172.16.1.1:/z /z nfs4 ro 0 0\n"
        "172.16.1.1:/root / nfs ro 0 0\n"
        "/dev/sda1 /scratch ext4 defaults 0 0\nshort line\n");
    std::vector<std::string> seen;
    for (const auto& entry : entries) seen.push_back(entry.target + " " + entry.options);
    EXPECT_THAT(seen, ElementsAre("/tmp defaults,noauto,size=10M,nodev,nosuid",
                                  "/culc hard,intr,nodev,rw,defaults,proto=tcp", "/z ro,vers=4"));
}

TEST(Userland, KnowsNamesOfHosts) {
    EXPECT_EQ(address_in_hosts("127.0.0.1 localhost\n10.9.0.1\tserver srv # nfs\n", "srv"), Ipv4(10, 9, 0, 1));
    EXPECT_FALSE(address_in_hosts("10.9.0.1 server # nfs\n::1 nfs\n", "nfs").is_set());
}

TEST(Userland, OwnEntriesComeFirstWhereNoScriptsAre) {
    auto table = parse_inittab("id:1:initdefault:\nboot::bootwait:/bin/Rcinit\nsshd:1:respawn:/bin/sshd -D\n");
    add_own_entries(table);
    ASSERT_EQ(table.entries.size(), 3U);
    EXPECT_EQ(table.entries[0].action, InittabAction::sysinit);
    EXPECT_GT(table.entries[1].patience, Seconds{0}) << "a dead server of /culc does not hold up the node";
    EXPECT_THAT(command_of(table.entries[1]).arguments, ElementsAre(kProgram, kMountFstab));

    auto scripts = parse_inittab("si::sysinit:/etc/init.d/rcS\n1:3:respawn:/x\n");
    add_own_entries(scripts);
    EXPECT_EQ(scripts.entries.size(), 2U) << "its rcS does all that";
}

TEST(Userland, MountFstabTriesOnUntilItIsThere) {
    FakeCluster node("");
    node.files.tree({{"/etc/fstab", file("10.9.0.1:/home/culc /culc nfs hard,intr,rw 0 0\n")}, {"/culc", directory()}});
    node.mounts.refuse("/culc", ECONNREFUSED);
    // The executor's threads are real here, its clock is not: a second look at the mount is enough.
    node.mounts.allow("/culc");
    node.serve("/home/culc", "/server/snapshots/node1");
    EXPECT_EQ(mount_fstab(node.os), 0);
    EXPECT_THAT(node.mounts.lines(), Contains("/culc <- 10.9.0.1:/home/culc"));
}

TEST(Userland, AnFstabMountBeneathAnotherComesAfterIt) {
    FakeCluster node("");
    // One after another: the fakes are for one thread at a time.
    node.files.tree({{"/etc/fstab", file("10.9.0.1:/deep /data/scratch/a/deep nfs rw 0 0\n"
                                         "10.9.0.1:/scratch /data/scratch/ nfs rw 0 0\n"
                                         "10.9.0.1:/data /data nfs rw 0 0\n")},
                     {"/server/data", directory()},
                     {"/server/scratch", directory()},
                     {"/server/deep", directory()},
                     {"/data", directory()}});
    for (const char* name : {"/data", "/scratch", "/deep"}) node.serve(name, std::string("/server") + name);
    EXPECT_EQ(mount_fstab(node.os), 0);
    EXPECT_THAT(node.mounts.lines(), ElementsAre("/data <- 10.9.0.1:/data", "/data/scratch <- 10.9.0.1:/scratch",
                                                 "/data/scratch/a/deep <- 10.9.0.1:/deep"));
    EXPECT_TRUE(node.files.exists("/server/data/scratch")) << "its mount point was made in what it is mounted on";
}

TEST(Userland, FstabIsMountedOverWhatIsThereFromElsewhereButNotOverAList) {
    FakeCluster node("");
    node.files.tree({{"/etc/fstab", file("10.9.0.1:/log /var/log nfs rw 0 0\n"
                                         "10.9.0.1:/mail /var/mail nfs rw 0 0\n"
                                         "server:/home /home nfs rw 0 0\n")},
                     {"/etc/hosts", file("10.9.0.1 server\n")},
                     {"/server/log", directory()},
                     {"/server/mail", directory()},
                     {"/server/home", directory()},
                     {"/own/log", directory()},
                     {"/own/mail", directory()},
                     {"/var/log", directory()},
                     {"/var/mail", directory()},
                     {"/home", directory()}});
    for (const char* name : {"/log", "/mail", "/home"}) node.serve(name, std::string("/server") + name);
    ASSERT_TRUE(node.mounts.bind("/own/log", "/var/log", false));
    ASSERT_TRUE(node.mounts.bind("/own/mail", "/var/mail", false));
    ASSERT_TRUE(node.mounts.mount({"10.9.0.1:/home", "/home", "nfs", "rw"}));
    BootReport report;
    report.state = {{"/var/mail", "persistent", "/own/mail", 0, ""}};
    ASSERT_TRUE(node.files.make_directories("/run/diskless"));
    ASSERT_TRUE(node.files.replace(kReportFile, to_json(report)));
    EXPECT_EQ(mount_fstab(node.os), 0);
    const auto lines = node.mounts.lines();
    EXPECT_THAT(lines, Contains("/var/log <- 10.9.0.1:/log"));
    EXPECT_THAT(lines, ::testing::Not(Contains("/var/mail <- 10.9.0.1:/mail")));
    EXPECT_EQ(std::ranges::count(lines, "/home <- 10.9.0.1:/home"), 1);
    EXPECT_TRUE(node.machine.has_said("stays as a list"));
}

TEST(LeaveRoot, BecomesTheShutdownProgramInRam) {
    FakeCluster node("");
    node.files.tree({{"/proc", directory()},
                     {"/sys", directory()},
                     {"/dev", directory()},
                     {"/run/diskless/initramfs/shutdown", file("program")},
                     {"/proc/7/stat", file("7 (sshd) S 1 1 1 0 -1 4194560 0")},
                     {"/proc/9/stat", file("9 (diskless-init) S 1 1 1 0 -1 4194560 0")},
                     {"/proc/9/comm", file("diskless-init\n")},
                     {"/proc/9/status", file("Name:\tdiskless-init\nUid:\t0\t0\t0\t0\n")},
                     {"/proc/meminfo", file("Dirty: 0 kB\n")}});
    leave_root(node.os, PowerVerb::poweroff, Deadline::after(node.clock, Seconds{20}), false);
    EXPECT_EQ(node.machine.root, "/run/diskless/initramfs");
    EXPECT_EQ(node.machine.pivoted_from, "/run/diskless/initramfs/oldroot");
    EXPECT_THAT(node.processes.signals, Contains(std::pair(7, 15)));
    for (const auto& [pid, number] : node.processes.signals) EXPECT_NE(pid, 9) << "the agent keeps the address";
    ASSERT_EQ(node.processes.execute_arguments.size(), 3U);
    EXPECT_EQ(node.processes.execute_arguments[1], "poweroff");
    EXPECT_THAT(node.processes.execute_arguments[2], HasSubstr("--diskless-deadline="));
    // The fake's execve fails: the machine ends all the same.
    EXPECT_THAT(node.machine.powered, Contains(PowerVerb::poweroff));
    leave_root(node.os, PowerVerb::poweroff, Deadline::after(node.clock, Seconds{20}), true);
    EXPECT_EQ(node.processes.execute_arguments.back(), "--diskless-server-gone") << "it need not find out anew";
}

}  // namespace
}  // namespace diskless
