#include <iostream>

#include "server-helper/command.hpp"

int main(int argc, char** argv) try {
    return diskless::server::run({argv + 1, argv + argc}, std::cout, std::cerr);
} catch (const std::exception& error) {
    std::cerr << "diskless-server: " << error.what() << '\n';
    return diskless::server::kFailed;
}
