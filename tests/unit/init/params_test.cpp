#include "init/params.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diskless {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

BootConfig parse(std::string command_line, std::string defaults = "") {
    return parse_boot_config({.command_line = std::move(command_line), .defaults = std::move(defaults), .built = 0});
}

/// The only interface of a command line, an empty one when there is another number of them.
InterfaceConfig interface_of(const std::string& command_line) {
    auto interfaces = parse(command_line).network.interfaces;
    EXPECT_THAT(interfaces, SizeIs(1)) << command_line;
    return interfaces.size() == 1 ? interfaces[0] : InterfaceConfig{};
}

auto warns(const std::string& parameter, const std::string& message) {
    return AllOf(Field(&ConfigWarning::parameter, HasSubstr(parameter)),
                 Field(&ConfigWarning::message, HasSubstr(message)));
}

// ---- ip= ------------------------------------------------------------------------------------------------------------

TEST(Ip, WordsForTheMethod) {
    struct {
        std::string word;
        AddressMethod method;
        bool bootp_too, rarp_too;
    } const cases[] = {
        {"dhcp", AddressMethod::dhcp, false, false},   {"on", AddressMethod::any, true, true},
        {"any", AddressMethod::any, true, true},       {"bootp", AddressMethod::bootp, false, false},
        {"rarp", AddressMethod::rarp, false, false},   {"both", AddressMethod::bootp, true, true},
        {"'dhcp'", AddressMethod::dhcp, false, false}, {"single-dhcp", AddressMethod::dhcp, false, false},
    };
    for (const auto& one : cases) {
        const auto interface = interface_of("ip=" + one.word);
        EXPECT_EQ(interface.method, one.method) << one.word;
        EXPECT_EQ(interface.bootp_too, one.bootp_too) << one.word;
        EXPECT_EQ(interface.rarp_too, one.rarp_too) << one.word;
    }
}

TEST(Ip, KernelOrder) {
    const auto interface =
        interface_of("ip=10.0.0.5:10.0.0.1:10.0.0.254:255.255.255.0:n5:eth1:off:10.0.0.2:10.0.0.3:10.0.0.4");
    EXPECT_EQ(interface.method, AddressMethod::fixed);
    EXPECT_EQ(interface.address, Ipv4(10, 0, 0, 5));
    EXPECT_EQ(interface.server, Ipv4(10, 0, 0, 1));
    EXPECT_EQ(interface.gateway, Ipv4(10, 0, 0, 254));
    EXPECT_EQ(interface.prefix, 24);
    EXPECT_EQ(interface.hostname, "n5");
    EXPECT_EQ(interface.name, "eth1");
    EXPECT_THAT(interface.dns, ElementsAre(Ipv4(10, 0, 0, 2), Ipv4(10, 0, 0, 3)));
    EXPECT_THAT(interface.ntp, ElementsAre(Ipv4(10, 0, 0, 4)));
}

TEST(Ip, AnyNumberOfTrailingFieldsMayBeMissing) {
    std::string text = "ip=10.0.0.5:10.0.0.1:10.0.0.254:255.255.255.0:n5:eth1:off:10.0.0.2:10.0.0.3:10.0.0.4";
    for (int fields = 10; fields >= 1; --fields) {
        EXPECT_EQ(interface_of(text).method, AddressMethod::fixed) << text;
        EXPECT_EQ(interface_of(text + ":").address, Ipv4(10, 0, 0, 5)) << text;
        EXPECT_THAT(parse("nfsroot=10.0.0.1:/x " + text).warnings, IsEmpty()) << text;
        if (fields > 1) text.resize(text.rfind(':'));
    }
}

TEST(Ip, DeviceFirstIsDracuts) {
    const auto interface = interface_of("ip=eth0:dhcp:9000");
    EXPECT_EQ(interface.name, "eth0");
    EXPECT_EQ(interface.method, AddressMethod::dhcp);
    EXPECT_EQ(interface.mtu, 9000);
}

TEST(Ip, DeviceFirstWithAnAddressIsLiveBoots) {
    const auto interface = interface_of("boot=live ip=eth0:10.0.0.5:255.255.255.0:10.0.0.254:10.0.0.2");
    EXPECT_EQ(interface.name, "eth0");
    EXPECT_EQ(interface.address, Ipv4(10, 0, 0, 5));
    EXPECT_EQ(interface.prefix, 24);
    EXPECT_EQ(interface.gateway, Ipv4(10, 0, 0, 254));
    EXPECT_EQ(interface.server, Ipv4());
    EXPECT_THAT(interface.dns, ElementsAre(Ipv4(10, 0, 0, 2)));
}

