// Every rendered file of a small cluster against tests/fixtures/server/golden. After a wanted change:
// DISKLESS_UPDATE_GOLDEN=1 unit_tests --gtest_filter='Golden*', then read the diff.
#include <gtest/gtest.h>

#include <cstdlib>

#include "common/os/files_linux.hpp"
#include "tests/unit/server-helper/render/site.hpp"

namespace diskless::server {
namespace {

class GoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, RendersAsBefore) {
    const auto rendering = test::render(test::site(), GetParam());
    ASSERT_TRUE(rendering) << rendering.error().cause;
    ASSERT_FALSE(rendering->empty());
    std::string all;
    for (const auto& file : *rendering)
        all += "==> " + file.path + (file.link_target.empty() ? "" : " -> " + file.link_target) + "\n" + file.content;
    LinuxFiles files;
    const auto path = std::string(DISKLESS_FIXTURES) + "/server/golden/" + GetParam();
    if (std::getenv("DISKLESS_UPDATE_GOLDEN")) {
        ASSERT_TRUE(files.replace(path, all));
    }
    const auto golden = files.read(path);
    ASSERT_TRUE(golden) << golden.error().cause;
    EXPECT_EQ(all, *golden);
}

TEST(RenderHttp, TheUrlsPathIsALinkToWhereItIsServed) {
    for (const auto& [url, link, target] :
         {std::tuple{"http://10.9.0.1/boot", "http/boot", "."}, {"http://10.9.0.1:8080/a/b/", "http/a/b", ".."}}) {
        auto site = test::site();
        site.cluster.boot.http_url = url;
        const auto rendering = test::render(site, "http");
        ASSERT_TRUE(rendering) << rendering.error().cause;
        EXPECT_EQ(rendering->back().path, link);
        EXPECT_EQ(rendering->back().link_target, target);
    }
    for (const char* url : {"http://10.9.0.1/debian", "http://10.9.0.1/grub", "http://10.9.0.1/../x"}) {
        auto site = test::site();
        site.cluster.boot.http_url = url;
        EXPECT_FALSE(test::render(site, "http")) << url;
    }
}

std::vector<std::string> names() {
    std::vector<std::string> result;
    for (const auto& dialect : dialects()) result.emplace_back(dialect.name);
    return result;
}
INSTANTIATE_TEST_SUITE_P(Dialects, GoldenTest, testing::ValuesIn(names()), [](const auto& tested) {
    auto name = tested.param;
    std::erase(name, '-');
    return name;
});

}  // namespace
}  // namespace diskless::server
