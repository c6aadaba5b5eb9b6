#include "common/report/json.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

TEST(ParseJson, BuildsATree) {
    const auto tree = parse_json(R"({"a":[1,-2,true,null,"x\u00e9"],"b":{"c":1.5}})");
    ASSERT_TRUE(tree) << tree.error().cause;
    const Json* list = tree->find("a");
    ASSERT_NE(list, nullptr);
    ASSERT_EQ(list->items.size(), 5u);
    EXPECT_EQ(list->items[1].integer, -2);
    EXPECT_TRUE(list->items[2].boolean);
    EXPECT_EQ(list->items[3].kind, Json::Kind::null);
    EXPECT_EQ(list->items[4].text, "x\xc3\xa9");
    EXPECT_EQ(tree->find("b")->find("c")->kind, Json::Kind::real);
    EXPECT_EQ(tree->find("z"), nullptr);
}

TEST(ParseJson, RefusesWithoutThrowing) {
    for (const char* bad : {"", "{", "[1,]", "{\"a\"}", "nul", "\"\xff\"", "1 2", "{\"a\":1}x", "\"\\ud800\"", "1e999"})
        EXPECT_FALSE(parse_json(bad)) << bad;
    EXPECT_NE(parse_json("[1,]").error().cause.find("byte"), std::string::npos);
}

TEST(ParseJson, BoundsDepthAndSize) {
    EXPECT_TRUE(parse_json(std::string(32, '[') + std::string(32, ']')));
    const auto deep = parse_json(std::string(33, '[') + std::string(33, ']'));
    ASSERT_FALSE(deep);
    EXPECT_EQ(deep.error().cause, "JSON nested deeper than 32");
    EXPECT_FALSE(parse_json("[1,2,3]", 6));
}

TEST(JsonWriter, EscapesWhatBelongsEscaped) {
    JsonWriter json;
    json.value("a\"b\\c\n\x01\x7f\xff\xc3\xa9");
    EXPECT_EQ(json.text(), "\"a\\\"b\\\\c\\n\\u0001\\u007f\\ufffd\xc3\xa9\"");
    EXPECT_TRUE(parse_json(json.text()));
}

TEST(JsonWriter, PutsCommasAndLinesWhereTheyBelong) {
    const auto write = [](int indent) {
        JsonWriter json(indent);
        json.begin_object();
        json.name("a");
        json.begin_array();
        json.value(std::int64_t{1});
        json.value(true);
        json.end_array();
        json.name("b");
        json.begin_object();
        json.end_object();
        json.name("c");
        json.raw("null");
        json.end_object();
        return json.text();
    };
    EXPECT_EQ(write(0), R"({"a":[1,true],"b":{},"c":null})");
    EXPECT_EQ(write(2), "{\n  \"a\": [\n    1,\n    true\n  ],\n  \"b\": {},\n  \"c\": null\n}");
}

}  // namespace
}  // namespace diskless