TEST(Ip, EmptyDeviceIsLiveBootsOnlyWhenItBoots) {
    EXPECT_EQ(interface_of("boot=live ip=:10.0.0.5:255.255.255.0:10.0.0.254").address, Ipv4(10, 0, 0, 5));
    const auto kernel = interface_of("ip=:10.0.0.5:10.0.0.254:255.255.255.0");
    EXPECT_EQ(kernel.server, Ipv4(10, 0, 0, 5));
    EXPECT_EQ(kernel.method, AddressMethod::any);
}

TEST(Ip, AFullFormWinsOverABareWordInAnyOrder) {
    for (const auto* text : {"ip=dhcp ip=10.0.0.5:::255.0.0.0", "ip=10.0.0.5:::255.0.0.0 ip=dhcp"}) {
        EXPECT_EQ(interface_of(text).method, AddressMethod::fixed) << text;
        EXPECT_THAT(parse(std::string("nfsroot=1.1.1.1:/x ") + text).warnings, IsEmpty()) << text;
    }
}

TEST(Ip, DifferentDevicesAreAllKept) {
    EXPECT_THAT(parse("ip=eth0:dhcp ip=10.0.0.5:::8::eth1:none ip=eth2:bootp").network.interfaces, SizeIs(3));
    EXPECT_THAT(parse("ip=eth0:dhcp ip=eth0:bootp").network.interfaces,
                ElementsAre(Field(&InterfaceConfig::method, AddressMethod::bootp)));
}

TEST(Ip, ClientIdentifierIsTypeThenValue) {
    EXPECT_EQ(interface_of("ip=dhcp,0,node1").client_id, std::string("\0node1", 6));
    EXPECT_EQ(interface_of("ip=dhcp,255,a,b").client_id,
              "\xff"
              "a,b");
    EXPECT_EQ(interface_of("ip=dhcp,256,a").client_id, "");
    EXPECT_EQ(interface_of("ip=dhcp,1").client_id, "");
}

TEST(Ip, AGatewayThatCannotBeOneIsLeftOut) {
    for (const auto* gateway : {"10.0.0.255", "10.0.0.0", "10.0.0.5", "224.0.0.1"}) {
        const auto config = parse(std::string("nfsroot=1.1.1.1:/x ip=10.0.0.5::") + gateway + ":255.255.255.0");
        EXPECT_FALSE(config.network.interfaces[0].gateway.is_set()) << gateway;
        EXPECT_THAT(config.warnings, ElementsAre(warns("ip=", "there is no gateway"))) << gateway;
    }
}

TEST(Ip, AGatewayOutsideTheNetworkGetsARouteOnTheLink) {
    const auto config = parse("nfsroot=1.1.1.1:/x ip=10.0.0.5::10.1.0.1:255.255.255.0::eth0:off");
    EXPECT_EQ(config.network.interfaces[0].gateway, Ipv4(10, 1, 0, 1));
    ASSERT_THAT(config.network.routes, SizeIs(1));
    EXPECT_EQ(config.network.routes[0].route, (Route{Ipv4(10, 1, 0, 1), 32, {}}));
    EXPECT_EQ(config.network.routes[0].interface, "eth0");
    EXPECT_THAT(config.warnings, ElementsAre(warns("ip=", "outside")));
}

