// A tree of diskless-server in a temporary directory.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "server-helper/command.hpp"
#include "server-helper/model/cluster.hpp"
#include "tests/fakes/temporary_directory.hpp"

namespace diskless::server {

class TreeTest : public testing::Test {
  protected:
    TreeTest() {
        write("cluster.toml",
              "[server]\naddress = \"10.8.0.1\"\nnetwork = \"10.8.0.0/16\"\n[defaults]\nimage = \"debian\"\n");
        generation("debian", "20260101-000000");
    }

    std::string path(const std::string& rest) const { return base + "/" + rest; }
    void write(const std::string& rest, std::string_view content) {
        std::filesystem::create_directories(std::filesystem::path(path(rest)).parent_path());
        std::ofstream(path(rest), std::ios::binary) << content;
    }
    std::string read(const std::string& rest) const {
        std::ostringstream text;
        text << std::ifstream(path(rest), std::ios::binary).rdbuf();
        return text.str();
    }
    bool exists(const std::string& rest) const {
        return std::filesystem::exists(std::filesystem::symlink_status(path(rest)));
    }
    /// A complete generation that is the current one.
    void generation(const std::string& image, const std::string& name) {
        write("images/" + image + "/" + name + "/.diskless-generation",
              "IMAGE=" + image + "\nGENERATION=" + name + "\n");
        std::filesystem::remove(path("images/" + image + "/current"));
        std::filesystem::create_directory_symlink(name, path("images/" + image + "/current"));
    }
    /// The program on this tree.
    int run(std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--base", base});
        std::ostringstream out_stream, err_stream;
        const int code = diskless::server::run(arguments, out_stream, err_stream);
        out = out_stream.str();
        err = err_stream.str();
        return code;
    }

    const TemporaryDirectory tree = TemporaryDirectory::in_memory();  // the kill tests flush it
    std::string base = tree.path, out, err;
};

}  // namespace diskless::server
