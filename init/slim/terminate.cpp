// What std::terminate calls until std::set_terminate names another. libstdc++'s prints the demangled type of the
// exception, for which the demangler (47 KB) comes along. Replaces vterminate.o; std::set_terminate refers to it too.
#include <cstdlib>
#include <exception>

namespace __gnu_cxx {
void __verbose_terminate_handler() { std::abort(); }
}  // namespace __gnu_cxx