TEST(Ip, BadFieldsAreWarnedAboutAndTheRestBoots) {
    struct {
        std::string text;
        std::string message;
        AddressMethod method;
    } const cases[] = {
        {"ip=192.168.1.X:10.0.0.1::255.255.255.0:::", "192.168.1.X", AddressMethod::dhcp},
        {"ip=10.0.0.5:::255.0.255.0", "no netmask", AddressMethod::fixed},
        {"ip=10.0.0.5:server:::", "server field", AddressMethod::fixed},
        {"ip=10.0.0.5::::n/1", "hostname", AddressMethod::fixed},
        {"ip=10.0.0.5:::::eth/0", "interface", AddressMethod::fixed},
        {"ip=10.0.0.5::::::sometimes", "no method", AddressMethod::fixed},
        {"ip=10.0.0.5::::::dhcp", "gives 10.0.0.5 too", AddressMethod::dhcp},
        {"ip=127.0.0.1:::", "cannot be the address", AddressMethod::dhcp},
        {"ip=dhcp6", "not supported yet", AddressMethod::dhcp},
        {"ip=[fd00::1]::[fd00::2]:64::eth0:none", "IPv6", AddressMethod::dhcp},
        {"ip=eth0:dhcp:12", "MTU", AddressMethod::dhcp},
        {"ip=off", "off", AddressMethod::dhcp},
        {"ip=what", "no method", AddressMethod::dhcp},
        {"ip=1.2.3.4:::8:::off:::::", "", AddressMethod::fixed},
        {"ip=1.2.3.4:::8:::off::::x", "ten fields", AddressMethod::fixed},
    };
    for (const auto& one : cases) {
        const auto config = parse("nfsroot=1.1.1.1:/x " + one.text);
        ASSERT_THAT(config.network.interfaces, SizeIs(1)) << one.text;
        EXPECT_EQ(config.network.interfaces[0].method, one.method) << one.text;
        if (one.message.empty())
            EXPECT_THAT(config.warnings, IsEmpty()) << one.text;
        else
            EXPECT_THAT(config.warnings, ElementsAre(warns(one.text, one.message))) << one.text;
    }
}

// ---- Root -----------------------------------------------------------------------------------------------------------

TEST(Root, EverySpellingOfTheSameDirectory) {
    for (const auto* text : {
             "root=/dev/nfs nfsroot=10.0.0.1:/srv/root,nolock",
             "root=/dev/nfsroot nfsroot=10.0.0.1:/srv/root/,nolock",
             "nfsroot='10.0.0.1:/srv/root,nolock'",
             "root=nfs:10.0.0.1:/srv/root:nolock",
             "root=10.0.0.1:/srv/root:nolock",
             "root=nfs:nolock:10.0.0.1:/srv/root",
             "root=nfs://10.0.0.1/srv/root:nolock",
             "root=/dev/nfs nfsroot=10.0.0.1:/srv/root nfsopts=nolock",
             "root=/dev/ram0 NFSROOT=10.0.0.1:/srv/root,nolock",
             "netroot=nfs:10.0.0.1:/srv/root:nolock",
         }) {
        const auto config = parse(text);
        EXPECT_THAT(config.root.source.servers, ElementsAre(Ipv4(10, 0, 0, 1))) << text;
        EXPECT_EQ(config.root.source.path, "/srv/root") << text;
        EXPECT_EQ(config.root.source.options, "nolock") << text;
        EXPECT_FALSE(config.root.from_lease) << text;
        EXPECT_THAT(config.warnings, IsEmpty()) << text;
    }
}

TEST(Root, ComesFromTheLeaseWhenNobodyNamesIt) {
    for (const auto* text : {"", "root=dhcp", "root=/dev/nfs nfsroot=auto", "NFSROOT=", "root=/dev/nfs nfsroot=,vers=3",
                             "nfsroot=10.0.0.1", "nfsroot=10.0.0.1:"}) {
        EXPECT_TRUE(parse(text).root.from_lease) << text;
        EXPECT_THAT(parse(text).warnings, IsEmpty()) << text;
    }
    EXPECT_EQ(parse("NFSROOT=").root.layout, RootLayout::red_hat);
}

TEST(Root, ServerLists) {
    const std::vector<Ipv4> all{Ipv4(10, 0, 0, 1), Ipv4(10, 0, 0, 2), Ipv4(10, 0, 0, 3)};
    EXPECT_EQ(parse("nfsroot=10.0.0.1,10.0.0.2,10.0.0.3:/x,rw").root.source.servers, all);
    EXPECT_EQ(parse("nfsroot=10.0.0.1:/x nfsroot=10.0.0.2,10.0.0.1:/x nfsroot=10.0.0.3:/x").root.source.servers, all);
    EXPECT_THAT(parse("nfsroot=/x,port=1,mountport=2").root.source.servers, IsEmpty());
    EXPECT_EQ(parse("nfsroot=/x,port=1,mountport=2").root.source.options, "port=1,mountport=2");
    EXPECT_THAT(parse("nfsroot=10.0.0.1,nas,[fd00::1]:/x").warnings, SizeIs(2));
}

TEST(Root, TheKernelsDirectoryStandsBeforeARelativeOne) {
    EXPECT_EQ(parse("nfsroot=nodes/a").root.source.path, "/tftpboot/nodes/a");
    EXPECT_EQ(parse("nfsroot=%s").root.source.path, "/tftpboot/%s");
}

