// systemd is told which mounts are not its own.
#include "init/systemd_mounts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_files.hpp"

namespace diskless {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(SystemdMounts, UnitsAreNamedAsSystemdEscapeNamesThem) {
    // each as `systemd-escape --path --suffix=mount` has it
    EXPECT_EQ(mount_unit("/"), "-.mount");
    EXPECT_EQ(mount_unit("/var/log"), "var-log.mount");
    EXPECT_EQ(mount_unit("//var//log/"), "var-log.mount");
    EXPECT_EQ(mount_unit("/etc/machine-id"), "etc-machine\\x2did.mount");
    EXPECT_EQ(mount_unit("/root/.ssh"), "root-.ssh.mount");
    EXPECT_EQ(mount_unit("/.hidden/a b"), "\\x2ehidden-a\\x20b.mount");
    EXPECT_EQ(mount_unit("/srv/\xc3\xa4\\@"), "srv-\\xc3\\xa4\\x5c\\x40.mount");
}

TEST(SystemdMounts, WhatNoFileCanNameIsLeftOut) {
    EXPECT_EQ(mount_unit("/" + std::string(300, 'a')), "");
    EXPECT_EQ(mount_unit("/" + std::string(247, 'a')).size(), 253U) << "with .d: the longest there is";
    EXPECT_EQ(mount_unit("/" + std::string(248, 'a')), "");
}

TEST(SystemdMounts, OnlyThoseOfTheRootAndNoneOfTheKernel) {
    std::vector<MountEntry> table;
    for (const char* target :
         {"/", "/proc", "/sysroot", "/sysroot/var/log", "/sysroot/run", "/sysroot/run/diskless/snapshot",
          "/sysroot/dev/pts", "/sysroot/devices", "/sysroots/x", "/run/diskless/snapshot"})
        table.push_back({.target = target});
    EXPECT_THAT(mount_points_below(table, "/sysroot"), ElementsAre("/var/log", "/devices"));
}

TEST(SystemdMounts, EachGetsAUnitAndRunDisklessDropIns) {
    FakeFiles files;
    const std::string units = "/run/systemd/system/";
    const auto commit = units + "systemd-machine-id-commit.service.d/diskless.conf";
    ASSERT_TRUE(leave_mounts_alone(files, {"/var/log"}));
    EXPECT_FALSE(files.exists(commit)) << "what another has mounted there, it may commit";
    ASSERT_TRUE(leave_mounts_alone(files, {"/var/log", "/etc/machine-id", "/srv/100% mine"}));
    EXPECT_THAT(files.text(commit), HasSubstr("ConditionPathExists=!/run/diskless\n"));
    ASSERT_TRUE(leave_mounts_alone(files, {"/var/log"})) << "again";
    for (const char* unit : {"var-log.mount", "etc-machine\\x2did.mount", "srv-100\\x25\\x20mine.mount.d/diskless.conf",
                             "run-diskless.mount.d/diskless.conf", "run-diskless-.mount.d/diskless.conf"})
        EXPECT_THAT(files.text(units + unit), HasSubstr("[Unit]\nDefaultDependencies=no\n")) << unit;
    EXPECT_THAT(files.text(units + "etc-machine\\x2did.mount"), HasSubstr("\nWhere=/etc/machine-id\n"));
}

}  // namespace
}  // namespace diskless
