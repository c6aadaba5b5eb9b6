#include "server-helper/render/nfs_exports.hpp"

#include <gmock/gmock.h>

#include "tests/unit/server-helper/render/site.hpp"

namespace diskless::server {
namespace {

using testing::ElementsAre;

std::map<std::string, Export> exports_of(const Site& site) {
    std::map<std::string, Export> by_path;
    const auto exports = *wanted_exports(site);
    for (const auto& entry : exports) by_path[entry.path] = entry;
    return by_path;
}

Image image(const std::string& name, std::vector<std::string> generations) {
    Image image;
    image.name = name;
    image.current = generations.back();
    image.generations = std::move(generations);
    return image;
}

TEST(WantedExports, NodesThatStillRunOtherGenerationsAndImagesKeepTheirRoots) {
    auto site = test::site();
    site.cluster.images = {image("debian", {"6", "7"}), image("nobody-is-set-to-it", {"1"})};
    const auto exports = exports_of(site);
    for (const auto* path : {"/srv/diskless/images/debian/6", "/srv/diskless/images/debian/7",
                             "/srv/diskless/images/nobody-is-set-to-it/1"}) {
        ASSERT_TRUE(exports.contains(path)) << path;
        EXPECT_FALSE(exports.at(path).writable) << path;
        EXPECT_TRUE(exports.at(path).keeps_root) << path;
        EXPECT_THAT(exports.at(path).clients, ElementsAre("10.9.0.0/16")) << path;
    }
}

TEST(WantedExports, AGenerationAmongOthersIsNoNodesToWrite) {
    auto site = test::site();
    site.cluster.images = {image("debian", {"6", "7"})};
    site.nodes[0].root_path = "/srv/diskless/images/debian/6";
    site.nodes[0].root_mode = "rw";
    const auto exports = wanted_exports(site);
    ASSERT_FALSE(exports);
    EXPECT_THAT(exports.error().cause, testing::HasSubstr("shares its files with 1 other generation of image debian"));
    EXPECT_THAT(exports.error().remedy, testing::HasSubstr("own-root"));
    site.nodes[0].own_root = true;
    site.nodes[0].root_path = "/srv/roots/node001";
    EXPECT_TRUE(wanted_exports(site));
}

TEST(WantedExports, ARootOfANodesOwnStaysItsAlone) {
    auto site = test::site();
    site.cluster.images = {image("debian", {"6", "7"}), image("own", {"1"})};
    site.nodes[0].root_path = "/srv/diskless/images/own/1";
    site.nodes[0].root_mode = "rw";
    const auto exports = exports_of(site);
    EXPECT_TRUE(exports.at("/srv/diskless/images/own/1").writable);
    EXPECT_THAT(exports.at("/srv/diskless/images/own/1").clients, ElementsAre("10.9.1.1"));
    EXPECT_FALSE(exports.at("/srv/diskless/images/debian/6").writable);
}

}  // namespace
}  // namespace diskless::server