TEST(Root, Versions) {
    struct {
        std::string option;
        NfsVersion version;
    } const cases[] = {
        {"vers=3", NfsVersion::v3},
        {"nfsvers=4.2", NfsVersion::v4_2},
        {"v3", NfsVersion::v3},
        {"v4.1", NfsVersion::v4_1},
        {"vers=4", NfsVersion::v4},
        {"vers=4.0", NfsVersion::v4_0},
        {"vers=4,minorversion=1", NfsVersion::v4_1},
        {"hard", NfsVersion::automatic},
    };
    for (const auto& one : cases)
        EXPECT_EQ(parse("nfsroot=/x," + one.option).root.source.version, one.version) << one.option;
    EXPECT_EQ(parse("root=nfs4:/x").root.source.version, NfsVersion::v4);
    EXPECT_THAT(parse("nfsroot=/x,vers=2").warnings, ElementsAre(warns("nfsroot", "vers=2")));
}

TEST(Root, AWordIsStrongerThanAnOptionAndOursThanAWord) {
    EXPECT_EQ(parse("nfsroot=/x,rw").root.mode, RootMode::writable);
    EXPECT_EQ(parse("ro nfsroot=/x,rw").root.mode, RootMode::read_only);
    EXPECT_EQ(parse("nfsroot=/x,ro rw").root.mode, RootMode::writable);
    EXPECT_EQ(parse("diskless.mode=rw ro").root.mode, RootMode::writable);
    EXPECT_EQ(parse("diskless.mode=overlay rw").root.mode, RootMode::overlay);
    EXPECT_EQ(parse("diskless.image=a rw").root.mode, RootMode::overlay) << "it cannot be written";
    EXPECT_EQ(parse("diskless.image=a").root.mode, RootMode::read_only);
    EXPECT_EQ(parse("rd.overlay diskless.mode=ro").root.mode, RootMode::read_only);
    EXPECT_EQ(parse("diskless.snapshot=/s,rw diskless.snapshot.options=rw").root.mode, RootMode::read_only);
}

TEST(Root, AnOverlayInTheWordsOfOthers) {
    struct {
        const char* words;
        RootMode mode;
        const char* size;
        const char* warned;
    } const cases[] = {
        {"diskless.mode=overlay", RootMode::overlay, "", ""},
        {"diskless.mode=overlay diskless.overlay.size=25%", RootMode::overlay, "25%", ""},
        {"diskless.overlay.size=2G diskless.mode=overlay", RootMode::overlay, "2G", ""},
        {"diskless.mode=overlay diskless.overlay.size=101%", RootMode::overlay, "", "diskless.overlay.size"},
        {"diskless.mode=overlay diskless.overlay.size=1g,mode=777", RootMode::overlay, "", "diskless.overlay.size"},
        {"diskless.mode=overlay diskless.overlay.size=", RootMode::overlay, "", "diskless.overlay.size"},
        {"diskless.mode=overlay diskless.overlay.size=0", RootMode::overlay, "", "diskless.overlay.size"},
        {"rd.overlay", RootMode::overlay, "", ""},
        {"rd.overlay=1 ro", RootMode::overlay, "", ""},
        {"rd.overlay=0", RootMode::read_only, "", ""},
        {"rd.overlay=tmpfs:size=512m", RootMode::overlay, "512m", ""},
        {"rd.overlay=LABEL=scratch", RootMode::overlay, "", "rd.overlay"},
        {"overlayroot=tmpfs:recurse=0", RootMode::overlay, "", ""},
        {"overlayroot=disabled", RootMode::read_only, "", ""},
        {"overlayroot=", RootMode::read_only, "", ""},
        {"diskless.mode=image", RootMode::read_only, "", "diskless.mode"},
    };
    for (const auto& one : cases) {
        const auto config = parse("nfsroot=/x " + std::string(one.words));
        EXPECT_EQ(config.root.mode, one.mode) << one.words;
        EXPECT_EQ(config.root.overlay_size, one.size) << one.words;
        EXPECT_EQ(config.warnings.size(), *one.warned != 0 ? 1U : 0U) << one.words;
        if (*one.warned != 0 && !config.warnings.empty()) {
            EXPECT_THAT(config.warnings[0].parameter, HasSubstr(one.warned));
        }
    }
}

