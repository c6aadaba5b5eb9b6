#include <gtest/gtest.h>

#include "server-helper/serve/serve_plan.hpp"
#include "tests/unit/server-helper/model/tree_fixture.hpp"
#include "tests/unit/server-helper/render/site.hpp"

namespace diskless::server {
namespace {

class Serving : public testing::Test {
  protected:
    Serving() {
        tools.dnsmasq = "/usr/sbin/dnsmasq";
        tools.ganesha = "/usr/bin/ganesha.nfsd";
        tools.exportfs = "/usr/sbin/exportfs";
        tools.nfsd = "/usr/sbin/rpc.nfsd";
        tools.mountd = "/usr/sbin/rpc.mountd";
        tools.kernel_nfs = tools.rpcbind_runs = true;
        request.interface = "eth1";
        request.directory = "/run/x";
        request.nfs = NfsServer::ganesha;
    }
    ServePlan plan() {
        auto planned = plan_serve(test::site(), request, tools);
        EXPECT_TRUE(planned) << planned.error().cause;
        return planned.value_or(ServePlan{});
    }
    std::string problem() {
        const auto planned = plan_serve(test::site(), request, tools);
        return planned ? "" : planned.error().cause + " / " + planned.error().remedy;
    }
    static bool has_port(const ServePlan& plan, bool udp, unsigned port) {
        for (const auto& question : plan.ports)
            if (question.udp == udp && question.port == port) return true;
        return false;
    }
    ServeTools tools;
    ServeRequest request;
};

TEST_F(Serving, DnsmasqOnTheInterfaceWithItsOwnHosts) {
    const auto made = plan();
    ASSERT_EQ(made.servers.size(), 2u);
    EXPECT_EQ(made.servers[0].command.back(), "--conf-file=/run/x/dnsmasq.conf");
    EXPECT_TRUE(made.servers[0].restarts) << "tags of new images are not in the file that it reads again";
    const auto& text = made.files.at("/run/x/dnsmasq.conf");
    EXPECT_NE(text.find("\ninterface=\"eth1\"\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\ndhcp-hostsfile=\"/run/x/dnsmasq.hosts\"\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("/boot/etc/"), std::string::npos) << "files of boot apply may be absent";
    EXPECT_NE(made.files.at("/run/x/dnsmasq.hosts").find("52:54:00:12:34:01"), std::string::npos);
    EXPECT_TRUE(has_port(made, true, 67));
    EXPECT_TRUE(has_port(made, true, 69));
    EXPECT_FALSE(has_port(made, true, 4011));
}

TEST_F(Serving, AProxyGivesOutNoAddresses) {
    request.proxy = true;
    const auto made = plan();
    EXPECT_NE(made.files.at("/run/x/dnsmasq-proxy.conf").find(",proxy,"), std::string::npos);
    EXPECT_FALSE(made.files.contains("/run/x/dnsmasq.conf"));
    EXPECT_TRUE(has_port(made, true, 4011));
}

TEST_F(Serving, GaneshaWithoutRpcbindSpeaksVersion4Only) {
    EXPECT_NE(plan().files.at("/run/x/ganesha.conf").find("Protocols = 3, 4;"), std::string::npos);
    tools.rpcbind_runs = false;
    const auto made = plan();
    const auto& text = made.files.at("/run/x/ganesha.conf");
    EXPECT_NE(text.find("Protocols = 4;"), std::string::npos) << text;
    EXPECT_NE(text.find("Enable_NLM = false;"), std::string::npos) << text;
    ASSERT_EQ(made.notes.size(), 1u);
}

TEST_F(Serving, TheKernelsServerIsStartedAndStopped) {
    request.nfs = NfsServer::kernel;
    const auto made = plan();
    EXPECT_NE(made.files.at("/etc/exports.d/diskless-serve.exports").find("/srv/diskless/images/debian/7"),
              std::string::npos);
    EXPECT_EQ(made.before, (std::vector<std::vector<std::string>>{{tools.exportfs, "-ra"}, {tools.nfsd, "8"}}));
    EXPECT_EQ(made.after, (std::vector<std::vector<std::string>>{{tools.nfsd, "0"}, {tools.exportfs, "-ra"}}));
    EXPECT_EQ(made.servers.back().name, "mountd");
    EXPECT_TRUE(has_port(made, false, 2049));
}

TEST_F(Serving, AKernelsServerOfTheSiteStays) {
    request.nfs = NfsServer::kernel;
    tools.kernel_threads = tools.mountd_runs = true;
    const auto made = plan();
    EXPECT_EQ(made.before, (std::vector<std::vector<std::string>>{{tools.exportfs, "-ra"}}));
    EXPECT_EQ(made.after, made.before);
    EXPECT_EQ(made.servers.size(), 1u);
    EXPECT_FALSE(has_port(made, false, 2049));
}

TEST_F(Serving, WhatIsAbsentIsNamedWithItsPackage) {
    tools.dnsmasq.clear();
    EXPECT_EQ(problem(), "dnsmasq is not on this server / apt-get install dnsmasq-base");
    request.dhcp = false;
    tools.ganesha.clear();
    EXPECT_NE(problem().find("nfs-ganesha-vfs"), std::string::npos);
    request.nfs = NfsServer::none;
    EXPECT_NE(problem().find("nothing is to be served"), std::string::npos);
}

TEST_F(Serving, TheKernelFirstThenGanesha) {
    EXPECT_EQ(*choose_nfs(tools), NfsServer::kernel);
    tools.mountd.clear();
    EXPECT_EQ(*choose_nfs(tools), NfsServer::ganesha);
    tools.ganesha.clear();
    EXPECT_EQ(choose_nfs(tools).error().remedy, "apt-get install nfs-kernel-server");
    tools.kernel_nfs = false;
    EXPECT_NE(choose_nfs(tools).error().remedy.find("nfs-ganesha"), std::string::npos);
}

TEST_F(TreeTest, ServeSaysWhatIsWrong) {
    EXPECT_EQ(run({"serve"}), 2);
    EXPECT_EQ(run({"serve", "--help"}), 0);
    EXPECT_NE(out.find("--proxy"), std::string::npos);
    EXPECT_EQ(run({"serve", "-i", "lo", "--nfs", "smb"}), 2);
    EXPECT_EQ(run({"serve", "-i", "nosuch0", "--nfs", "none", "--dry-run"}), 1);
}

}  // namespace
}  // namespace diskless::server
