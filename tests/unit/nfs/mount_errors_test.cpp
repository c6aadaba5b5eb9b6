#include "common/nfs/mount_errors.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace diskless {
namespace {

constexpr auto kNext = MountVerdict::try_next_version;
constexpr auto kLater = MountVerdict::retry_later;
constexpr auto kFinal = MountVerdict::give_up;

MountJudgement judge(int code, NfsVersion version, bool last) {
    return judge_mount_error(code, version, last, Ipv4(10, 9, 0, 1), "/srv/root", Ipv4(10, 9, 0, 10));
}

TEST(MountErrors, Verdicts) {
    struct Case {
        int code;
        NfsVersion version;
        MountVerdict on_the_way, at_the_end;
    };
    const auto v3 = NfsVersion::v3, v4 = NfsVersion::v4_2;
    const Case cases[] = {
        {EPROTONOSUPPORT, v4, kNext, kFinal},
        {EPROTO, v4, kNext, kFinal},
        {EINVAL, v4, kNext, kFinal},
        {ENODEV, v4, kNext, kFinal},
        {ENOENT, v4, kNext, kFinal},
        {ENOENT, v3, kNext, kFinal},
        {EACCES, v4, kNext, kFinal},
        {EACCES, v3, kNext, kFinal},
        {EPERM, v3, kNext, kFinal},
        {ECONNREFUSED, v4, kLater, kLater},
        {ECONNREFUSED, v3, kNext, kLater},
        {ETIMEDOUT, v4, kLater, kLater},
        {EHOSTUNREACH, v4, kLater, kLater},
        {EHOSTUNREACH, v3, kLater, kLater},
        {ENETUNREACH, v3, kLater, kLater},
        {EIO, v4, kNext, kLater},
        {EIO, v3, kLater, kLater},
        {ESTALE, v3, kLater, kLater},
        {ENOTDIR, v4, kFinal, kFinal},
        {EBUSY, v4, kFinal, kFinal},
        {EXDEV, v4, kFinal, kFinal},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(judge(c.code, c.version, false).verdict, c.on_the_way) << c.code;
        EXPECT_EQ(judge(c.code, c.version, true).verdict, c.at_the_end) << c.code;
    }
}

TEST(MountErrors, NoLadderIsClimbedBeyondItsEnd) {
    for (int code = 0; code < 200; ++code)
        for (const auto version : {NfsVersion::v3, NfsVersion::v4_0})
            EXPECT_NE(judge(code, version, true).verdict, kNext) << code;
}

TEST(MountErrors, TextsNameTheObjects) {
    const auto denied = judge(EACCES, NfsVersion::v3, true);
    EXPECT_EQ(denied.cause, "the server does not export 10.9.0.1:/srv/root to 10.9.0.10");
    EXPECT_EQ(denied.remedy, "check /etc/exports (and exportfs -r) on 10.9.0.1");
    EXPECT_EQ(judge(EPROTONOSUPPORT, NfsVersion::v4_2, false).cause, "10.9.0.1 does not serve NFS 4.2");
    EXPECT_EQ(judge(EXDEV, NfsVersion::v3, true).cause.find("mounting 10.9.0.1:/srv/root by NFS 3 failed: "), 0U);
    EXPECT_EQ(judge_mount_error(EACCES, NfsVersion::v3, true, Ipv4(10, 9, 0, 1), "/{}%s", {}).cause,
              "the server does not export 10.9.0.1:/{}%s to this node");
    for (int code = 0; code < 200; ++code) {
        const auto text = judge(code, NfsVersion::v3, true);
        EXPECT_FALSE(text.cause.empty());
        EXPECT_EQ((text.cause + text.remedy).find_first_of("{}"), std::string::npos) << text.cause;
    }
}

}  // namespace
}  // namespace diskless
