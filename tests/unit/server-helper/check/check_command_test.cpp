// diskless-server check on a whole tree.
#include <gmock/gmock.h>

#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using CheckCommand = TreeTest;

TEST_F(CheckCommand, MissesExportsOnlyWhereTheKernelServes) {
    run({"check"});
    EXPECT_THAT(out, HasSubstr("/boot/etc/exports does not exist"));
    write("cluster.toml", "[server]\naddress = \"10.8.0.1\"\nnetwork = \"10.8.0.0/16\"\n[boot]\nnfs = [\"ganesha\"]\n");
    run({"check"});
    EXPECT_THAT(out, Not(HasSubstr("etc/exports")));
}

}  // namespace
}  // namespace diskless::server
