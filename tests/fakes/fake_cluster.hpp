// A whole cluster on fakes: a node with interfaces, and servers that answer as the real ones do.
#pragma once

#include "common/net/bytes.hpp"
#include "common/net/udp_packet.hpp"
#include "common/nfs/rpc.hpp"
#include "common/os/os.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_devices.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fakes/fake_links.hpp"
#include "tests/fakes/fake_machine.hpp"
#include "tests/fakes/fake_mounts.hpp"
#include "tests/fakes/fake_processes.hpp"
#include "tests/fakes/fake_sockets.hpp"
#include "tests/unit/net/packets.hpp"

namespace diskless {

struct FakeCluster {
    FakeClock clock;
    FakeFiles files;
    FakeMounts mounts{files};
    FakeLinks links{clock};
    FakeDevices devices;
    FakeModules modules;
    FakeProcesses processes{clock};
    FakeSockets sockets{clock};
    FakeMachine machine;
    Os os{clock, files, mounts, links, devices, modules, processes, sockets, machine};

    const Mac mac = *Mac::parse("52:54:00:12:34:56");
    const Ipv4 server{10, 9, 0, 1};
    const Ipv4 address{10, 9, 0, 10};
    std::string dhcp_options = test::option(12, "node1") + test::option(1, Ipv4(255, 255, 255, 0));

    /// A node with eth0, a DHCP server there, and a root with a snapshot for it on one NFS server.
    explicit FakeCluster(const std::string& command_line) {
        files.tree({{"/init", file("program")},
                    {"/fake/proc/cmdline", file(command_line + "\n")},
                    {"/fake/proc/self/exe", symlink("/init")},
                    {"/fake/sys/class/dmi/id/product_uuid", file("4C4C4544-0044-3010-8052-B4C04F564231\n")},
                    {"/server/root/sbin/init", file("init", 0755)},
                    {"/server/root/proc", directory()},
                    {"/server/root/sys", directory()},
                    {"/server/root/dev", directory()},
                    {"/server/root/run", directory()},
                    {"/server/root/tmp", directory(01777)},
                    {"/server/root/etc/hostname", file("golden\n")},
                    {"/server/root/etc/hosts", file("127.0.0.1 localhost\n10.9.0.10 node1 n1\n")},
                    {"/server/root/etc/resolv.conf", file()},
                    {"/server/root/etc/machine-id", file()},
                    {"/server/root/etc/motd", file("welcome\n")},
                    {"/server/root/var/log/messages", file("golden node's own\n")},
                    {"/server/root/usr/local/sbin", directory()},
                    {"/server/snapshots/node1", directory()}});
        devices.clock = &clock;
        mounts.provide("proc", "/fake/proc");
        mounts.provide("sysfs", "/fake/sys");
        serve("/srv/images/debian/1", "/server/root");
        serve("/srv/snapshots/node1", "/server/snapshots/node1");
        add_link("eth0", mac);
        answer_dhcp(links.links[0].link.index);
        answer_nfs(server);
    }

    void serve(const std::string& exported, const std::string& directory_of_it) {
        mounts.provide(server.text() + ":" + exported, directory_of_it);
    }
    void add_link(const std::string& name, Mac its_mac, Nanoseconds carrier_delay = Milliseconds{20}) {
        links.add(name, its_mac, carrier_delay);
    }

    /// OFFER for DISCOVER, ACK for REQUEST, from `since` on.
    void answer_dhcp(int link, Nanoseconds since = Nanoseconds{0}) {
        sockets.packets[link] = [this, since](const std::string& packet) -> std::optional<std::string> {
            if (clock.now() < since) return std::nullopt;
            const auto udp = unwrap_udp(packet);
            if (!udp || udp->payload.size() < 240) return std::nullopt;
            const auto asked = std::string(udp->payload);
            const bool discover = asked.find(std::string("\x35\x01\x01", 3)) != std::string::npos;
            test::ServerSays says;
            ByteReader reader(std::string_view(asked).substr(4, 4));
            says.xid = reader.u32();
            for (std::size_t i = 0; i < 6; ++i) says.mac.bytes[i] = static_cast<std::uint8_t>(asked[28 + i]);
            says.address = address;
            says.options = test::type_option(discover ? DhcpType::offer : DhcpType::ack) + test::option(54, server) +
                           test::seconds_option(51, 3600) + dhcp_options;
            const auto payload = says.payload();
            return wrap_udp({server, Ipv4(255, 255, 255, 255), 67, 68, payload});
        };
    }

    void answer_nfs(Ipv4 at) {
        sockets.tcp[at] = [](const std::string& call) -> std::optional<std::string> {
            ByteWriter out;  // record mark, xid of the call, reply, accepted, no verifier, success
            out.u32(0x80000000U | 24);
            out.bytes(std::string_view(call).substr(4, 4));
            for (const std::uint32_t word : {1U, 0U, 0U, 0U, 0U}) out.u32(word);
            return out.take();
        };
    }
};

}  // namespace diskless
