#include "init/identity/ssh_host_key.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "common/os/files_linux.hpp"
#include "tests/fakes/temporary_directory.hpp"

namespace diskless {
namespace {

TEST(SshHostKey, TheSameSeedGivesTheSameKey) {
    const std::string seed(32, '\x07');
    EXPECT_EQ(make_ssh_host_key(seed, "root@n").private_file, make_ssh_host_key(seed, "root@n").private_file);
    EXPECT_NE(make_ssh_host_key(seed, "root@n").public_file,
              make_ssh_host_key(std::string(32, '\x08'), "root@n").public_file);
}

TEST(SshHostKey, SshKeygenReadsIt) {
    if (access("/usr/bin/ssh-keygen", X_OK) != 0) GTEST_SKIP() << "ssh-keygen is not installed";
    for (const char* comment : {"", "root@n", "root@node-10-9-0-7"}) {
        const auto key = make_ssh_host_key(std::string(32, '\x07'), comment);
        const TemporaryDirectory directory;
        const auto path = directory.path + "/key";
        ASSERT_TRUE(LinuxFiles().replace(path, key.private_file, 0600));
        std::string said;
        FILE* keygen = popen(("/usr/bin/ssh-keygen -y -P '' -f " + path + " 2>&1").c_str(), "r");
        ASSERT_NE(keygen, nullptr);
        for (int c; (c = std::fgetc(keygen)) != EOF;) said += static_cast<char>(c);
        pclose(keygen);
        const auto type_and_key = key.public_file.substr(0, key.public_file.find(' ', 12));
        EXPECT_TRUE(said.starts_with(type_and_key)) << said << key.public_file;
    }
}

}  // namespace
}  // namespace diskless
