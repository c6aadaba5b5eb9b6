#include "common/state/fstab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diskless {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NetworkMounts, AreThoseOfNfsThatAreMountedUnasked) {
    EXPECT_THAT(
        network_mounts("s:/a /a nfs\n"
                       "\n"
                       "s:/b //b/ nfs4 rw,_netdev 0 0\n"
                       "s:/c /c nfs noauto,rw 0 0\n"
                       "s:/d /d nfs noauto,x-systemd.automount 0 0\n"
                       "/dev/sda1 /e ext4 defaults 0 0\n"
                       "#s:/f /f nfs rw 0 0\n"
                       "s:/ / nfs ro 0 0\n"),
        ElementsAre(NetworkMount{"s:/a", "/a", 1}, NetworkMount{"s:/b", "/b", 3}, NetworkMount{"s:/d", "/d", 5}));
}

TEST(NetworkMounts, OfNonsenseAreNone) {
    for (const char* bad : {"", "s:/a /a", "s:/a a nfs rw", "s:/a /../x nfs rw", "s:/a /proc/x nfs rw", "nfs nfs nfs"})
        EXPECT_THAT(network_mounts(bad), IsEmpty()) << bad;
}

}  // namespace
}  // namespace diskless
