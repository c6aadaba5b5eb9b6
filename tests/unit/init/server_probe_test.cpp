#include "init/server_probe.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

TEST(ServerProbe, AsksWhereTheMountIsServed) {
    FakeCluster node("");
    node.sockets.tcp_port[node.server] = 2050;
    const auto answers = [&](const char* options) {
        const RootFacts root{.server = "10.9.0.1", .options = options};
        return server_answers(node.os, service_of(root), Deadline::after(node.clock, Seconds{1}));
    };
    EXPECT_TRUE(answers("ro,vers=4.2,proto=tcp,port=2050"));
    EXPECT_FALSE(answers("ro,vers=4.2,proto=tcp"));
    node.sockets.tcp_port[node.server] = kNfsPort;
    EXPECT_TRUE(answers("ro,vers=4.2,proto=tcp"));
    EXPECT_FALSE(answers("ro,vers=4.2,proto=tcp,port=2050"));
}

TEST(ServerProbe, WhatCannotBeAskedCountsAsThere) {
    FakeCluster node("");
    node.sockets.tcp.clear();
    for (const NfsService& service : {service_of("10.9.0.1", "vers=3,proto=udp"), service_of("nas", "proto=tcp"),
                                      service_of("", ""), service_of("10.9.0.1", "proto=rdma,port=20049")})
        EXPECT_FALSE(verdict_on(node.os, service).is_gone()) << service.server;
    EXPECT_TRUE(verdict_on(node.os, service_of("10.9.0.1", "proto=tcp")).is_gone());
}

TEST(ServerProbe, ASnapshotMayBeElsewhere) {
    const auto service = service_of(SnapshotFacts{.server = "10.9.0.2", .options = "rw,port=2051"});
    EXPECT_EQ(service.server, "10.9.0.2");
    EXPECT_EQ(service.port, 2051);
}

}  // namespace
}  // namespace diskless
