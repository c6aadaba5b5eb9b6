// Only what a test may do to the machine it runs on.
#include "common/os/resident.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "tests/fakes/temporary_directory.hpp"

namespace diskless {
namespace {

TEST(FreeSpace, TellsOfAFileSystemOrWhyNot) {
    const auto space = free_space("/tmp");
    ASSERT_TRUE(space) << space.error().cause;
    EXPECT_GT(space->total_bytes, 0u);
    EXPECT_LE(space->free_bytes, space->total_bytes);
    const auto none = free_space("/nowhere/at/all");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ENOENT);
}

TEST(TellManager, SpeaksToItsSocketOnly) {
    ::unsetenv("NOTIFY_SOCKET");
    EXPECT_TRUE(tell_manager("READY=1")) << "nobody asked";
    for (const bool abstract : {true, false}) {
        const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        const TemporaryDirectory directory;
        const auto name = (abstract ? "@" : "") + directory.path + "/notify";
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (abstract) address.sun_path[0] = '\0';
        ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address),
                         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
                  0);
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
        const auto told = tell_manager("READY=1");
        EXPECT_TRUE(told) << told.error().cause;
        char text[32];
        EXPECT_EQ(std::string(text, static_cast<std::size_t>(std::max<ssize_t>(::read(socket, text, 32), 0))),
                  "READY=1");
        ::close(socket);
    }
    for (const char* wrong : {"relative", "vsock:2:1", "/nowhere/at/all"}) {
        ::setenv("NOTIFY_SOCKET", wrong, 1);
        EXPECT_FALSE(tell_manager("READY=1")) << wrong;
    }
    ::setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
    EXPECT_FALSE(tell_manager("READY=1"));
    ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace diskless
