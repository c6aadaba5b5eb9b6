#include <iostream>

#include "server-helper/command.hpp"

int main(int argc, char** argv) try {
    std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    const std::string_view path = argc > 0 ? argv[0] : "";
    const auto name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
    if (name == "pxeos" || name == "pxeboot") arguments.insert(arguments.begin(), std::string(name));
    return diskless::server::run(arguments, std::cout, std::cerr);
} catch (const std::exception& error) {
    std::cerr << "diskless-server: " << error.what() << '\n';
    return diskless::server::kFailed;
}
