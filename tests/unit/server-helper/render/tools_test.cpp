// The servers' own programs read what is rendered for them. A test skips when its program is not installed.
#include <gtest/gtest.h>

#include "common/os/tool.hpp"
#include "server-helper/render/validate.hpp"
#include "tests/fakes/temporary_directory.hpp"
#include "tests/unit/server-helper/render/site.hpp"

namespace diskless::server {
namespace {

struct Case {
    const char *dialect, *tool;
};
class ToolTest : public testing::TestWithParam<Case> {
  protected:
    void SetUp() override {
        if (!find_tool(GetParam().tool)) GTEST_SKIP() << GetParam().tool << " is not installed";
    }
    const TemporaryDirectory scratch_;
};

TEST_P(ToolTest, AcceptsWhatIsRendered) {
    const auto rendering = test::render(test::site(), GetParam().dialect);
    ASSERT_TRUE(rendering) << rendering.error().cause;
    const auto verdicts = validate(*rendering, scratch_.path);
    ASSERT_TRUE(verdicts) << verdicts.error().cause;
    ASSERT_EQ(verdicts->size(), 1u);
    EXPECT_TRUE(verdicts->front().ran);
}

TEST_P(ToolTest, AcceptsARangeAndOddRootPaths) {
    auto site = test::site();
    site.cluster.boot.range = DhcpRange{Ipv4(10, 9, 200, 1), Ipv4(10, 9, 200, 99)};
    site.cluster.boot.http_url.clear();
    for (auto& node : site.nodes) {
        node.root_path = "/srv/a\"b, c\\d #e";
        node.command_line += " a=\"b c\" d=$x;e {f}";
    }
    const auto rendering = test::render(site, GetParam().dialect);
    ASSERT_TRUE(rendering) << rendering.error().cause;
    const auto verdicts = validate(*rendering, scratch_.path);
    EXPECT_TRUE(verdicts) << verdicts.error().cause;
}

TEST_P(ToolTest, WhatItRefusesIsAnErrorWithItsWords) {
    auto rendering = test::render(test::site(), GetParam().dialect);
    ASSERT_TRUE(rendering);
    for (auto& file : *rendering) file.content += "\n}}} nonsense {\n";
    const auto verdicts = validate(*rendering, scratch_.path);
    ASSERT_FALSE(verdicts);
    EXPECT_NE(verdicts.error().cause.find(GetParam().tool), std::string::npos);
    EXPECT_FALSE(verdicts.error().remedy.empty());
}

INSTANTIATE_TEST_SUITE_P(Real, ToolTest,
                         testing::Values(Case{"dnsmasq", "dnsmasq"}, Case{"dnsmasq-proxy", "dnsmasq"},
                                         Case{"isc", "dhcpd"}, Case{"kea", "kea-dhcp4"},
                                         Case{"grub", "grub-script-check"}),
                         [](const auto& tested) {
                             std::string name = tested.param.dialect;
                             std::erase(name, '-');
                             return name;
                         });

TEST(FirstComplaint, IsNotTheGreeting) {
    EXPECT_EQ(first_complaint("Internet Systems Consortium DHCP Server 4.4.3-P1\nCopyright 2004-2022 Internet Systems "
                              "Consortium.\nAll rights reserved.\nFor info, please visit https://www.isc.org/\n"
                              "/tmp/x/isc.conf line 7: semicolon expected.\n}\n ^\nConfiguration file errors "
                              "encountered -- exiting\n\nIf you think\n"),
              "/tmp/x/isc.conf line 7: semicolon expected. / } / ^ / Configuration file errors encountered -- exiting");
    EXPECT_EQ(first_complaint("no\n\n  two\n"), "no / two");
    EXPECT_EQ(first_complaint(""), "");
}

TEST(RunTool, TellsStatusOutputAndEnd) {
    const auto shell = find_tool("sh");
    ASSERT_TRUE(shell);
    const auto output = run_tool({*shell, "-c", "echo out; echo err >&2; exit 3"}, std::chrono::seconds(10));
    ASSERT_TRUE(output);
    EXPECT_EQ(output->status, 3);
    EXPECT_EQ(output->text, "out\nerr\n");
    const auto slow = run_tool({*shell, "-c", "exec sleep 30"}, std::chrono::seconds(0));
    ASSERT_FALSE(slow);
    EXPECT_EQ(slow.error().code, ETIMEDOUT);
    EXPECT_FALSE(find_tool("no-such-program-here"));
}

}  // namespace
}  // namespace diskless::server
