#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "common/base/text.hpp"
#include "init/params.hpp"

namespace diskless {
namespace {

constexpr std::string_view kBegin = ".\\\" BEGIN parameters";
constexpr std::string_view kEnd = ".\\\" END parameters";
const std::string kManual = DISKLESS_FIXTURES "/../../docs/diskless.7";

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(Manual, HoldsEveryRowOfTheTable) {
    auto manual = read_file(kManual);
    const auto begin = manual.find('\n', manual.find(kBegin)) + 1;
    const auto end = manual.find(kEnd);
    ASSERT_NE(manual.find(kBegin), std::string::npos);
    ASSERT_NE(end, std::string::npos);
    if (std::getenv("DISKLESS_UPDATE_GOLDEN") != nullptr) {
        manual.replace(begin, end - begin, parameters_man());
        std::ofstream(kManual) << manual;
        return;
    }
    EXPECT_EQ(manual.substr(begin, end - begin), parameters_man())
        << "docs/diskless.7 is behind init/params.cpp: run the unit tests with DISKLESS_UPDATE_GOLDEN=1";
}

TEST(Parameters, HaveNoNameTwice) {
    std::map<std::string, int, std::less<>> seen;
    for (const auto& parameter : parameters())
        for (const auto name : words(parameter.names)) EXPECT_EQ(++seen[std::string(name)], 1) << name;
}

TEST(Parameters, SayWhatTheyAre) {
    for (const auto& parameter : parameters()) {
        EXPECT_FALSE(parameter.group.empty()) << parameter.names;
        EXPECT_FALSE(parameter.origin.empty()) << parameter.names;
        EXPECT_FALSE(parameter.meaning.empty()) << parameter.names;
        EXPECT_NE(parameter.handle, nullptr) << parameter.names;
    }
}

TEST(Parameters, AreFoundByEverySpelling) {
    EXPECT_EQ(find_parameter("nfsaddrs"), find_parameter("ip"));
    EXPECT_EQ(find_parameter("ethdevice_timeout"), find_parameter("ethdevice-timeout"));
    EXPECT_EQ(find_parameter("rd.live.ram"), find_parameter("rd.live.dir"));
    EXPECT_NE(find_parameter("nfsroot"), find_parameter("NFSROOT"));
    EXPECT_EQ(find_parameter("Snapshot"), nullptr) << "Red Hat's names are upper case";
    EXPECT_EQ(find_parameter("ipx"), nullptr);
    EXPECT_EQ(find_parameter(""), nullptr);
}

}  // namespace
}  // namespace diskless