TEST(Root, AnImageInTheWordsOfOthers) {
    struct {
        const char* words;
        const char* path;
        const char* image;
        RootMode mode;
        const char* warned;
    } const cases[] = {
        {"nfsroot=/x diskless.image=live/a.squashfs", "/x", "live/a.squashfs", RootMode::read_only, ""},
        {"nfsroot=/x diskless.image=/a.squashfs", "/x", "a.squashfs", RootMode::read_only, ""},
        {"nfsroot=/x diskless.image=a diskless.mode=overlay", "/x", "a", RootMode::overlay, ""},
        {"nfsroot=/x diskless.image=a diskless.mode=rw", "/x", "a", RootMode::overlay, "diskless.image"},
        {"nfsroot=/x diskless.image=", "/x", "", RootMode::read_only, "diskless.image"},
        {"nfsroot=/x diskless.image=/", "/x", "", RootMode::read_only, "diskless.image"},
        {"nfsroot=/x diskless.image=a/", "/x", "", RootMode::read_only, "diskless.image"},
        {"nfsroot=/x diskless.image=../a", "/x", "", RootMode::read_only, "diskless.image"},
        {"nfsroot=/x diskless.image=a diskless.image=none", "/x", "", RootMode::read_only, ""},
        {"nfsroot=/x boot=live", "/x", "live/filesystem.squashfs", RootMode::overlay, ""},
        {"nfsroot=/x boot=live rw", "/x", "live/filesystem.squashfs", RootMode::overlay, ""},
        {"nfsroot=/x diskless.image=none boot=live", "/x", "", RootMode::overlay, ""},
        {"nfsroot=/x diskless.image=other boot=live diskless.mode=ro", "/x", "other", RootMode::read_only, ""},
        {"nfsroot=/x boot=nfs", "/x", "", RootMode::read_only, ""},
        {"root=live:nfs:10.9.0.1:/srv/live/a.img rd.live.image", "/srv/live", "a.img", RootMode::overlay, ""},
        {"root=live:nfs://10.9.0.1/srv/live/a.img", "/srv/live", "a.img", RootMode::overlay, ""},
        {"root=live:nfs:10.9.0.1:/a.img", "/", "a.img", RootMode::overlay, ""},
        {"root=live:nfs:10.9.0.1:/srv/", "", "", RootMode::read_only, "root"},
        {"root=live:nfs://10.9.0.1/a.img", "/", "a.img", RootMode::overlay, ""},
        {"root=live:nfs://10.9.0.1", "", "", RootMode::read_only, "root"},
        {"root=live:nfs:", "", "", RootMode::read_only, "root"},
        {"root=live:http://10.9.0.1/a.img", "", "", RootMode::read_only, "root"},
    };
    for (const auto& one : cases) {
        const auto config = parse(one.words);
        EXPECT_EQ(config.root.source.path, one.path) << one.words;
        EXPECT_EQ(config.root.image, one.image) << one.words;
        EXPECT_EQ(config.root.mode, one.mode) << one.words;
        EXPECT_EQ(config.warnings.size(), *one.warned != 0 ? 1U : 0U) << one.words;
        if (*one.warned != 0 && !config.warnings.empty())
            EXPECT_THAT(config.warnings[0].parameter, HasSubstr(one.warned));
    }
}

TEST(Snapshot, ItsOptionsCountBeforeAndAfterItsDirectory) {
    for (const char* line : {"diskless.snapshot.options=vers=3,nolock,rw diskless.snapshot=10.9.0.1:/s nfsroot=/x",
                             "diskless.snapshot=10.9.0.1:/s diskless.snapshot.options=vers=3,nolock,rw nfsroot=/x"}) {
        const auto config = parse(line);
        EXPECT_EQ(config.snapshot.source.path, "/s") << line;
        EXPECT_EQ(config.snapshot.source.options, "nolock") << line;
        EXPECT_EQ(config.snapshot.source.version, NfsVersion::v3) << line;
        EXPECT_EQ(config.root.mode, RootMode::read_only) << line;
    }
}

// ---- The rest -------------------------------------------------------------------------------------------------------

TEST(Precedence, TheCommandLineReplacesTheManifest) {
    const auto config = parse("nameserver=10.0.0.9 ro panic=5 diskless.net.timeout=1",
                              "nameserver=10.0.0.1 nameserver=10.0.0.2 diskless.mode=rw diskless.onfail=shell "
                              "diskless.net.timeout=9 nfsroot=10.0.0.1:/x hostname=a");
    EXPECT_THAT(config.network.dns, ElementsAre(Ipv4(10, 0, 0, 9)));
    EXPECT_EQ(config.root.mode, RootMode::read_only);
    EXPECT_EQ(config.root.source.path, "/x");
    EXPECT_EQ(config.failure.action, OnFailure::reboot);
    EXPECT_EQ(config.network.timeout, Milliseconds(1000));
    EXPECT_EQ(config.hostname, "a");
    EXPECT_THAT(config.warnings, IsEmpty());
}

