// The handler that std::terminate calls until std::set_terminate names another. libstdc++'s prints the demangled type of
// the exception, for which the demangler (47 KB) comes along.
#include <cstdlib>
#include <exception>

namespace __cxxabiv1 {
extern std::terminate_handler __terminate_handler;
std::terminate_handler __terminate_handler = std::abort;
}  // namespace __cxxabiv1
