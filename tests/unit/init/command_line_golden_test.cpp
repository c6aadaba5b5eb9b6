// Every tests/fixtures/cmdline/*.cmdline is read and described; the text beside it (*.expected) is what must come out.
// Lines that begin with "#" say what the case is; one with "defaults:" holds parameters of the manifest.
// DISKLESS_UPDATE_GOLDEN=1 writes the expected texts: read the difference before it is committed.
#include <dirent.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "common/base/text.hpp"
#include "init/config.hpp"

namespace diskless {
namespace {

const std::string kFolder = DISKLESS_FIXTURES "/cmdline/";

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string> cases() {
    std::vector<std::string> names;
    if (DIR* folder = opendir(kFolder.c_str())) {
        while (const dirent* entry = readdir(folder)) {
            const std::string_view name = entry->d_name;
            if (name.ends_with(".cmdline")) names.emplace_back(name.substr(0, name.size() - 8));
        }
        closedir(folder);
    }
    std::sort(names.begin(), names.end());
    return names;
}

ConfigInput read_case(const std::string& name) {
    constexpr std::string_view kDefaults = "# defaults: ";
    const auto text = read_file(kFolder + name + ".cmdline");
    ConfigInput input;
    for (const auto line : lines(text)) {
        if (line.starts_with(kDefaults))
            input.defaults = line.substr(kDefaults.size());
        else if (!line.starts_with('#'))
            input.command_line += std::string(line) + "\n";
    }
    return input;
}

class CommandLineGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(CommandLineGolden, IsUnderstoodAsBefore) {
    const auto described = describe(parse_boot_config(read_case(GetParam())));
    const auto path = kFolder + GetParam() + ".expected";
    if (std::getenv("DISKLESS_UPDATE_GOLDEN") != nullptr) {
        std::ofstream(path) << described;
        return;
    }
    EXPECT_EQ(described, read_file(path));
}

INSTANTIATE_TEST_SUITE_P(Fixtures, CommandLineGolden, ::testing::ValuesIn(cases()), [](const auto& test) {
    auto name = test.param;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
    return name;
});

}  // namespace
}  // namespace diskless
