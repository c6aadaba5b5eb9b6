// Floating-point numbers in scanf(3): glibc brings parsers for float, long double and __float128 (36 KB) that the C
// libraries linked here never ask for. All of them are read with the precision of double. Replaces strtof.o, strtold.o
// and strtof128.o.
#include <cstdlib>

extern "C" {

float __strtof_internal(const char*, char**, int);
long double __strtold_internal(const char*, char**, int);
_Float128 __strtof128_internal(const char*, char**, int);

float __strtof_internal(const char* text, char** end, int) { return static_cast<float>(std::strtod(text, end)); }
long double __strtold_internal(const char* text, char** end, int) { return std::strtod(text, end); }
long double strtold(const char* text, char** end) noexcept { return std::strtod(text, end); }
// scanf calls this where long double is a __float128, which it is not on x86-64
_Float128 __strtof128_internal(const char* text, char** end, int) { return std::strtod(text, end); }

}  // extern "C"
