#include "server-helper/render/reread.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/fake_files.hpp"

namespace diskless::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kBoot = "/srv/diskless/boot";

struct Reread : testing::Test {
    FakeFiles files;
    std::vector<FileChange> changes;

    void change(const std::string& file, ChangeKind kind = ChangeKind::changed) {
        changes.push_back({join_path(kBoot, file), kind, {}});
    }
    void unit(const std::string& name) {
        files.tree({{join_path(kBoot, "etc/systemd/diskless-" + name + ".service"), file("[Unit]\n")}});
    }
    std::vector<std::string> commands() { return commands_to_reread(files, kBoot, changes); }
};

TEST_F(Reread, MenusAreReadByEachNodeAnew) {
    change("tftp/pxelinux.cfg/01-52-54-00-00-00-01");
    change("tftp/grub/grub.cfg-0A090001", ChangeKind::created);
    EXPECT_THAT(commands(), IsEmpty());
}

TEST_F(Reread, EachServerIsToldInItsOwnWay) {
    for (const char* name : {"dnsmasq", "ganesha", "rarpd"}) unit(name);
    for (const char* file :
         {"etc/hosts", "etc/ethers", "etc/dnsmasq.hosts", "etc/dnsmasq.conf", "etc/ganesha.conf", "etc/exports"})
        change(file);
    EXPECT_THAT(commands(), ElementsAre("exportfs -ra", "systemctl reload diskless-ganesha",
                                        "systemctl restart diskless-dnsmasq", "systemctl restart diskless-rarpd"));
}

TEST_F(Reread, DnsmasqReadsItsHostsWithoutARestart) {
    unit("dnsmasq");
    change("etc/dnsmasq.hosts");
    EXPECT_THAT(commands(), ElementsAre("systemctl kill --signal=HUP diskless-dnsmasq"));
}

TEST_F(Reread, ServersThatNobodyHasChosenAreNot) {
    change("etc/hosts");
    change("etc/dhcpd.conf");
    EXPECT_THAT(commands(), IsEmpty());
}

TEST_F(Reread, WhatIsNewIsPutInItsPlaceFirst) {
    change("etc/exports", ChangeKind::created);
    change("etc/dnsmasq.conf", ChangeKind::created);
    change("etc/systemd/diskless-dnsmasq.service", ChangeKind::created);
    change("etc/systemd/diskless-dhcpd.service", ChangeKind::removed);
    change("etc/systemd/diskless-kea.service");
    EXPECT_THAT(commands(),
                ElementsAre("systemctl disable --now diskless-dhcpd.service", "systemctl daemon-reload",
                            "ln -sf /srv/diskless/boot/etc/exports /etc/exports.d/diskless.exports && exportfs -ra",
                            "systemctl enable --now /srv/diskless/boot/etc/systemd/diskless-dnsmasq.service"));
}

}  // namespace
}  // namespace diskless::server
