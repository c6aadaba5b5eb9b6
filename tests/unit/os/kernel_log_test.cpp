#include "common/os/kernel_log.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

TEST(KernelRecord, OursAreRead) {
    EXPECT_EQ(parse_kernel_record("12,339,5140900,-;diskless: diskless-agent: root server is slow\n SUBSYSTEM=x\n"),
              (LogLine{std::chrono::microseconds{5'140'900}, 4, "diskless-agent: root server is slow"}))
        << "facility 1 (user), level 4";
    EXPECT_EQ(parse_kernel_record("6,1,0,-,caller=T1;diskless: x")->text, "x") << "more fields may come";
    EXPECT_EQ(parse_kernel_record("6,1,0,-;diskless: a;b")->text, "a;b");
}

TEST(KernelRecord, OthersAndRubbishAreNot) {
    for (const char* record :
         {"", ";", "6,1,2,-", "6,1,2,-;eth0: link is up", "6,1;diskless: x", "six,1,2,-;diskless: x",
          "6,1,then,-;diskless: x", "6,1,-;diskless: x", "6,1,2,-; diskless: x", "-1,1,2,-;diskless: x"})
        EXPECT_EQ(parse_kernel_record(record), std::nullopt) << record;
}

}  // namespace
}  // namespace diskless