TEST(Failure, Policies) {
    EXPECT_EQ(parse("").failure.action, OnFailure::wait);
    EXPECT_EQ(parse("panic=0").failure.action, OnFailure::wait);
    EXPECT_EQ(parse("panic=30").failure.reboot_after, Milliseconds(30'000));
    EXPECT_EQ(parse("panic=-1").failure.action, OnFailure::reboot);
    EXPECT_EQ(parse("panic=-1").failure.reboot_after, Milliseconds(0));
    EXPECT_EQ(parse("diskless.onfail=shell panic=30").failure.action, OnFailure::shell);
    EXPECT_EQ(parse("diskless.onfail=reboot:5").failure.reboot_after, Milliseconds(5'000));
    EXPECT_EQ(parse("rd.shell=0").failure.action, OnFailure::wait);
    EXPECT_EQ(parse("rd.shell").failure.action, OnFailure::shell);
}

TEST(Init, OldNamesOfOursAreNoInit) {
    for (const auto* path : {"disklessrc", "Rcinit", "/bin/Rcinit", "/sbin/Rcinit"})
        EXPECT_EQ(parse(std::string("init=") + path).init, "") << path;
    EXPECT_EQ(parse("init=/sbin/init").init, "/sbin/init");
    EXPECT_EQ(parse("diskless.init=/a init=disklessrc").init, "/a");
}

TEST(Init, MayBeThisProgramItself) {
    for (const auto* word : {"init=/sbin/diskless-init", "diskless.init=self", "init=/sbin/init diskless.init=self"})
        EXPECT_EQ(parse(word).init, "self") << word;
    EXPECT_THAT(parse("diskless.init=self").warnings, IsEmpty());
}

TEST(Init, ArgumentsAreThoseThatTheKernelPasses) {
    EXPECT_THAT(parse("auto init=/x 3 single ro quiet nomodeset a.b c=d -- -s ro").init_arguments,
                ElementsAre("3", "single", "-s", "ro"));
}

TEST(Identity, NamesAreCutAtTheFirstDot) {
    const auto config = parse("ip=10.0.0.5::::n1.cluster.org");
    EXPECT_EQ(config.hostname, "n1");
    EXPECT_EQ(config.domain, "cluster.org");
    EXPECT_EQ(config.nis_domain, "cluster.org");
    EXPECT_EQ(parse("NISDOMAIN=nis ip=10.0.0.5::::n1.cluster.org").nis_domain, "nis");
    EXPECT_EQ(parse("hostname=a.b ip=10.0.0.5::::n1").hostname, "a");
}

TEST(Identity, ASnapshotNameStaysBelowTheSnapshots) {
    for (const auto* name : {"..", ".", "../x", "a/b", "", ".hidden", "-rf"}) {
        EXPECT_EQ(parse(std::string("SNAPSHOT=") + name).snapshot.name, "") << name;
        EXPECT_THAT(parse(std::string("SNAPSHOT=") + name).warnings, SizeIs(1)) << name;
    }
    EXPECT_EQ(parse("SNAPSHOT=node_001").snapshot.name, "node_001");
}

TEST(Network, BootifIsIgnoredWhenTold) {
    EXPECT_TRUE(parse("BOOTIF=01-52-54-00-12-34-56").network.boot_mac.has_value());
    EXPECT_FALSE(parse("BOOTIF=01-52-54-00-12-34-56 rd.bootif=0").network.boot_mac.has_value());
}

TEST(Warnings, NameUnknownParametersOfOurs) {
    EXPECT_THAT(parse("diskless.snapshoot=none other.thing=1 xyz=2").warnings,
                ElementsAre(warns("diskless.snapshoot=none", "not known")));
}

TEST(Warnings, HaveAnEnd) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "diskless.x" + std::to_string(i) + "=1 ";
    EXPECT_LE(parse(text).warnings.size(), 65U);
    EXPECT_LE(parse("diskless.x=" + std::string(100'000, 'y')).warnings[0].parameter.size(), 200U);
}

TEST(Interfaces, HaveAnEnd) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "ip=eth" + std::to_string(i) + ":dhcp ";
    EXPECT_LE(parse(text).network.interfaces.size(), 64U);
}

}  // namespace
}  // namespace diskless
