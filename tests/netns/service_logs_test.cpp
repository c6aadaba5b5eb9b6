// Real pipes and files, in a directory of its own.
#include <fcntl.h>
#include <gtest/gtest.h>

#include "common/os/files_linux.hpp"
#include "common/os/service_logs_linux.hpp"
#include "tests/fakes/temporary_directory.hpp"

namespace diskless {
namespace {

class ServiceLogsTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(logs_.open(top_.c_str())); }
    /// As a service has it.
    Descriptor output_of(const std::string& name) const {
        return Descriptor(::open((top_ + "/pipe/" + name).c_str(), O_RDWR | O_CLOEXEC));
    }
    std::string text_of(const std::string& name) const { return files_.read(top_ + "/now/" + name).value_or(""); }
    static std::string id(std::size_t number) { return "s" + std::to_string(number); }

    LinuxFiles files_;
    const TemporaryDirectory directory_;
    const std::string top_ = directory_.path;
    ServiceLogs logs_;
};

TEST_F(ServiceLogsTest, WhatIsGoneMakesRoomWhenRoomIsNeeded) {
    for (std::size_t i = 0; i < kMostServiceLogs; ++i) ASSERT_TRUE(logs_.add(id(i)));
    EXPECT_FALSE(logs_.add("new")) << "all are in use";
    logs_.note(id(3), "ended");
    std::vector<std::string> names{"new"};
    for (std::size_t i = 0; i < kMostServiceLogs; ++i)
        if (i != 3 && i != 5) names.push_back(id(i));
    logs_.keep(names);
    EXPECT_NE(text_of(id(3)).find("ended"), std::string::npos) << "can be read until then";
    EXPECT_TRUE(logs_.add("new"));
    EXPECT_FALSE(files_.exists(top_ + "/now/" + id(3)));
    EXPECT_FALSE(files_.exists(top_ + "/pipe/" + id(3)));
    EXPECT_EQ(logs_.count(), kMostServiceLogs);
    const auto output = output_of("new");
    ASSERT_EQ(::write(output.get(), "hello\n", 6), 6);
    EXPECT_TRUE(logs_.take());
    EXPECT_NE(text_of("new").find(" hello\n"), std::string::npos);
    EXPECT_TRUE(logs_.add(id(5))) << "it came back, and is in use";
    EXPECT_FALSE(logs_.add(id(3)));
}

TEST_F(ServiceLogsTest, WhoeverStillWritesIsStillRead) {
    for (std::size_t i = 0; i < kMostServiceLogs; ++i) ASSERT_TRUE(logs_.add(id(i)));
    auto output = output_of(id(0));
    std::vector<std::string> names;
    for (std::size_t i = 1; i < kMostServiceLogs; ++i) names.push_back(id(i));
    logs_.keep(names);
    EXPECT_FALSE(logs_.add("new")) << "it was told to end, or has left something behind";
    ASSERT_EQ(::write(output.get(), "last words\n", 11), 11);
    EXPECT_FALSE(logs_.add("new"));
    EXPECT_NE(text_of(id(0)).find(" last words\n"), std::string::npos);
    output.reset();
    EXPECT_TRUE(logs_.add("new"));
}

TEST_F(ServiceLogsTest, APipeThatCannotBeMadeTakesNoPlace) {
    ASSERT_TRUE(files_.make_directories(top_ + "/pipe/bad"));
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(logs_.add("bad"));
    for (std::size_t i = 0; i < kMostServiceLogs; ++i) EXPECT_TRUE(logs_.add(id(i)));
}

}  // namespace
}  // namespace diskless
